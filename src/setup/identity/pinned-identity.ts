import { promises as fsp } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { PeerPins } from '../../shared/config/common-sections.js';
import { HekateError } from '../../shared/errors.js';
import { must } from '../../shared/invariant.js';
import { cosignerName, nextPeerCertificateFile, peerCertificateFile } from '../../shared/home/paths.js';
import { cosignerPins, loadPinnedPeers } from '../../shared/home/peer-certificates.js';
import { createFile, syncFolder } from '../../shared/ports/durable-file.js';
import { pinOf, readCertificate, type NamedPin } from '../../shared/transport/identity.js';
import { exists, makeFolder, MODE_PUBLIC, replaceFile } from '../durable-files.js';
import { editedConfig, type AnyHome } from '../home/change-home.js';
import { addKey, entryWith, quote, removeKey, setKey, type TomlEntry } from '../home/toml-edit.js';
import { checkSubjectIsNew, type CarriedCertificate } from './certificate-file.js';

/** Everyone whom a home has pinned. */
export function pinnedIn(at: AnyHome): readonly NamedPin[] {
  const cosigners = cosignerPins(at.config.cosigners);
  return at.kind === 'cosigner' ? [...at.config.links, ...cosigners] : cosigners;
}

export interface Pinned {
  readonly name: string;
  readonly pin: string;
  readonly outcome: 'pinned' | 'there';
}

/** Pins the certificate that a peer will show, beside the one that it shows. Throws PEER_UNKNOWN, PEER_EXISTS, ROTATION_STEP, USAGE. */
export async function pinNext(at: AnyHome, carried: CarriedCertificate, named: string | undefined): Promise<Pinned> {
  const peers = pinnedIn(at);
  const name = named ?? nameOf(carried);
  const peer = peerCalled(at, name);
  const { pin } = carried;
  const owner = peers.find((one) => one.name !== name && (one.pin === pin || one.nextPin === pin));
  if (owner !== undefined)
    throw new HekateError('PEER_EXISTS', `this is the certificate of ${owner.name}, not of ${name}`);
  if (pin === peer.pin) return { name, pin, outcome: 'there' };
  const { peers: folder } = at.config.tls;
  const file = nextPeerCertificateFile(folder, name);
  if (peer.nextPin !== undefined && peer.nextPin !== pin)
    throw new HekateError('ROTATION_STEP', `${name} has a second pin already: ${peer.nextPin}`, {
      fix: `drop one of the two first: \`hekate identity drop --name ${name}\` the first, with --new the second`,
    });
  checkSubjectIsNew(carried, await loadPinnedPeers(folder, peers));
  if (peer.nextPin !== undefined && (await holds(file, pin))) return { name, pin, outcome: 'there' };
  const text =
    peer.nextPin === undefined
      ? await editedPeer(at, name, (was, entry) => addKey(was, entry, 'pin', 'next_pin', quote(pin)), {
          pin: peer.pin,
          nextPin: pin,
        })
      : undefined;
  await putCertificate(file, carried.certPem);
  if (text !== undefined) await replaceFile(at.config.file, text);
  return { name, pin, outcome: 'pinned' };
}

/** Forgets one of a peer's two pins: the first, or with `isNew` the second. The pin that stays. Throws PEER_UNKNOWN, ROTATION_STEP. */
export async function dropPin(at: AnyHome, name: string, isNew: boolean): Promise<string> {
  const peer = peerCalled(at, name);
  const { peers: folder } = at.config.tls;
  const [file, next] = [peerCertificateFile(folder, name), nextPeerCertificateFile(folder, name)];
  const stays = isNew ? peer.pin : peer.nextPin;
  if (peer.nextPin === undefined || stays === undefined) {
    // It may have been interrupted behind the configuration.
    if (!(await exists(next))) throw oneOnly(at, name);
  } else {
    const edit = (text: string, entry: TomlEntry): string => {
      const without = removeKey(text, entry, 'next_pin');
      return isNew ? without : setKey(without, peerEntry(at, without, name), 'pin', quote(stays));
    };
    await replaceFile(at.config.file, await editedPeer(at, name, edit, { pin: stays }));
  }
  const pin = stays ?? peer.pin;
  if (await holds(next, pin)) await fsp.rename(next, file);
  else await fsp.rm(next, { force: true });
  await syncFolder(folder);
  return pin;
}

/** Writes the certificate of a peer, in place of what was there. */
export async function putCertificate(file: string, certPem: string): Promise<void> {
  await makeFolder(dirname(file));
  const temporary = `${file}.tmp`;
  await fsp.rm(temporary, { force: true });
  await createFile(temporary, certPem, MODE_PUBLIC);
  await fsp.rename(temporary, file);
  await syncFolder(dirname(file));
}

function nameOf({ name }: CarriedCertificate): string {
  if (name !== undefined) return name;
  throw new HekateError('USAGE', 'the certificate does not say whose it is', { fix: 'add --name NAME' });
}

function peerCalled(at: AnyHome, name: string): NamedPin {
  const peers = pinnedIn(at);
  const peer = peers.find((one) => one.name === name);
  if (peer !== undefined) return peer;
  if (name === at.name)
    throw new HekateError('PEER_UNKNOWN', `${name} is this home itself`, {
      fix: 'run this in the homes of the others',
    });
  const names = peers.map((one) => one.name).join(', ');
  throw new HekateError('PEER_UNKNOWN', `${basename(at.config.file)} has no ${JSON.stringify(name)}, it has ${names}`);
}

function peerEntry(at: AnyHome, text: string, name: string): TomlEntry {
  const id = at.config.cosigners.find((one) => cosignerName(one.id) === name)?.id;
  const isLink = at.kind === 'cosigner' && at.config.links.some((link) => link.name === name);
  if (isLink) return entryWith(text, 'link', 'name', name);
  return entryWith(text, 'cosigner', 'id', must(id, 'a peer is a link or a cosigner'));
}

function editedPeer(
  at: AnyHome,
  name: string,
  edit: (text: string, entry: TomlEntry) => string,
  pins: PeerPins,
): Promise<string> {
  const change = (text: string): string => edit(text, peerEntry(at, text, name));
  const isIt = ({ id }: { readonly id: number }): boolean => cosignerName(id) === name;
  if (at.kind === 'sentry-link')
    return editedConfig(at, change, { cosigners: repinned(at.config.cosigners, isIt, pins) });
  const { links, cosigners } = at.config;
  if (cosigners.some(isIt)) return editedConfig(at, change, { cosigners: repinned(cosigners, isIt, pins) });
  return editedConfig(at, change, { links: repinned(links, (link) => link.name === name, pins) });
}

function repinned<T extends PeerPins>(
  entries: readonly T[],
  isIt: (entry: T) => boolean,
  { pin, nextPin }: PeerPins,
): readonly T[] {
  return entries.map((entry) => (isIt(entry) ? { ...entry, pin, nextPin } : entry));
}

async function holds(file: string, pin: string): Promise<boolean> {
  return (await exists(file)) && pinOf(await readCertificate(file)) === pin;
}

function oneOnly({ config }: AnyHome, name: string): HekateError {
  return new HekateError('ROTATION_STEP', `${config.file} has one pin of ${name}: nothing to drop`, {
    fix: 'none needed if it was dropped before; the other pin comes by `hekate identity pin`',
  });
}
