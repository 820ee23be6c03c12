import { promises as fsp } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { equalBytes, wipe } from '../../shared/bytes.js';
import { tlsPaths } from '../../shared/config/common-sections.js';
import { parseCosignerConfig, type CosignerConfig } from '../../shared/config/cosigner-config.js';
import { formatHostPort, type HostPort } from '../../shared/config/host-port.js';
import { readConfigText } from '../../shared/config/toml-file.js';
import { HekateError, isHekateError, messageOf } from '../../shared/errors.js';
import { encodeGroup, loadGroupFile, type GroupInfo } from '../../shared/home/group-file.js';
import * as paths from '../../shared/home/paths.js';
import { readShare } from '../../shared/home/share-file.js';
import { noHome } from '../../shared/home/wrong-home.js';
import { InvariantViolation } from '../../shared/invariant.js';
import { accessDenied } from '../../shared/ports/access-denied.js';
import { createFile, syncFolder } from '../../shared/ports/durable-file.js';
import { MODE_PRIVATE } from '../../shared/ports/file-mode.js';
import { lockHome } from '../../shared/process/home-lock.js';
import { readState } from '../../shared/watermark/state-mark.js';
import { exists, makeFolder, MODE_PUBLIC } from '../durable-files.js';
import { NotEditable, quote, setTopKey } from '../home/toml-edit.js';
import { writeSecretFile, type InitDeps } from '../init/cluster-files.js';
import { createWhole } from '../init/staging.js';
import { checkReachable, newListen, type NewAddress } from './new-address.js';

export interface Moved {
  readonly name: string;
  /** The folder to carry. */
  readonly out: string;
  /** To run on the new host, before the first start. */
  readonly starts: readonly string[];
  readonly outcome: 'moved' | 'before';
}

interface OldHome {
  readonly home: string;
  readonly config: CosignerConfig;
  readonly text: string;
  readonly chains: readonly OldChain[];
  readonly isRetired: boolean;
}

interface OldChain {
  readonly info: GroupInfo;
  /** Where the new state starts: undefined where nothing was ever signed. */
  readonly height: bigint | undefined;
}

/** What the configuration of a home is called that was moved away. */
const RETIRED_FILE = `${paths.COSIGNER_CONFIG_FILE}.moved`;
const STEPS_FILE = 'MOVED.md';

/**
 * Makes the folder that is carried to a new host, with all of a cosigner but its state, and retires the old home: it has no
 * configuration and no share any more. Only then it is told where the new states start: above everything that this cosigner
 * can have signed. Run again it goes on. Throws USAGE, HOME_LOCKED, NO_HOME, DIR_NOT_EMPTY, CONFIG_NOT_EDITED, and what a share or a
 * state is refused for.
 */
export async function moveToHost(
  home: string,
  out: string,
  address: Pick<NewAddress, 'to' | 'listen'>,
  deps: Pick<InitDeps, 'disk'>,
): Promise<Moved> {
  checkReachable(address.to);
  const listen = newListen(address);
  if (!relative(home, out).startsWith('..'))
    throw new HekateError('USAGE', `${out} is in the home that is moved`, { fix: 'choose a folder beside it' });
  try {
    if (!(await exists(home))) throw await noHome(join(home, paths.COSIGNER_CONFIG_FILE));
    const file = await configFileOf(home);
    const unlock = lockHome(home);
    try {
      const old = await readOld(home, file, deps);
      const name = paths.cosignerName(old.config.id);
      const starts = old.chains.map((chain) => startCommand(name, chain));
      const isOut = await exists(out);
      if (!isOut && old.isRetired) return { name, out, starts, outcome: 'before' };
      const text = await textFor(out, old, listen);
      if (isOut) await checkIsOurs(out, old, text);
      else await createWhole(out, (root) => writeHome(root, old, text));
      await retire(old);
      await putSteps(out, name, starts, formatHostPort(address.to));
      return { name, out, starts, outcome: 'moved' };
    } finally {
      unlock();
    }
  } catch (error) {
    if (isHekateError(error) || error instanceof InvariantViolation) throw error;
    if (error instanceof NotEditable) throw new HekateError('CONFIG_NOT_EDITED', `${home}: ${error.message}`);
    throw accessDenied(error) ?? new HekateError('WRITE_FAILED', messageOf(error), { cause: error });
  }
}

/** Throws NO_HOME. */
async function configFileOf(home: string): Promise<string> {
  const file = join(home, paths.COSIGNER_CONFIG_FILE);
  if (await exists(file)) return file;
  if (await exists(join(home, RETIRED_FILE))) return join(home, RETIRED_FILE);
  throw await noHome(file);
}

