import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hekate } from '../../test/support/cli-run.js';
import keys from '../shared/keys/testdata/keys.json' with { type: 'json' };
import { lockHome } from '../shared/process/home-lock.js';
import { versionLine } from './version-line.js';

let dir: string;
let cluster: string;
let keyFile: string;
let stateFile: string;
const inDir = (name: string): string => join(dir, name);
const INIT = ['--chain-id', 'test-1', '--node', 'tcp://127.0.0.1:26659', '--threshold', '2'];
const COSIGNERS = ['--cosigner', '127.0.0.1:7001', '127.0.0.1:7002', '127.0.0.1:7003'];
const HEX_KEY = Buffer.from(keys.privValidatorKey.pub_key.value, 'base64').toString('hex');
const SECRET = keys.privValidatorKey.priv_key.value;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'hekate-cli-'));
  cluster = inDir('cluster');
  keyFile = inDir('priv_validator_key.json');
  stateFile = inDir('priv_validator_state.json');
  writeFileSync(keyFile, JSON.stringify(keys.privValidatorKey), { mode: 0o600 });
  writeFileSync(stateFile, JSON.stringify({ height: '4069466', round: 0, step: 3 }));
  writeFileSync(inDir('zero.json'), JSON.stringify({ height: '0', round: 0, step: 0 }));
  const oldKey = { ...keys.privValidatorKey, last_height: '500', last_round: '0', last_step: 3 };
  writeFileSync(inDir('old_key.json'), JSON.stringify(oldKey), { mode: 0o600 });
  const made = await hekate('init', cluster, ...INIT, ...COSIGNERS, '--key', keyFile, '--state', stateFile);
  expect(made).toMatchObject({ code: 0, err: '' });
  expect(made.out).toContain('2 of 3 cosigners sign, 3 sentry-links');
  expect(made.out).toContain(keys.privValidatorKey.address);
  expect(made.out).toContain('cosigner refuses everything up to height 4069466, round 0, precommit.');
  expect(made.out).toContain(`${keyFile} still holds the whole key`);
});

afterAll(() => rmSync(dir, { recursive: true }));

test.each([
  [],
  ['init'],
  ['dev'],
  ['cosigner'],
  ['cosigner', 'start'],
  ['sentry-link'],
  ['sentry-link', 'start'],
  ['status'],
  ['keys'],
  ['keys', 'split'],
  ['keys', 'show'],
  ['keys', 'verify'],
  ['state'],
  ['state', 'show'],
  ['state', 'init'],
])('help with an example: %s %s', async (...names) => {
  const { code, out, err } = await hekate(...names, '--help');
  expect([code, err]).toEqual([0, '']);
  expect(out).toMatch(new RegExp(`Usage: ${['hekate', ...names].join(' ')}`));
  expect(out).toMatch(/Example:\n {2}hekate /);
  const group = names.slice(0, -1);
  const ways = [
    [...names, '-h'],
    ['help', ...names],
    [...group, 'help', ...names.slice(-1)],
    ['help', ...names, '--json'],
  ];
  for (const way of ways) expect(await hekate(...way), way.join(' ')).toEqual({ code: 0, out, err: '' });
});

test.each([['--version'], ['-V'], ['keys', '-V'], ['state', 'show', '--version']])(
  'the version: %s %s',
  async (...args) => {
    expect(await hekate(...args)).toEqual({ code: 0, out: `${versionLine()}\n`, err: '' });
  },
);

test('what is asked about is never done', async () => {
  const { code, out } = await hekate('help', 'init', inDir('never'), ...INIT, ...COSIGNERS);
  expect([code, out, existsSync(inDir('never'))]).toEqual([0, expect.stringMatching(/^Usage: hekate init/), false]);
});

