import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hekate, type CliRun } from '../../test/support/cli-run.js';
import { dealAsHorcrux, horcruxYaml, shardJson, type HorcruxDealing } from '../../test/support/horcrux.js';
import { addressOf } from '../shared/keys/formats.js';
import { seededRandom } from '../shared/frost/testdata/fixture.js';
import keys from '../shared/keys/testdata/keys.json' with { type: 'json' };
import { nodeDisk } from '../shared/ports/node-disk.js';
import { readState } from '../shared/watermark/state-mark.js';
import { describePlace } from '../shared/watermark/watermark.js';

const dealing = deal('ours');
const ADDRESS = Buffer.from(addressOf(dealing.publicKey)).toString('hex').toUpperCase();
const COSIGNERS = ['--cosigner', '127.0.0.1:7001', '127.0.0.1:7002', '127.0.0.1:7003'];
const IDS = [1, 2, 3];
let dir: string;
const inDir = (...parts: readonly string[]): string => join(dir, ...parts);
const homeOf = (id: number): string => inDir(`host-${id}`);

/** Place of each host, by id; hosts differ, as those do that were not asked. */
const PLACES: Readonly<Record<number, object>> = {
  1: { height: '50', round: '0', step: 3 },
  2: { height: '52', round: '0', step: 1 },
  3: { height: '51', round: '1', step: 2 },
};

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hekate-horcrux-'));
  for (const id of IDS) {
    write(`host-${id}/config.yaml`, horcruxYaml(2, 3, ['tcp://10.0.0.5:26659']));
    write(`host-${id}/one_shard.json`, shardJson(dealing, id));
    for (const kind of ['priv_validator', 'share_sign'])
      write(`host-${id}/state/one_${kind}_state.json`, JSON.stringify(PLACES[id]));
  }
});
afterEach(() => rmSync(dir, { recursive: true }));

function deal(seed: string): HorcruxDealing {
  const random = seededRandom(seed);
  return dealAsHorcrux(2, 3, () => random(32));
}

function write(name: string, contents: string): void {
  mkdirSync(join(inDir(name), '..'), { recursive: true });
  writeFileSync(inDir(name), contents, { mode: 0o600 });
}

const horcrux = (...args: readonly string[]): Promise<CliRun> => hekate('migrate', 'horcrux', '--watch', '1', ...args);
const ofHost = (id: number, ...args: readonly string[]): Promise<CliRun> => horcrux('--home', homeOf(id), ...args);
const together = (...args: readonly string[]): Promise<CliRun> => horcrux('--home', ...IDS.map(homeOf), ...args);
/** Where the watermarks below a folder start. */
async function placesIn(folder: string): Promise<readonly string[]> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.watermark'),
  );
  const binding = { chainId: 'one', groupPublicKey: dealing.publicKey };
  const states = await Promise.all(files.map((name) => readState(nodeDisk, join(folder, name), binding)));
  return states.map(({ watermark }) => describePlace(watermark));
}

async function carryPoints(...ids: readonly number[]): Promise<void> {
  for (const run of await Promise.all(ids.map((id) => ofHost(id, '--points-out', inDir('points')))))
    expect([run.code, run.err]).toEqual([0, '']);
}

