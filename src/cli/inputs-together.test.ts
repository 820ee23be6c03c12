import { sign } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { hekateText as hekate } from '../../test/support/cli-run.js';
import { writeValidatorKey } from '../../test/support/validator-key.js';
import { toBase64, toHex } from '../shared/bytes.js';
import { privateKeyOf } from '../shared/ed25519/raw-keys.js';
import { groupFile, shareFile } from '../shared/home/paths.js';
import { SignBytes } from '../shared/privval/sign-bytes.js';

// Every two inputs that a command is given, or finds, and that can contradict each other. What `cosigner start` and
// `sentry-link start` find is in test/e2e/bad-start.test.ts, what `hekate dev` finds in src/dev/dev-home.test.ts; between the
// lines of one configuration it is src/shared/config/config.test.ts.

const CHAIN = 'test-1';
const root = mkdtempSync(join(tmpdir(), 'hekate-together-'));
/** As made, once: `ours` and `theirs` are of the same chain, with another key. */
const [ours, theirs, cluster] = [join(root, 'ours'), join(root, 'theirs'), join(root, 'cluster')];
const keys = { ours: keyIn('a'), theirs: keyIn('b') };
const SHAPE = ['--threshold', '2', '--cosigner', '127.0.0.1:7001', '127.0.0.1:7002', '127.0.0.1:7003', '--links', '2'];
const HEIGHT = 500n;

function keyIn(name: string): string {
  mkdirSync(join(root, name));
  return writeValidatorKey(join(root, name)).keyFile;
}

beforeAll(async () => {
  const how = ['--chain-id', CHAIN, '--node', 'a:1', ...SHAPE, '--height', '9'];
  expect(await hekate('init', ours, ...how, '--key', keys.ours)).toMatchObject({ code: 0 });
  expect(await hekate('init', theirs, ...how, '--key', keys.theirs)).toMatchObject({ code: 0 });
});
afterAll(() => rmSync(root, { recursive: true }));
beforeEach(() => {
  rmSync(cluster, { recursive: true, force: true });
  rmSync(join(root, 'new'), { recursive: true, force: true });
  cpSync(ours, cluster, { recursive: true });
});

/** That of cosigner 1, without the number that rises whenever it is opened. */
async function watermark(): Promise<string> {
  const { text } = await hekate('state', 'show', join(cluster, 'cosigner-1'));
  return text.replace(/sequence \d+/, '');
}

/** A priv_validator_state.json of one who signed, as CometBFT writes it. */
function state(change: { chainId?: string; key?: string; place?: object } = {}): string {
  const { priv_key } = JSON.parse(readFileSync(change.key ?? keys.ours, 'utf8')) as { priv_key: { value: string } };
  const seed = new Uint8Array(Buffer.from(priv_key.value, 'base64').subarray(0, 32));
  const says = { chainId: change.chainId ?? CHAIN, height: HEIGHT, round: 0, blockId: undefined, step: 3 } as const;
  const { bytes } = SignBytes.encode({ ...says, timestamp: { seconds: 1n, nanos: 0 } });
  const signature = toBase64(sign(null, bytes, privateKeyOf('ed25519', seed)));
  const place = { height: String(HEIGHT), round: 0, step: 3, ...change.place };
  const file = join(root, 'state.json');
  writeFileSync(file, JSON.stringify({ ...place, signature, signbytes: toHex(bytes).toUpperCase() }));
  return file;
}

const bring = (from: string, home: string, path: string, to = home): void =>
  cpSync(join(from, home, path), join(cluster, to, path), { recursive: true });
const group = (home: string): string => groupFile(home, CHAIN);
const share = (home: string): string => shareFile(home, CHAIN);
const edit = (path: string, from: string | RegExp, to: string): void => {
  const before = readFileSync(path, 'utf8');
  expect(before.replace(from, to)).not.toBe(before);
  writeFileSync(path, before.replace(from, to));
};

