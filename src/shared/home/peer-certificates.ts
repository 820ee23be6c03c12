import { readCertificate } from '../transport/identity.js';
import type { PinnedPeer } from '../transport/tls.js';
import { peerCertificateFile } from './paths.js';

/** The certificates behind the pins of a configuration; that each fits its pin is checked where they are used. */
export function loadPinnedPeers(
  peersFolder: string,
  peers: readonly { readonly name: string; readonly pin: string }[],
): Promise<readonly PinnedPeer[]> {
  return Promise.all(
    peers.map(async ({ name, pin }) => {
      const file = peerCertificateFile(peersFolder, name);
      const fix = `copy the certificate of ${name} to ${file}: it is tls/identity.crt in that home`;
      return { name, pin, certPem: await readCertificate(file, fix) };
    }),
  );
}