test('each shard stays on its host: points are carried, and each host writes its own', async () => {
  await carryPoints(1, 2, 3);
  expect(readdirSync(inDir('points')).sort()).toEqual(IDS.map((id) => `one_shard_${id}.point.json`));
  for (const name of readdirSync(inDir('points')))
    for (const share of dealing.shares)
      expect(readFileSync(inDir('points', name), 'utf8')).not.toContain(Buffer.from(share).toString('base64'));
  for (const id of IDS) {
    const to = inDir(`parts-${id}`);
    const run = await ofHost(id, '--points', inDir('points'), '--apply', '--shard', '--out', to);
    expect([run.code, run.err]).toEqual([0, '']);
    expect(run.out).toContain(`Written: one of cosigner-${id} in ${to}.`);
    expect(run.out).toContain('the highest place is height 52, round 0, proposal, on the host of shard 2');
    expect(readdirSync(to)).toEqual([`cosigner-${id}`]);
    expect(readdirSync(join(to, `cosigner-${id}`)).sort()).toEqual(['chains', 'state']);
    expect(readFileSync(join(to, `cosigner-${id}`, 'chains/one/share.key'), 'utf8')).toBe(
      `version 1\n${Buffer.from(dealing.shares[id - 1]!).toString('hex')}\n`,
    );
    cpSync(to, inDir('all'), { recursive: true });
  }
  const groups = IDS.map((id) => readFileSync(inDir('all', `cosigner-${id}`, 'chains/one/group.json'), 'utf8'));
  expect(new Set(groups).size).toBe(1);
  expect(JSON.parse(groups[0]!)).toMatchObject({
    ...{ threshold: 2, count: 3, groupPublicKey: Buffer.from(dealing.publicKey).toString('base64') },
  });
  const verified = await hekate('keys', 'verify', inDir('all'));
  expect(verified.out).toContain('share 3 of 3 is good');
  expect(await placesIn(inDir('all'))).toEqual(Array(3).fill('all of height 52'));
});

test('the points of t hosts are enough for a host whose own is among them', async () => {
  await carryPoints(1, 3);
  const run = await ofHost(3, '--points', inDir('points'), '--apply', '--shard', '--out', inDir('parts'));
  expect([run.code, run.err]).toEqual([0, '']);
  expect(await placesIn(inDir('parts'))).toEqual(['all of height 51']);
});

test('all homes together: the folders of a whole cluster, of the same shares', async () => {
  const run = await together('--apply', '--out', inDir('made'), ...COSIGNERS);
  expect([run.code, run.err]).toEqual([0, '']);
  expect(run.out).toContain(`one: validator ${ADDRESS}`);
  expect(run.out).toContain('the watermark of every cosigner refuses all of height 52 and everything below');
  expect(run.out).toContain('every copy of the shards, on every host');
  for (const id of IDS)
    expect(readFileSync(inDir(`made/cosigner-${id}/chains/one/share.key`), 'utf8')).toContain(
      Buffer.from(dealing.shares[id - 1]!).toString('hex'),
    );
  expect((await hekate('keys', 'verify', inDir('made'))).code).toBe(0);
  expect(await placesIn(inDir('made'))).toEqual(Array(3).fill('all of height 52'));
  expect(readFileSync(inDir('made/sentry-link-1/sentry-link.toml'), 'utf8')).toContain('tcp://10.0.0.5:26659');

  const again = await together('--apply', '--out', inDir('made'), ...COSIGNERS);
  expect([again.code, again.err]).toEqual([
    0,
    'warning: nothing was written: one was there already, with the same key\n',
  ]);
});

test.each<[string, readonly string[], number, string]>([
  ['of the same numbers', ['--threshold', '2', ...COSIGNERS], 0, ''],
  [
    'of another threshold',
    ['--threshold', '3', ...COSIGNERS],
    1,
    'CLUSTER_MISMATCH: the key of one has 3 shares of which 2',
  ],
  ['of more cosigners', ['--threshold', '3', ...COSIGNERS, '127.0.0.1:7004'], 1, 'CLUSTER_MISMATCH: '],
])('into a cluster %s', async (_name, shape, code, problem) => {
  const made = await hekate('init', inDir('made'), '--chain-id', 'two', '--node', 'tcp://10.0.0.6:1', ...shape);
  expect(made.code).toBe(0);
  const run = await together('--apply', '--into', inDir('made'));
  expect([run.code, run.err.slice(0, problem.length)]).toEqual([code, problem]);
  expect((await hekate('keys', 'verify', inDir('made'))).code).toBe(0);
});

