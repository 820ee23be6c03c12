import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, relative } from 'node:path';
import { filesBelow } from './files-below.js';

export type SecretKind = 'share' | 'seed' | 'TLS key';

export interface FileSecret {
  /** Kind and path, for reports. */
  readonly name: string;
  readonly kind: SecretKind;
  readonly file: string;
  /** 32 bytes. */
  readonly bytes: Uint8Array;
}

/** All secrets in the files below a folder: shares, seeds of validators and nodes, TLS keys. What is damaged is left out. */
export function secretsIn(folder: string): FileSecret[] {
  return filesBelow(folder).flatMap((file) => {
    const read = READERS.find(([pattern]) => pattern.test(basename(file)));
    if (read === undefined) return [];
    const [, kind, bytesOf] = read;
    try {
      const bytes = bytesOf(readFileSync(file, 'utf8'));
      return bytes.length === 32 ? [{ name: `${kind} of ${relative(folder, file)}`, kind, file, bytes }] : [];
    } catch {
      return [];
    }
  });
}

/** Whether a file is one that holds a secret by its name. */
export function isSecretFile(path: string): boolean {
  return READERS.some(([pattern]) => pattern.test(basename(path)));
}

const READERS: readonly (readonly [RegExp, SecretKind, (text: string) => Uint8Array])[] = [
  [/^share\.key$/, 'share', hexOf],
  [/^node-identity\.key$/, 'seed', hexOf],
  [/\.key$/, 'TLS key', (pem) => Buffer.from(createPrivateKey(pem).export({ format: 'jwk' }).d ?? '', 'base64url')],
  [/key.*\.json$/, 'seed', (text) => Buffer.from(privateValueOf(text), 'base64').subarray(0, 32)],
];

/** The last line: before it may be one with the version. */
function hexOf(text: string): Uint8Array {
  return Buffer.from(text.trim().split('\n').at(-1) ?? '', 'hex');
}

function privateValueOf(text: string): string {
  return (JSON.parse(text) as { priv_key: { value: string } }).priv_key.value;
}