const initWith = (key: string, ...more: readonly string[]): string[] => [
  ...['init', join(root, 'new'), '--chain-id', CHAIN, '--node', 'a:1', ...SHAPE, '--key', key],
  ...more,
];
const init = (...more: readonly string[]): string[] => initWith(keys.ours, ...more);
const addChain = (...more: readonly string[]): string[] => [
  ...['init', cluster, '--chain-id', 'two-2', '--node', 'b:1'],
  ...more,
];
const stateInit = (...more: readonly string[]): string[] => [
  ...['state', 'init', join(cluster, 'cosigner-1'), '--chain-id', CHAIN, '--replace'],
  ...more,
];
const split = (key: string): string[] => [
  ...['keys', 'split', '--key', key, '--threshold', '2', '--count', '3'],
  ...['--chain-id', CHAIN, '--out', join(root, 'new')],
];
const verify = (...more: readonly string[]): string[] => ['keys', 'verify', cluster, ...more];
/** A key file in which one part is that of the other key. */
function mixedKey(part: 'address' | 'pub_key' | 'priv_key'): string {
  const [own, other] = [keys.ours, keys.theirs].map((file) => JSON.parse(readFileSync(file, 'utf8')) as object);
  const file = join(root, 'mixed.json');
  writeFileSync(file, JSON.stringify({ ...own, [part]: (other as Record<string, unknown>)[part] }), { mode: 0o600 });
  return file;
}

type Case = readonly [args: () => readonly string[], code: number, told: RegExp, damage?: () => void];
type Row = readonly [pair: string, ...Case];
const named = (rows: readonly Row[]): [string, Case][] => rows.map(([pair, ...row]) => [pair, row]);

const AGREE: readonly Row[] = [
  ['init: key and its state', () => init('--state', state()), 0, /up to height 500, round 0, precommit/],
  ['state init: group and its state', () => stateInit('--state', state()), 0, /up to height 500, round 0, precommit/],
  ['init: a cluster and another chain', () => addChain(), 0, /Added chain two-2/],
  ['keys split: the parts of a key', () => split(keys.ours), 0, /Dealt 3 shares/],
  [
    'keys verify: shares and their key',
    () => verify('--key', keys.ours),
    0,
    /the key file holds the key that the shares make/,
  ],
];