test('a plan writes nothing', async () => {
  const before = readdirSync(dir, { recursive: true }).sort();
  const run = await together();
  expect([run.code, run.err]).toEqual([0, '']);
  expect(run.out).toContain(
    '2 of 3 shards sign; the points of shards 1, 2, 3 make the key, which was not put together',
  );
  expect((await ofHost(1, '--points', homeOf(1), '--shard')).code).toBe(1);
  expect(readdirSync(dir, { recursive: true }).sort()).toEqual(before);
});

test('files of shards alone, with their threshold and a height', async () => {
  const shards = IDS.map((id) => join(homeOf(id), 'one_shard.json'));
  const asked = ['--threshold', '2', '--height', '99', '--i-stopped-it', '--node', 'tcp://10.0.0.5:1'];
  const run = await horcrux('--shards', ...shards, ...asked, '--apply', '--out', inDir('made'), ...COSIGNERS);
  expect([run.code, run.err]).toEqual([0, '']);
  expect(await placesIn(inDir('made'))).toEqual(Array(3).fill('all of height 99'));
  expect((await horcrux('--shards', ...shards)).err).toContain('files of shards do not say how many of them sign');
});

test('single mode has a whole key, which is dealt', async () => {
  write('single/config.yaml', 'signMode: single\nchainNodes:\n  - privValAddr: tcp://10.0.0.5:26659\n');
  write('single/one_priv_validator_key.json', JSON.stringify(keys.privValidatorKey));
  write('single/state/one_priv_validator_state.json', JSON.stringify({ height: '50', round: 0, step: 3 }));
  const run = await horcrux(
    '--home',
    inDir('single'),
    '--apply',
    '--out',
    inDir('made'),
    '--threshold',
    '2',
    ...COSIGNERS,
  );
  expect([run.code, run.err]).toEqual([0, '']);
  expect(run.out).toContain('Found: Horcrux in single mode');
  expect((await hekate('keys', 'verify', inDir('made'))).code).toBe(0);
});

test('JSON', async () => {
  await carryPoints(1, 2, 3);
  const run = await ofHost(1, '--points', inDir('points'), '--json', '--apply', '--shard', '--out', inDir('parts'));
  expect(JSON.parse(run.out)).toMatchObject({
    source: 'Horcrux',
    chains: [{ chainId: 'one', validator: ADDRESS, start: { height: '52' } }],
    target: { kind: 'shard', dir: inDir('parts') },
    ...{ written: ['one'], canGoOn: true },
  });
});

test.each<[string, () => Promise<CliRun> | void, (() => Promise<CliRun>) | undefined, string]>([
  [
    'a shard of another key',
    () => write('host-2/one_shard.json', shardJson(deal('other'), 2)),
    undefined,
    'SHARDS_DISAGREE: shard 1 is of the validator',
  ],
  [
    'a shard twice',
    () => write('host-2/one_shard.json', shardJson(dealing, 1)),
    undefined,
    'SHARDS_DISAGREE: shard 1 was given twice',
  ],
  [
    'a shard of another dealing under this key',
    () => write('host-2/one_shard.json', shardJson({ ...deal('other'), publicKey: dealing.publicKey }, 2)),
    undefined,
    'SHARDS_DISAGREE: shard 2 is of another dealing than the others',
  ],
  [
    'configurations that differ',
    () => write('host-2/config.yaml', horcruxYaml(3, 3, [])),
    undefined,
    'SHARDS_DISAGREE: the configuration beside shard 1',
  ],
  [
    'a threshold that is not that of the dealing',
    () => IDS.forEach((id) => write(`host-${id}/config.yaml`, horcruxYaml(3, 3, []))),
    undefined,
    'give the threshold 2',
  ],
  [
    'a shard that is cut short',
    () => write('host-3/one_shard.json', shardJson(dealing, 3).slice(0, 80)),
    undefined,
    'SHARD_INVALID: ',
  ],
  [
    'a configuration with an unknown key',
    () => write('host-1/config.yaml', 'oops: 1\n'),
    undefined,
    'OLD_CONFIG_INVALID: ',
  ],
  [
    'a state that is cut short',
    () => write('host-1/state/one_share_sign_state.json', '{"hei'),
    undefined,
    'STATE_IMPORT_INVALID: ',
  ],
  [
    'two of three homes',
    () => undefined,
    () => horcrux('--home', homeOf(1), homeOf(2), '--apply', '--out', inDir('made'), ...COSIGNERS),
    'SHARDS_TOO_FEW: shares 3 of one are not here',
  ],
  [
    'one of three, and no points',
    () => undefined,
    () => ofHost(1, '--apply', '--shard', '--out', inDir('made')),
    'SHARDS_TOO_FEW: 1 of the 2 shards',
  ],
  [
    'another threshold for the cluster',
    () => undefined,
    () => together('--threshold', '3', '--apply', '--out', inDir('made'), ...COSIGNERS),
    'give the threshold 2',
  ],
  [
    'places that too few hosts know',
    () => [1, 2].forEach((id) => rmSync(join(homeOf(id), 'state'), { recursive: true })),
    undefined,
    'OLD_SIGNER_UNPROVEN: ',
  ],
])('%s: refused by name, nothing is written', async (_name, spoil, run, problem) => {
  await spoil();
  const { code, err } = await (run?.() ?? together('--apply', '--out', inDir('made'), ...COSIGNERS));
  expect(code).toBe(1);
  expect(err).toContain(problem);
  expect(err).toContain('. Fix: ');
  expect(existsSync(inDir('made'))).toBe(false);
});

