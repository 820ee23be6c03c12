import type { PeerPins } from '../config/common-sections.js';
import { readCertificate, type NamedPin } from '../transport/identity.js';
import type { PinnedPeer } from '../transport/tls.js';
import { cosignerName, nextPeerCertificateFile, peerCertificateFile } from './paths.js';

/** Cosigners of a configuration, by the names of their certificates. */
export function cosignerPins(cosigners: readonly (PeerPins & { readonly id: number })[]): readonly NamedPin[] {
  return cosigners.map(({ id, pin, nextPin }) => ({
    name: cosignerName(id),
    pin,
    ...(nextPin !== undefined && { nextPin }),
  }));
}

/**
 * The certificates behind the pins of a configuration, two of a peer whose identity is being rotated; that each fits its pin is
 * checked where they are used.
 */
export async function loadPinnedPeers(peersFolder: string, peers: readonly NamedPin[]): Promise<readonly PinnedPeer[]> {
  const loaded = await Promise.all(
    peers.map(async ({ name, pin, nextPin }) => [
      await loadPeer(name, pin, peerCertificateFile(peersFolder, name), 'tls/identity.crt in that home'),
      ...(nextPin === undefined
        ? []
        : [
            await loadPeer(
              name,
              nextPin,
              nextPeerCertificateFile(peersFolder, name),
              'what `hekate identity new` made there',
            ),
          ]),
    ]),
  );
  return loaded.flat();
}

async function loadPeer(name: string, pin: string, file: string, source: string): Promise<PinnedPeer> {
  const fix = `copy the certificate of ${name} to ${file}: it is ${source}`;
  return { name, pin, certPem: await readCertificate(file, fix) };
}