const INVALID_STATE = /^STATE_IMPORT_INVALID: /;
const CONTRADICT: readonly Row[] = [
  ['init: key, state of another', () => init('--state', state({ key: keys.theirs })), 1, /not of this key/],
  ['init: chain id, state of another', () => init('--state', state({ chainId: 'x-1' })), 1, /are for chain "x-1"/],
  ['init: place and bytes of a state', () => init('--state', state({ place: { height: '501' } })), 1, INVALID_STATE],
  ['init: state, --never-signed', () => init('--state', state(), '--never-signed'), 2, /^WATERMARK_START_CONTRADICTED/],
  ['init: parts of a key', () => initWith(mixedKey('pub_key'), '--height', '9'), 1, /^KEY_INVALID/],
  ['state init: key, state of another', () => stateInit('--state', state({ key: keys.theirs })), 1, /not of this key/],
  [
    'state init: chain id, state of another',
    () => stateInit('--state', state({ chainId: 'x-1' })),
    1,
    /are for chain "x-1"/,
  ],
  [
    'state init: place and bytes of a state',
    () => stateInit('--state', state({ place: { step: 2 } })),
    1,
    INVALID_STATE,
  ],
  [
    'state init: configuration, chain id',
    () => ['state', 'init', join(cluster, 'cosigner-1'), '--chain-id', 'x-1', '--height', '9'],
    2,
    /^USAGE: .* has no chain "x-1"/,
  ],
  ['state init: watermark, a lower one', () => stateInit('--height', '5'), 1, /^REPLACE_REFUSED/],
  [
    'state init: group, state that is there',
    () => stateInit('--height', '600'),
    1,
    /^REPLACE_REFUSED: .*STATE_FOREIGN/,
    () => bring(theirs, 'cosigner-1', `chains/${CHAIN}/group.json`),
  ],
  [
    'state init: folder, chain of its group',
    () => stateInit('--height', '600'),
    1,
    /^GROUP_INVALID: .*it is for chain x-1/,
    () => edit(group(join(cluster, 'cosigner-1')), CHAIN, 'x-1'),
  ],
  [
    'state show: group, state',
    () => ['state', 'show', cluster],
    1,
    /STATE_FOREIGN: .* belongs to chain "test-1" and key/,
    () => bring(theirs, 'cosigner-2', `state/${CHAIN}.watermark`),
  ],
  ['init a chain: threshold, cluster', () => addChain('--threshold', '3'), 1, /^CLUSTER_MISMATCH: a threshold of 3/],
  [
    'init a chain: identities of two homes',
    () => addChain(),
    1,
    /^CLUSTER_MISMATCH: .*cosigner-1 shows the certificate of cosigner-2/,
    () => cpSync(join(cluster, 'cosigner-2/tls/identity.crt'), join(cluster, 'cosigner-1/tls/identity.crt')),
  ],
  [
    'init a chain: identities of two clusters',
    () => addChain(),
    1,
    /^CLUSTER_MISMATCH: .*another certificate of sentry-link-2 is pinned/,
    () => bring(theirs, 'sentry-link-2', 'tls/identity.crt'),
  ],
  [
    'init a chain: a link, its copy',
    () => addChain(),
    1,
    /^CLUSTER_MISMATCH: .*sentry-link-1 is in .*sentry-link-1, too/,
    () => {
      rmSync(join(cluster, 'sentry-link-2'), { recursive: true });
      cpSync(join(cluster, 'sentry-link-1'), join(cluster, 'sentry-link-2'), { recursive: true });
    },
  ],
  [
    'init a chain: groups of two dealings',
    () => addChain(),
    1,
    /^CLUSTER_MISMATCH: .*cosigner-3.*is of another dealing than .*cosigner-1/,
    () => bring(theirs, 'cosigner-3', `chains/${CHAIN}/group.json`),
  ],
  [
    'init a chain: group of a link',
    () => addChain(),
    1,
    /^CLUSTER_MISMATCH: .*sentry-link-1.*is of another dealing than .*cosigner-1/,
    () => bring(theirs, 'sentry-link-1', `chains/${CHAIN}/group.json`),
  ],
  [
    'init a chain: folder, id of its cosigner',
    () => addChain(),
    1,
    /^CLUSTER_MISMATCH: .*the folder cosigner-2 is that of cosigner 3/,
    () => cpSync(join(cluster, 'cosigner-3/cosigner.toml'), join(cluster, 'cosigner-2/cosigner.toml')),
  ],
  ...(['address', 'pub_key', 'priv_key'] as const).map((part): Row => [
    `keys split: key, its ${part}`,
    () => split(mixedKey(part)),
    1,
    /^KEY_INVALID: .*of two files were mixed/,
  ]),
  [
    'keys verify: shares, key of another',
    () => verify('--key', keys.theirs),
    1,
    /the shares make [0-9a-f]{64}, the key file holds [0-9a-f]{64}: another validator's key/,
  ],
  [
    'keys verify: groups of two keys',
    () => verify(),
    1,
    /BAD .*cosigner-2: group.json differs from that in .*cosigner-1/,
    () => bring(theirs, 'cosigner-2', `chains/${CHAIN}/group.json`),
  ],
  [
    'keys verify: the first group is that of another key, which most have not',
    () => verify(),
    1,
    /^ {2}BAD .*cosigner-1: group.json differs from that in .*cosigner-2\n {2}ok {2}.*cosigner-2: share 2/m,
    () => bring(theirs, 'cosigner-1', `chains/${CHAIN}/group.json`),
  ],
  [
    'keys verify: group, share of another key',
    () => verify(),
    1,
    /BAD .*cosigner-2: share.key is not a share of this key/,
    () => bring(theirs, 'cosigner-2', `chains/${CHAIN}/share.key`),
  ],
  [
    'keys verify: share, share of another home',
    () => verify(),
    1,
    /BAD .*cosigner-2: share 1 is here a second time[^]*BAD .*: share 1 is here, but this is the home of cosigner 2/,
    () => cpSync(share(join(cluster, 'cosigner-1')), share(join(cluster, 'cosigner-2'))),
  ],
  [
    'keys show: groups of two keys',
    () => ['keys', 'show', cluster],
    1,
    /^KEYS_DISAGREE: .*cosigner-1.* and .*sentry-link-2.* have different keys for chain test-1/,
    () => bring(theirs, 'sentry-link-2', `chains/${CHAIN}/group.json`),
  ],
  [
    'keys show: folder, chain of its group',
    () => ['keys', 'show', cluster],
    1,
    /^GROUP_INVALID: .*it is for chain x-1/,
    () => edit(group(join(cluster, 'cosigner-2')), CHAIN, 'x-1'),
  ],
];

test.each(named(AGREE))('what belongs together is taken: %s', async (_pair, [args, code, told, damage]) => {
  damage?.();
  const run = await hekate(...args());
  expect(run.text).toMatch(told);
  expect(run.code).toBe(code);
});

test.each(named(CONTRADICT))('what does not is refused, and changes nothing: %s', async (_pair, row) => {
  const [args, code, told, damage] = row;
  damage?.();
  const before = await watermark();
  const run = await hekate(...args());
  expect(run.text).toMatch(told);
  expect(run.code).toBe(code);
  expect(await watermark()).toBe(before);
  expect(existsSync(join(root, 'new'))).toBe(false);
  expect(existsSync(join(cluster, 'cosigner-1/chains/two-2'))).toBe(false);
});
