import { promises as fsp } from 'node:fs';
import { linkName } from '../../shared/config/fields.js';
import { HekateError } from '../../shared/errors.js';
import { nextPeerCertificateFile, peerCertificateFile } from '../../shared/home/paths.js';
import { loadPinnedPeers } from '../../shared/home/peer-certificates.js';
import { syncFolder } from '../../shared/ports/durable-file.js';
import { pinOf, readCertificate } from '../../shared/transport/identity.js';
import { exists, replaceFile } from '../durable-files.js';
import { editedConfig, type CosignerHome } from '../home/change-home.js';
import { addEntry, entryWith, quote, removeEntry } from '../home/toml-edit.js';
import { checkSubjectIsNew, type CarriedCertificate } from '../identity/certificate-file.js';
import { pinnedIn, putCertificate, type Pinned } from '../identity/pinned-identity.js';

const COSIGNER_NAME = /^cosigner-\d+$/;

/** Throws USAGE unless a sentry-link can have that name, which names files too. */
export function checkLinkName(name: string | undefined): string {
  if (name === undefined)
    throw new HekateError('USAGE', 'it is not said how the sentry-link is called', { fix: 'add --name NAME' });
  const problem = linkName.safeParse(name).error?.issues[0]?.message.replace(/^: /, '');
  if (problem !== undefined) throw new HekateError('USAGE', `no name of a sentry-link: ${problem}`);
  if (!COSIGNER_NAME.test(name)) return name;
  throw new HekateError('USAGE', `${name} is the name of a cosigner`, { fix: 'choose another --name' });
}

/** Lets one more sentry-link in. Throws USAGE, PEER_EXISTS, TLS_IDENTITY_INVALID, CONFIG_INVALID. */
export async function addLink(
  at: CosignerHome,
  carried: CarriedCertificate,
  named: string | undefined,
): Promise<Pinned> {
  const name = checkLinkName(named ?? carried.name);
  const { tls, links } = at.config;
  const { pin } = carried;
  const peers = pinnedIn(at);
  const file = peerCertificateFile(tls.peers, name);
  const there = links.find((link) => link.name === name);
  if (there?.pin === pin) {
    if (await isThere(file, pin)) return { name, pin, outcome: 'there' };
    await putCertificate(file, carried.certPem);
    return { name, pin, outcome: 'pinned' };
  }
  if (there !== undefined)
    throw new HekateError('PEER_EXISTS', `${at.name} knows another ${name}, with the pin ${there.pin}`, {
      fix: 'a new identity of that one: `hekate identity pin`; another process in its place: choose another --name, or remove that one first',
    });
  const owner = peers.find((one) => one.pin === pin || one.nextPin === pin);
  if (owner !== undefined) throw new HekateError('PEER_EXISTS', `this is the certificate of ${owner.name}`);
  if (pinOf(await readCertificate(tls.certificate)) === pin)
    throw new HekateError('PEER_EXISTS', `this is the certificate of ${at.name} itself`);
  checkSubjectIsNew(carried, await loadPinnedPeers(tls.peers, peers));
  const add = (text: string): string => addEntry(text, 'link', { name: quote(name), pin: quote(pin) });
  const text = await editedConfig(at, add, { links: [...links, { name, pin, nextPin: undefined }] });
  await putCertificate(file, carried.certPem);
  await replaceFile(at.config.file, text);
  return { name, pin, outcome: 'pinned' };
}

/** Lets a sentry-link in no more. Throws PEER_UNKNOWN or LAST_LINK. */
export async function removeLink(at: CosignerHome, name: string): Promise<void> {
  const { tls, links, file } = at.config;
  const files = [peerCertificateFile, nextPeerCertificateFile].map((of) => of(tls.peers, checkLinkName(name)));
  if (links.some((link) => link.name === name)) {
    if (links.length === 1) throw new HekateError('LAST_LINK', `${name} is the only sentry-link that ${at.name} knows`);
    const remove = (text: string): string => removeEntry(text, entryWith(text, 'link', 'name', name));
    await replaceFile(file, await editedConfig(at, remove, { links: links.filter((link) => link.name !== name) }));
  } else if (!(await Promise.all(files.map(exists))).includes(true)) {
    const names = links.map((link) => link.name).join(', ');
    throw new HekateError('PEER_UNKNOWN', `${file} has no sentry-link ${JSON.stringify(name)}, it has ${names}`, {
      fix: 'none needed if it was removed before',
    });
  }
  for (const certificate of files) await fsp.rm(certificate, { force: true });
  await syncFolder(tls.peers);
}

async function isThere(file: string, pin: string): Promise<boolean> {
  return (await exists(file)) && pinOf(await readCertificate(file)) === pin;
}