test('a point that was changed on the way', async () => {
  await carryPoints(1, 2, 3);
  const name = 'points/one_shard_2.point.json';
  write(name, readFileSync(inDir(name), 'utf8').replace('"height": "52"', '"height": "50"'));
  const { code, err } = await ofHost(1, '--points', inDir('points'), '--apply', '--shard', '--out', inDir('made'));
  expect([code, existsSync(inDir('made'))]).toEqual([1, false]);
  expect(err).toMatch(/^SHARD_POINT_INVALID: .*its checksum does not fit/);
});

test('no points of a Horcrux that goes on signing', async () => {
  let height = 60;
  const signs = setInterval(
    () =>
      write(
        'host-1/state/one_share_sign_state.json',
        JSON.stringify({ height: String(++height), round: '0', step: 3 }),
      ),
    100,
  );
  const run = await ofHost(1, '--points-out', inDir('points')).finally(() => clearInterval(signs));
  expect(run.code).toBe(1);
  expect(run.err).toContain('OLD_SIGNER_RUNS');
  expect(existsSync(inDir('points'))).toBe(false);
});

test.each<[string, () => Promise<CliRun>, string]>([
  ['nothing', () => horcrux(), 'it is not said where the shards are'],
  ['homes and shards', () => ofHost(1, '--shards', 'x'), 'it is not said where the shards are'],
  ['points of several homes', () => together('--points-out', 'x'), 'for the home of this host alone'],
  ['a shard without a place', () => ofHost(1, '--shard', '--apply'), 'it is not said where to write'],
  ['a shard into a cluster', () => ofHost(1, '--shard', '--into', 'x'), 'leave out --into'],
  ['points that are not there', () => ofHost(1, '--points', inDir('nowhere')), 'cannot be read'],
  ['a chain that is not there', () => ofHost(1, '--chain-id', 'two'), 'no shard of chain "two"'],
  [
    'a shard under another name',
    () => horcrux('--shards', join(homeOf(1), 'config.yaml'), '--threshold', '2'),
    'does not say for which chain',
  ],
])('the command line names %s', async (_name, run, problem) => {
  const { code, err } = await run();
  expect([code, err.split(':')[0]]).toEqual([2, 'USAGE']);
  expect(err).toContain(problem);
});

test('what is there already is left as it is', async () => {
  await carryPoints(1, 2, 3);
  const args = ['--points', inDir('points'), '--apply', '--shard', '--out', inDir('parts')];
  expect((await ofHost(1, ...args)).code).toBe(0);
  const again = await ofHost(1, ...args);
  expect([again.code, again.err.split(':')[0]]).toEqual([1, 'DIR_NOT_EMPTY']);
});