test.each<[string, string[], RegExp]>([
  ['no command', [], /Usage: hekate/],
  ['half a command', ['keys'], /Usage: hekate keys/],
  ['an unknown command', ['fly'], /^USAGE: unknown command 'fly'\. Fix: see `hekate --help`\n$/],
  ['an unknown subcommand', ['state', 'fly'], /Fix: see `hekate state --help`/],
  ['help about an unknown command', ['help', 'fly'], /^USAGE: unknown command 'fly'/],
  ['help about an unknown subcommand', ['keys', 'help', 'fly'], /^USAGE: unknown command 'fly'/],
  [
    'an unknown option',
    ['state', 'show', 'x', '--fly'],
    /^USAGE: unknown option '--fly'.*Fix: see `hekate state show --help`/,
  ],
  ['a missing argument', ['init', '--chain-id', 'x', '--node', 'a:1'], /missing required argument 'dir'/],
  ['a missing option', ['cosigner', 'start'], /'--home <dir>' not specified/],
  ['a threshold in words', ['init', 'x', ...INIT.slice(0, 5), 'two'], /'two' is invalid/],
  ['two watermark starts', ['init', 'x', ...INIT, '--height', '5', '--never-signed'], /cannot be used with/],
  [
    'a state at zero',
    ['init', 'CLUSTER-2', ...INIT, ...COSIGNERS, '--key', 'KEY', '--state', 'ZERO'],
    /^WATERMARK_START_UNSURE: the state file is at height 0/,
  ],
  [
    'a state at zero for a cosigner',
    ['state', 'init', 'CLUSTER/cosigner-1', '--chain-id', 'test-1', '--state', 'ZERO', '--replace'],
    /^WATERMARK_START_UNSURE/,
  ],
  [
    'a state that has signed, and --never-signed',
    ['init', 'CLUSTER-2', ...INIT, ...COSIGNERS, '--key', 'KEY', '--state', 'STATE', '--never-signed'],
    /^WATERMARK_START_CONTRADICTED: --never-signed, but the state file says that this key signed at height 4069466, round 0, precommit/,
  ],
  [
    'height 0',
    ['init', 'CLUSTER-2', ...INIT, ...COSIGNERS, '--key', 'KEY', '--height', '0'],
    /^WATERMARK_START_UNSURE: height 0/,
  ],
  [
    'a key file of before Tendermint 0.28 that has signed, and --never-signed',
    ['init', 'CLUSTER-2', ...INIT, ...COSIGNERS, '--key', 'OLD-KEY', '--never-signed'],
    /^WATERMARK_START_CONTRADICTED: the key file says that this key signed at height 500, round 0, precommit/,
  ],
  ['a negative height', ['init', 'x', ...INIT, '--height', '-5'], /argument/],
  [
    'half as the threshold',
    ['init', 'CLUSTER-2', ...INIT, ...COSIGNERS, '127.0.0.1:7004'],
    /^THRESHOLD_UNSAFE: with 2 of 4/,
  ],
  ['a bad cosigner address', ['init', 'CLUSTER-2', ...INIT, '--cosigner', 'here'], /^USAGE: "here" is not host:port/],
  ['a bad node address', ['init', 'CLUSTER-2', '--chain-id', 'x', '--node', 'ftp://x:1'], /^NODE_ADDRESS_UNSUPPORTED/],
  [
    'a key file that is not there',
    ['init', 'CLUSTER-2', ...INIT, '--key', 'nowhere', '--never-signed'],
    /^USAGE: the key file nowhere/,
  ],
  [
    'a key without its watermark',
    ['init', 'CLUSTER-2', ...INIT, ...COSIGNERS, '--key', 'KEY'],
    /^WATERMARK_START_MISSING/,
  ],
  [
    'a new key with a watermark',
    ['init', 'CLUSTER-2', ...INIT, ...COSIGNERS, '--height', '5'],
    /^USAGE: a watermark start/,
  ],
  [
    'no watermark start',
    ['state', 'init', 'CLUSTER/cosigner-1', '--chain-id', 'test-1'],
    /^USAGE: it is not said where/,
  ],
  [
    'a chain that the home does not have',
    ['state', 'init', 'CLUSTER/cosigner-1', '--chain-id', 'x', '--height', '5'],
    /^USAGE: .* has no chain "x"/,
  ],
  ['an upper-case prefix', ['keys', 'show', 'CLUSTER', '--prefix', 'KIRA'], /is no bech32 prefix: .*lower-case/],
])('exit code 2: %s', async (_name, args, expected) => {
  const { code, out, err } = await hekate(...args.map(place));
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toMatch(expected);
  expect(existsSync(inDir('cluster-2'))).toBe(false);
});