async function readOld(home: string, file: string, { disk }: Pick<InitDeps, 'disk'>): Promise<OldHome> {
  const text = await readConfigText(file);
  const config = await parseCosignerConfig(home, file, text);
  const [inside, usual] = [config.tls, tlsPaths(home, undefined)];
  if (inside.key !== usual.key || inside.certificate !== usual.certificate || inside.peers !== usual.peers)
    throw new HekateError('CONFIG_NOT_EDITED', `${file} has a [tls] section: its files are not carried along`, {
      fix: 'put them where a home has them (tls/identity.key, tls/identity.crt, tls/peers) and take that section out',
    });
  const chains: OldChain[] = [];
  for (const { id } of config.chains) {
    const info = await loadGroupFile(paths.groupFile(home, id), id);
    const { watermark } = await readState(disk, paths.watermarkFile(home, id), info);
    chains.push({ info, height: watermark.fresh && watermark.height === 0n ? undefined : watermark.height });
  }
  return { home, config, text, chains, isRetired: file.endsWith(RETIRED_FILE) };
}

function startCommand(name: string, { info, height }: OldChain): string {
  const start = height === undefined ? '--never-signed' : `--height ${height}`;
  return `hekate state init ${name} --chain-id ${info.chainId} ${start}`;
}

async function textFor(out: string, { text }: OldHome, listen: HostPort): Promise<string> {
  const edited = setTopKey(text, 'listen', quote(formatHostPort(listen)));
  await parseCosignerConfig(out, join(out, paths.COSIGNER_CONFIG_FILE), '', edited);
  return edited;
}

/** Everything but the state. */
async function writeHome(root: string, { home, chains }: OldHome, text: string): Promise<void> {
  await copyFolder(join(home, dirname(paths.TLS_KEY_FILE)), join(root, dirname(paths.TLS_KEY_FILE)));
  for (const { info } of chains) {
    const { chainId } = info;
    await makeFolder(paths.chainFolder(root, chainId));
    await createFile(paths.groupFile(root, chainId), encodeGroup(info), MODE_PUBLIC);
    const share = await readShare(paths.shareFile(home, chainId));
    await writeSecretFile(paths.shareFile(root, chainId), share).finally(() => wipe(share));
  }
  const readme = join(home, paths.README_FILE);
  if (await exists(readme)) await createFile(join(root, paths.README_FILE), await fsp.readFile(readme), MODE_PUBLIC);
  await createFile(join(root, paths.COSIGNER_CONFIG_FILE), text, MODE_PUBLIC);
}

async function copyFolder(from: string, to: string): Promise<void> {
  await makeFolder(to);
  for (const entry of await fsp.readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await copyFolder(source, target);
    else {
      const contents = await fsp.readFile(source);
      const mode = entry.name.endsWith('.crt') ? MODE_PUBLIC : MODE_PRIVATE;
      await createFile(target, contents, mode).finally(() => contents.fill(0));
    }
  }
}

/** An earlier run has made it, or another folder is in the way. Throws DIR_NOT_EMPTY. */
async function checkIsOurs(out: string, { home, chains }: OldHome, text: string): Promise<void> {
  const file = join(out, paths.COSIGNER_CONFIG_FILE);
  const inTheWay = new HekateError('DIR_NOT_EMPTY', `${out} is already there, and is not what this move makes`, {
    fix: 'choose a folder that does not exist yet',
  });
  if (!(await exists(file)) || (await fsp.readFile(file, 'utf8')) !== text) throw inTheWay;
  for (const { info } of chains) {
    const [there, here] = [out, home].map((folder) => paths.shareFile(folder, info.chainId)) as [string, string];
    // The old one is gone only once the new one was on the disk.
    if (!(await exists(there))) throw inTheWay;
    if (!(await exists(here))) continue;
    const [one, other] = [await readShare(there), await readShare(here)];
    const isSame = equalBytes(one, other);
    wipe(one);
    wipe(other);
    if (!isSame) throw inTheWay;
  }
}

/** Nothing starts from the old home any more, and the share is in one place. Its state stays, for this to be run again. */
async function retire({ home, chains }: OldHome): Promise<void> {
  const file = join(home, paths.COSIGNER_CONFIG_FILE);
  if (await exists(file)) await fsp.rename(file, join(home, RETIRED_FILE));
  await syncFolder(home);
  for (const { info } of chains) {
    await fsp.rm(paths.shareFile(home, info.chainId), { force: true });
    await syncFolder(paths.chainFolder(home, info.chainId));
  }
}

async function putSteps(out: string, name: string, starts: readonly string[], to: string): Promise<void> {
  const file = join(out, STEPS_FILE);
  const id = name.replace(/^cosigner-/, '');
  await fsp.rm(file, { force: true });
  const text = `# ${name} was moved: what is left to do

This folder has no \`state\`, and the one of the old host never comes here: a state is made where it is used. In the folder that
${name} is in on its new host, before its first start:

${starts.map((command) => `    ${command}`).join('\n')}

In the home of each sentry-link, then restart it:

    hekate cosigner move --home HOME --id ${id} --to ${to}

Then start it: \`hekate cosigner start --home ${name}\`. It waits until it has heard the others, and signs from then on.
`;
  await createFile(file, text, MODE_PUBLIC);
  await syncFolder(out);
}
