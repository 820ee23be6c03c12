import { sign } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { privateKeyOf, rawPublicKey } from '../ed25519/raw-keys.js';
import { SignBytes } from '../privval/sign-bytes.js';
import type { Proof } from '../watermark/proof.js';
import { loadProofFile, writeProofFile } from './proof-file.js';

const KEY = privateKeyOf('ed25519', new Uint8Array(32).fill(3));
const BINDING = { chainId: 'test-1', groupPublicKey: rawPublicKey(KEY) };
let folder: string;
let path: string;

function proofAt(height: bigint, key = KEY): Proof {
  const place = { chainId: 'test-1', height, round: 0, step: 2, blockId: undefined } as const;
  const { bytes } = SignBytes.encode({ ...place, timestamp: { seconds: 1n, nanos: 0 } });
  return { chainId: 'test-1', groupPublicKey: rawPublicKey(key), signBytes: bytes, signature: sign(null, bytes, key) };
}
const load = (): Promise<Proof | undefined> => loadProofFile(path, BINDING);

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hekate-proof-'));
  path = join(folder, 'newest-signature.json');
  await writeProofFile(path, proofAt(7n));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('a proof comes back as it was, and a newer one takes its place', async () => {
  expect(await load()).toEqual({ ...proofAt(7n), signature: new Uint8Array(proofAt(7n).signature) });
  await writeProofFile(path, proofAt(8n));
  expect((await load())?.signBytes).toEqual(proofAt(8n).signBytes);
  expect(statSync(path).mode & 0o777).toBe(0o644);
});

it('no file is no proof', async () => {
  rmSync(path);
  expect(await load()).toBeUndefined();
});

it('what a newer hekate writes besides is not looked at', async () => {
  edit((json) => ({ ...json, since: 'tomorrow' }));
  expect(await load()).toBeDefined();
});

const edit = (change: (json: Record<string, unknown>) => object): void =>
  writeFileSync(path, JSON.stringify(change(JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>)));

it.each<[name: string, damage: () => unknown, problem: string]>([
  ['cut short', () => writeFileSync(path, readFileSync(path).subarray(0, 50)), 'it is not what a sentry-link writes'],
  ['empty', () => writeFileSync(path, ''), 'it is not what a sentry-link writes'],
  ['no JSON object', () => writeFileSync(path, '[]'), 'it is not what a sentry-link writes'],
  [
    'of a version of the future',
    () => edit((json) => ({ ...json, version: 2 })),
    'it is not what a sentry-link writes',
  ],
  [
    'without a signature',
    () => edit((json) => ({ ...json, signature: undefined })),
    'it is not what a sentry-link writes',
  ],
  ['with a forged signature', () => edit((json) => ({ ...json, signature: 'A'.repeat(86) + '==' })), 'does not verify'],
  [
    'of another cluster',
    () => writeProofFile(path, proofAt(9n, privateKeyOf('ed25519', new Uint8Array(32)))),
    'another key',
  ],
  ['of another chain', () => edit((json) => ({ ...json, chainId: 'test-2' })), 'is for chain "test-2"'],
  ['far too long', () => writeFileSync(path, 'x'.repeat(5_000)), 'it cannot be read'],
  ['UTF-16', () => writeFileSync(path, Buffer.from('{"version":1}', 'utf16le')), 'UTF-16'],
  ['a folder', () => (rmSync(path), mkdirSync(path)), 'it cannot be read'],
])('a file that is %s is named, with what to do', async (_name, damage, problem) => {
  await damage();
  await expect(load()).rejects.toMatchObject({
    code: 'PROOF_INVALID',
    message: expect.stringContaining(problem) as string,
    fix: expect.stringContaining('the next signature takes its place') as string,
  });
});