test.each<[string, string[], RegExp]>([
  ['a chain that is there', ['init', 'CLUSTER', ...INIT], /^CHAIN_EXISTS: .*Fix: choose another chain id/],
  ['a key that is none', ['init', 'CLUSTER-2', ...INIT, '--key', 'STATE', '--never-signed'], /^KEY_INVALID/],
  ['a state that is none', ['init', 'CLUSTER-2', ...INIT, '--key', 'KEY', '--state', 'KEY'], /^STATE_IMPORT_INVALID/],
  ['no home', ['state', 'show', 'nowhere'], /^NO_HOME/],
  ['no keys', ['keys', 'show', 'nowhere'], /^NO_HOME/],
  ['nothing to verify', ['keys', 'verify', 'nowhere'], /^NO_HOME/],
  ['no processes', ['status', 'nowhere'], /^NO_HOME/],
  [
    'a home below a file',
    ['cosigner', 'start', '--home', 'CLUSTER/README.md/x'],
    /^NO_HOME: there is no folder .*README\.md\/x\./,
  ],
  [
    'what the system refuses',
    ['dev', '--dir', 'CLUSTER/README.md/x', '--blocks', '1'],
    /^SYSTEM_ERROR: ENOTDIR: .*\. Fix: correct the path: a part of it is no folder\n$/,
  ],
  [
    'a cosigner from the home of a sentry-link',
    ['cosigner', 'start', '--home', 'CLUSTER/sentry-link-1'],
    /^NO_HOME: .*sentry-link-1 is the home of a sentry-link, not of a cosigner\. Fix: .*`hekate sentry-link start --home /,
  ],
  [
    'a sentry-link from the home of a cosigner',
    ['sentry-link', 'start', '--home', 'CLUSTER/cosigner-1', '--no-watcher'],
    /^NO_HOME: .*cosigner-1 is the home of a cosigner, not of a sentry-link\. Fix: .*`hekate cosigner start --home /,
  ],
  [
    'a cosigner from the folder of a cluster',
    ['cosigner', 'start', '--home', 'CLUSTER'],
    /^NO_HOME: .* is no home but holds some: cosigner-1, cosigner-2, cosigner-3\. Fix: give one of them, as in .*cosigner-1/,
  ],
  [
    'the state of a sentry-link',
    ['state', 'show', 'CLUSTER/sentry-link-1'],
    /^NO_HOME: .* is the home of a sentry-link/,
  ],
  [
    'the state of a whole cluster made anew',
    ['state', 'init', 'CLUSTER', '--chain-id', 'test-1', '--height', '9'],
    /^NO_HOME: .* holds some: cosigner-1/,
  ],
  [
    'a state that is there',
    ['state', 'init', 'CLUSTER/cosigner-1', '--chain-id', 'test-1', '--height', '9'],
    /^STATE_EXISTS/,
  ],
  [
    'a lower state',
    ['state', 'init', 'CLUSTER/cosigner-1', '--chain-id', 'test-1', '--height', '9', '--replace'],
    /^REPLACE_REFUSED/,
  ],
])('exit code 1: %s', async (_name, args, expected) => {
  const { code, out, err } = await hekate(...args.map(place));
  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(err).toMatch(expected);
  expect(err).not.toContain(SECRET.slice(0, 16));
});

test('errors as JSON where --json is given', async () => {
  const { code, err } = await hekate('keys', 'show', 'nowhere', '--json');
  expect(code).toBe(1);
  expect(JSON.parse(err)).toMatchObject({ error: { code: 'NO_HOME', fix: expect.any(String) as string } });
  const home = inDir('broken-json');
  const file = join(home, 'cosigner.toml');
  mkdirSync(home);
  writeFileSync(file, 'version = 2\nid = "x"\n');
  const config = await hekate('state', 'show', home, '--json');
  expect(JSON.parse(config.err)).toMatchObject({ error: { code: 'CONFIG_INVALID', details: { file, problems: 5 } } });
});

