import { formatHostPort, whyNotToConnect, type HostPort } from '../../shared/config/host-port.js';
import { HekateError } from '../../shared/errors.js';
import { cosignerName } from '../../shared/home/paths.js';
import { replaceConfig, type AnyHome, type CosignerHome, type LinkHome } from '../home/change-home.js';
import { entryWith, quote, setKey, setTopKey } from '../home/toml-edit.js';
import { listenFor } from '../init/request.js';

export interface NewAddress {
  /** By which sentry-links reach the cosigner. */
  readonly to: HostPort;
  /** Where it listens, if not as `to` says. */
  readonly listen: HostPort | undefined;
  /** Whose address it is; of a sentry-link's home alone. */
  readonly id: number | undefined;
}

/** What changed in a home, as text: an address or where it listens. */
export interface Readdressed {
  readonly name: string;
  readonly key: 'address' | 'listen';
  readonly before: string;
  readonly after: string;
}

/** Throws USAGE unless sentry-links can connect to an address. */
export function checkReachable(to: HostPort): void {
  const problem = whyNotToConnect(to);
  if (problem === undefined) return;
  throw new HekateError('USAGE', `no cosigner can be at ${formatHostPort(to)}: ${problem}`, {
    fix: 'give the address by which sentry-links reach it; where it listens on another one, add --listen',
  });
}

/** Where a cosigner listens that is reached at `to`. Throws USAGE. */
export function newListen({ to, listen }: Pick<NewAddress, 'to' | 'listen'>): HostPort {
  const at = listen ?? listenFor(to);
  if (at.port !== 0) return at;
  throw new HekateError('USAGE', 'a cosigner cannot listen on port 0: links would not know where', {
    fix: 'give the port that is forwarded to this cosigner',
  });
}

/** A cosigner has another address, and its share stays where it is. Throws USAGE, PEER_UNKNOWN, CONFIG_INVALID. */
export async function changeAddress(at: AnyHome, address: NewAddress): Promise<Readdressed> {
  checkReachable(address.to);
  return at.kind === 'cosigner' ? listenElsewhere(at, address) : dialElsewhere(at, address);
}

async function listenElsewhere(at: CosignerHome, address: NewAddress): Promise<Readdressed> {
  const { id } = address;
  if (id !== undefined && id !== at.config.id)
    throw new HekateError('USAGE', `${at.home} is the home of ${at.name}, not of ${cosignerName(id)}`, {
      fix: 'leave --id out, or give the home of a sentry-link',
    });
  const listen = newListen(address);
  const [before, after] = [at.config.listen, listen].map(formatHostPort) as [string, string];
  if (before !== after) await replaceConfig(at, (text) => setTopKey(text, 'listen', quote(after)), { listen });
  return { name: at.name, key: 'listen', before, after };
}

async function dialElsewhere(at: LinkHome, { to, listen, id }: NewAddress): Promise<Readdressed> {
  if (listen !== undefined)
    throw new HekateError('USAGE', `${at.name} is a sentry-link, and listens to nobody`, { fix: 'leave --listen out' });
  if (id === undefined)
    throw new HekateError('USAGE', 'it is not said which cosigner has another address', { fix: 'add --id N' });
  const { cosigners, file } = at.config;
  const cosigner = cosigners.find((one) => one.id === id);
  if (cosigner === undefined)
    throw new HekateError('PEER_UNKNOWN', `${file} has no cosigner ${id}`, {
      fix: `give one of ${cosigners.map((one) => one.id).join(', ')}`,
    });
  const [before, after] = [cosigner.address, to].map(formatHostPort) as [string, string];
  const edit = (text: string): string => setKey(text, entryWith(text, 'cosigner', 'id', id), 'address', quote(after));
  if (before !== after)
    await replaceConfig(at, edit, {
      cosigners: cosigners.map((one) => (one.id === id ? { ...one, address: to } : one)),
    });
  return { name: cosignerName(id), key: 'address', before, after };
}
