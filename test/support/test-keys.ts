import { hash } from 'node:crypto';
import type { IdentityKeys } from '../../cosigner/waiting/identity-keys.js';
import { concat, equalBytes } from '../../src/shared/bytes.js';

/** Identities without TLS: whoever knows an id could sign with it, which no process of a test does but a liar. */
export function testKeys(id: number): IdentityKeys {
  return {
    sign: (bytes) => signatureOf(id, bytes),
    verifies: (cosigner, bytes, signature) => equalBytes(signatureOf(cosigner, bytes), signature),
  };
}

export function signatureOf(id: number, bytes: Uint8Array): Uint8Array {
  return new Uint8Array(hash('sha256', concat(Uint8Array.of(id), bytes), 'buffer'));
}
