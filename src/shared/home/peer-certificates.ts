import type { PeerPins } from '../config/common-sections.js';
import { isHekateError } from '../errors.js';
import { pinOf, readCertificate, type NamedPin } from '../transport/identity.js';
import type { PinnedPeer } from '../transport/tls.js';
import { cosignerName, nextPeerCertificateFile, peerCertificateFile } from './paths.js';

/** Cosigners of a configuration, by the names of their certificates. */
export function cosignerPins(cosigners: readonly (PeerPins & { readonly id: number })[]): readonly NamedPin[] {
  return cosigners.map(({ id, pin, nextPin }) => ({ name: cosignerName(id), pin, nextPin }));
}

/**
 * The certificates behind the pins of a configuration, two of a peer whose identity is being rotated; that each fits its pin is
 * checked where they are used.
 */
export async function loadPinnedPeers(peersFolder: string, peers: readonly NamedPin[]): Promise<readonly PinnedPeer[]> {
  const loaded = await Promise.all(
    peers.map(({ name, pin, nextPin }) =>
      Promise.all([pin, ...(nextPin === undefined ? [] : [nextPin])].map((one) => loadPeer(peersFolder, name, one))),
    ),
  );
  return loaded.flat();
}

/**
 * From the file of the peer's name, or of its next certificate, whichever fits the pin: a command that was interrupted between
 * the configuration and these files has left nothing that does not start. Where neither fits, it is the first.
 */
async function loadPeer(peersFolder: string, name: string, pin: string): Promise<PinnedPeer> {
  const file = peerCertificateFile(peersFolder, name);
  const next = nextPeerCertificateFile(peersFolder, name);
  const fix = `copy the certificate of ${name} to ${file}: it is tls/identity.crt in that home`;
  let first: string;
  try {
    first = await readCertificate(file, fix);
  } catch (error) {
    const other = await fitting(next, pin);
    if (other === undefined) throw error;
    return { name, pin, certPem: other };
  }
  return { name, pin, certPem: fits(first, pin) ? first : ((await fitting(next, pin)) ?? first) };
}

async function fitting(file: string, pin: string): Promise<string | undefined> {
  try {
    const certPem = await readCertificate(file);
    return fits(certPem, pin) ? certPem : undefined;
  } catch (error) {
    if (isHekateError(error)) return undefined;
    throw error;
  }
}

function fits(certPem: string, pin: string): boolean {
  try {
    return pinOf(certPem) === pin;
  } catch (error) {
    if (isHekateError(error)) return false;
    throw error;
  }
}
