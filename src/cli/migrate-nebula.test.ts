import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hekate, type CliRun } from '../../test/support/cli-run.js';
import keys from '../shared/keys/testdata/keys.json' with { type: 'json' };

const { address } = keys.privValidatorKey;
const COSIGNERS = ['--threshold', '2', '--cosigner', '127.0.0.1:7001', '127.0.0.1:7002', '127.0.0.1:7003'];
let dir: string;
const inDir = (...parts: readonly string[]): string => join(dir, ...parts);
const write = (name: string, contents: string): void => writeFileSync(inDir(name), contents, { mode: 0o600 });

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hekate-nebula-'));
  write('privkey', keys.privValidatorKey.priv_key.value);
  write('place.json', '{"height":50,"round":0,"step":"Precommit"}');
  write('initial_state.json', '{"height":1,"round":0,"step":0}');
  write(
    'config.toml',
    `chain_id = "one"
version = "v0_38"
signing_mode = "native"
[[connections]]
host = "10.0.0.5"
port = 26659
[raft]
node_id = 1
bind_addr = "127.0.0.1:8080"
data_path = "${inDir('raft_data')}"
initial_state_path = "${inDir('initial_state.json')}"
[[raft.peers]]
id = 1
addr = "127.0.0.1:8080"
[signing.native]
private_key_path = "${inDir('privkey')}"
key_type = "ed25519"
`,
  );
});
afterEach(() => rmSync(dir, { recursive: true }));

const nebula = (...args: readonly string[]): Promise<CliRun> =>
  hekate('migrate', 'nebula', '-c', inDir('config.toml'), '--watch', '1', ...args);

test('with the place that was brought it becomes a cluster', async () => {
  const state = ['--state', inDir('place.json')];
  const { code, out, err } = await nebula(...state, '--apply', '--out', inDir('made'), ...COSIGNERS);
  expect([code, err]).toEqual([0, '']);
  expect(out).toContain(`one: validator ${address}`);
  expect(out).toContain('refuses everything up to height 50, round 0, precommit');
  expect((await hekate('keys', 'verify', inDir('made'))).code).toBe(0);
});

test.each<[string, readonly string[], number, string]>([
  ['nothing', [], 1, 'OLD_SIGNER_UNPROVEN'],
  ['a height and a word', ['--height', '99', '--i-stopped-it'], 0, 'refuses all of height 99'],
  ['the initial state', ['--state', 'initial_state.json'], 1, 'is the initial_state_path of nebula'],
])('what it signed last is in its database: %s', async (_name, args, code, text) => {
  const run = await nebula(...args.map((arg) => (arg.endsWith('.json') ? inDir(arg) : arg)));
  expect(run.code).toBe(code);
  expect(run.out + run.err).toContain(text);
  expect(existsSync(inDir('made'))).toBe(false);
});