test('a broken configuration: every problem with its place, exit code 2', async () => {
  const home = inDir('broken');
  mkdirSync(home);
  writeFileSync(join(home, 'cosigner.toml'), 'version = 1\nid = 0\nports = 7\n');
  const { code, err } = await hekate('state', 'show', home);
  expect(code).toBe(2);
  expect(err).toContain(`${home}/cosigner.toml:2:6: "id" must be between 1 and 32\n`);
  expect(err).toContain(`${home}/cosigner.toml:3:1: unknown key "ports"`);
});

test('keys show: all forms, from a cluster, a home or a group file', async () => {
  const group = join(cluster, 'cosigner-2', 'chains', 'test-1', 'group.json');
  const shown = await Promise.all(
    [cluster, join(cluster, 'sentry-link-1'), group].map((path) =>
      hekate('keys', 'show', path, '--prefix', 'kira', '--json'),
    ),
  );
  for (const { code, out } of shown) {
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual([
      {
        chainId: 'test-1',
        threshold: 2,
        count: 3,
        cometbft: keys.privValidatorKey.pub_key,
        sdk: { '@type': '/cosmos.crypto.ed25519.PubKey', key: keys.privValidatorKey.pub_key.value },
        hex: HEX_KEY,
        address: keys.privValidatorKey.address,
        valcons: expect.stringMatching(/^kiravalcons1[a-z0-9]{38}$/) as string,
        valconspub: expect.stringMatching(/^kiravalconspub1zcjduepq[a-z0-9]{58}$/) as string,
      },
    ]);
  }
  expect((await hekate('keys', 'show', cluster)).out).toContain(`address     ${keys.privValidatorKey.address}`);
});

test('keys verify: good, and each thing that can be wrong', async () => {
  const good = await hekate('keys', 'verify', cluster, '--key', keyFile);
  expect(good).toMatchObject({ code: 0, err: '' });
  expect(good.out).toContain('any 2 of these make the public key');
  expect(good.out).toMatch(/ok {2}.*: the key file holds the key that the shares make/);
  const one = await hekate('keys', 'verify', join(cluster, 'cosigner-1'), '--json');
  expect(JSON.parse(one.out)).toMatchObject([{ ok: true, shares: [1], publicKey: HEX_KEY, threshold: 2 }]);

  const shares = inDir('shares');
  const split = [
    'keys',
    'split',
    '--key',
    keyFile,
    '--threshold',
    '2',
    '--count',
    '3',
    '--chain-id',
    'test-1',
    '--out',
  ];
  expect(await hekate(...split, shares)).toMatchObject({ code: 0, err: '' });
  expect(await hekate('keys', 'verify', shares, '--key', keyFile)).toMatchObject({ code: 0 });
  expect(await hekate(...split, shares)).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^DIR_NOT_EMPTY/) as string,
  });
  // The same key, but another dealing.
  const mixed = await hekate('keys', 'verify', cluster, shares);
  expect([mixed.code, mixed.out.match(/BAD .*group\.json differs/g)?.length]).toEqual([1, 3]);
  expect(mixed.err).toMatch(/^KEYS_DISAGREE: something is wrong with test-1/);

  const file = (id: number): string => join(shares, `cosigner-${id}`, 'chains', 'test-1', 'share.key');
  copyFileSync(file(1), file(2));
  expect((await hekate('keys', 'verify', shares)).out).toMatch(/BAD .*cosigner-2: share 1 is here a second time/);
  copyFileSync(join(cluster, 'cosigner-2', 'chains', 'test-1', 'share.key'), file(2));
  expect((await hekate('keys', 'verify', shares)).out).toMatch(
    /BAD .*cosigner-2: share.key is not a share of this key/,
  );
  chmodSync(file(3), 0o644);
  expect((await hekate('keys', 'verify', shares)).out).toMatch(/BAD .*cosigner-3: SHARE_MODE/);
  const other = inDir('other.json');
  writeFileSync(other, JSON.stringify({ type: 'tendermint/PubKeyEd25519', value: keys.forms[0]?.value }));
  expect(await hekate('keys', 'verify', cluster, '--key', other)).toMatchObject({
    code: 1,
    out: expect.stringMatching(
      /BAD .*: the shares make [0-9a-f]{64}, the key file holds 556a436f[0-9a-f]{56}: another validator's key/,
    ) as string,
  });
});

