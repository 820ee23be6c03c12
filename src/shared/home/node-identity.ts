import { join } from 'node:path';
import { NODE_IDENTITY_FILE } from './paths.js';
import { readSecretFile } from './secret-file.js';

/** Seed of the Ed25519 key with which a sentry-link meets validator nodes. Throws IDENTITY_INVALID. The caller wipes it. */
export function loadNodeIdentitySeed(home: string): Promise<Uint8Array> {
  const code = 'IDENTITY_INVALID';
  const codes = { missing: code, mode: code, invalid: code } as const;
  return readSecretFile(join(home, NODE_IDENTITY_FILE), 'the identity for nodes', codes);
}
