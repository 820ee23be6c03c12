import { readFile } from 'node:fs/promises';
import { HekateError, messageOf } from '../errors.js';
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
      try {
        return { name, pin, certPem: await readFile(file, 'utf8') };
      } catch (error) {
        const fix = `copy the certificate of ${name} to ${file}: it is tls/identity.crt in that home`;
        throw new HekateError('TLS_IDENTITY_MISSING', `${file} cannot be read: ${messageOf(error)}`, { fix });
      }
    }),
  );
}