test('state init, while a process runs with that home, even where its state was moved away', async () => {
  const home = join(cluster, 'cosigner-2');
  const state = join(home, 'state', 'test-1.watermark');
  const unlock = lockHome(home);
  renameSync(state, `${state}.away`);
  try {
    const args = ['state', 'init', home, '--chain-id', 'test-1', '--height', '3'];
    expect(await hekate(...args)).toMatchObject({ code: 1, err: expect.stringMatching(/^HOME_LOCKED/) as string });
    expect(existsSync(state)).toBe(false);
  } finally {
    renameSync(`${state}.away`, state);
    unlock();
  }
});

test('state show and state init', async () => {
  const home = join(cluster, 'cosigner-3');
  const states = async (): Promise<unknown> =>
    JSON.parse((await hekate('state', 'show', home, '--json')).out) as unknown;
  expect(await states()).toMatchObject([
    {
      chainId: 'test-1',
      watermark: { height: '4069466', round: 0, step: 3, place: 'height 4069466, round 0, precommit' },
    },
  ]);
  const raise = ['state', 'init', home, '--chain-id', 'test-1', '--height', '5000000', '--replace'];
  expect(await hekate(...raise)).toMatchObject({
    code: 0,
    err: '',
    out: expect.stringContaining('watermark raised') as string,
  });
  expect(await states()).toMatchObject([{ watermark: { height: '5000000' } }]);
  const lower = [
    'state',
    'init',
    home,
    '--chain-id',
    'test-1',
    '--never-signed',
    '--replace',
    '--i-accept-that-this-can-double-sign',
  ];
  const lowered = await hekate(...lower);
  expect(lowered).toMatchObject({ code: 0, err: expect.stringContaining('can now help to sign twice') as string });
  expect(lowered.out).toContain('test-1.watermark.bak-1');
  rmSync(join(home, 'state', 'test-1.watermark'));
  const missing = await hekate('state', 'show', cluster);
  expect(missing.code).toBe(1);
  expect(missing.out.match(/watermark height 4069466, round 0, precommit/g)).toHaveLength(2);
  expect(missing.out).toContain('test-1: STATE_MISSING');
});

test('a second chain with a new key, as JSON', async () => {
  const args = ['init', cluster, '--chain-id', 'two', '--node', 'tcp://10.0.0.5:1', 'unix:///run/two.sock', '--json'];
  const { code, out } = await hekate(...args);
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    chainId: 'two',
    addedToCluster: true,
    generatedKey: true,
    threshold: 2,
    count: 3,
    links: 3,
  });
  expect(readFileSync(join(cluster, 'sentry-link-3', 'sentry-link.toml'), 'utf8')).toContain(
    'nodes = ["tcp://10.0.0.5:1", "unix:///run/two.sock"]',
  );
});

test('a key file that others can read is pointed out', async () => {
  const open = inDir('open.json');
  copyFileSync(keyFile, open);
  chmodSync(open, 0o644);
  const { code, err } = await hekate('init', inDir('third'), ...INIT, ...COSIGNERS, '--key', open, '--never-signed');
  expect([code, err]).toEqual([
    0,
    expect.stringMatching(
      /^warning: .*open\.json has mode 0644: everybody may use it; chmod 0600 .*open\.json; if others could/,
    ),
  ]);
});

test('status names what does not run', async () => {
  const { code, out } = await hekate('status', cluster);
  expect([code, out.match(/not running/g)?.length]).toEqual([1, 6]);
});

test('status tells a process that hangs from one that does not run', async () => {
  const silent = createServer().listen(join(cluster, 'cosigner-1', 'status.sock'));
  await once(silent, 'listening');
  const { code, out } = await hekate('status', cluster);
  silent.close();
  expect([code, out.match(/not running/g)?.length]).toEqual([1, 5]);
  expect(out).toMatch(/cosigner-1: does not answer\n {2}problem: PROCESS_SILENT: /);
});

/** Placeholders of the tables. */
function place(arg: string): string {
  if (arg === 'KEY') return keyFile;
  if (arg === 'STATE') return stateFile;
  if (arg === 'ZERO') return inDir('zero.json');
  if (arg === 'OLD-KEY') return inDir('old_key.json');
  return arg.replace(/^CLUSTER/, () => cluster);
}
