import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hekate } from '../../test/support/cli-run.js';
import { writeValidatorKey } from '../../test/support/validator-key.js';
import keys from '../shared/keys/testdata/keys.json' with { type: 'json' };

interface PrivateKey {
  readonly type: string;
  readonly value: string;
}

const { address } = keys.privValidatorKey;
const COSIGNERS = ['--threshold', '2', '--cosigner', '127.0.0.1:7001', '127.0.0.1:7002', '127.0.0.1:7003'];
let dir: string;
let identity: PrivateKey;
const inDir = (...parts: readonly string[]): string => join(dir, ...parts);
const write = (name: string, contents: string): void => writeFileSync(inDir(name), contents, { mode: 0o600 });

const privateKeyOf = (file: string): PrivateKey =>
  (JSON.parse(readFileSync(file, 'utf8')) as { priv_key: PrivateKey }).priv_key;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hekate-kms-'));
  mkdirSync(inDir('state'));
  write('priv_validator_key.json', JSON.stringify(keys.privValidatorKey));
  identity = privateKeyOf(writeValidatorKey(inDir('state')).keyFile);
  write('identity.json', JSON.stringify({ priv_key: identity }));
  write('state/one.json', JSON.stringify({ height: '105', round: 0, step: 2 }));
  write(
    'kms.yaml',
    'chains: [{id: one}]\nvalidators: [{chain_id: one, addr: "tcp://10.0.0.5:26659", identity_key: identity.json}]\n' +
      'keys: [{chain_ids: [one], algorithm: ed25519, key_file: priv_validator_key.json}]\n',
  );
});
afterEach(() => rmSync(dir, { recursive: true }));

test('a home of kms becomes a cluster, with its identity', async () => {
  const args = ['migrate', 'kms', '--home', dir, '--watch', '1'];
  const plan = await hekate(...args);
  expect([plan.code, plan.err]).toEqual([0, '']);
  expect(plan.out).toContain('Found: cosmos/kms');
  expect(plan.out).toContain(`one: validator ${address}`);
  const made = await hekate(...args, '--keep-identity', '--apply', '--out', inDir('made'), ...COSIGNERS);
  expect([made.code, made.err]).toEqual([0, '']);
  expect(made.out).toContain('refuses everything up to height 105, round 0, prevote');
  const seed = Buffer.from(identity.value, 'base64').subarray(0, 32).toString('hex');
  expect(readFileSync(inDir('made/sentry-link-1/node-identity.key'), 'utf8')).toBe(`version 1\n${seed}\n`);
  expect((await hekate('keys', 'verify', inDir('made'))).code).toBe(0);
});

test('an unknown key of its configuration ends it', async () => {
  write('kms.yaml', 'chain: []\n');
  const { code, out, err } = await hekate('migrate', 'kms', '--home', dir);
  expect([code, out]).toEqual([1, '']);
  expect(err).toContain('kms.yaml:1:1: unknown key "chain"');
});
