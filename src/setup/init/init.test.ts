import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadCosignerConfig } from '../../shared/config/cosigner-config.js';
import { loadSentryLinkConfig } from '../../shared/config/sentry-link-config.js';
import type { HostPort } from '../../shared/config/host-port.js';
import { loadGroup } from '../../shared/frost/load-group.js';
import { generateConsensusKey } from '../keys/priv-validator-key.js';
import { verifyChain } from '../keys/verify-folders.js';
import type { Disk } from '../../shared/ports/disk.js';
import { nodeDisk } from '../../shared/ports/node-disk.js';
import { systemRandom } from '../../shared/ports/random.js';
import { loadIdentity, pinOf } from '../../shared/transport/identity.js';
import { inspectState } from '../state-report.js';
import { floorAtHeight, neverSigned } from '../../shared/watermark/watermark.js';
import { findChainFiles } from '../find-homes.js';
import { loadGroupFile } from '../../shared/home/group-file.js';
import { loadNodeIdentitySeed } from '../../shared/home/node-identity.js';
import { groupFile, watermarkFile } from '../../shared/home/paths.js';
import { loadShare } from '../../shared/home/share-file.js';
import { initCluster } from './init.js';
import type { InitRequest } from './request.js';

const group = await loadGroup();
const deps = { disk: nodeDisk, random: systemRandom };
const at = (port: number, host = '127.0.0.1'): HostPort => ({ host, port });
let parent: string;
let dir: string;

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'hekate-init-'));
  dir = join(parent, 'cluster');
});

afterEach(() => rmSync(parent, { recursive: true }));

const request = (change: Partial<InitRequest> = {}): InitRequest => ({
  dir,
  chainId: 'test-1',
  nodes: ['tcp://127.0.0.1:26659'],
  key: undefined,
  start: undefined,
  threshold: 2,
  cosigners: [at(7001), at(7002), at(7003, 'signer-3.local')],
  links: 2,
  ...change,
});
/** Another chain for the cluster that is there. */
const another = (change: Partial<InitRequest> = {}): InitRequest =>
  request({
    chainId: 'two',
    nodes: ['unix:///run/two.sock'],
    threshold: undefined,
    cosigners: undefined,
    links: undefined,
    ...change,
  });

/** Every file and folder with its mode and contents. */
function snapshot(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).map((entry) =>
    join(entry.parentPath, entry.name),
  );
  return Object.fromEntries(
    entries.sort().map((path) => {
      const stats = statSync(path);
      const mode = (stats.mode & 0o777).toString(8);
      return [relative(folder, path), stats.isFile() ? `${mode} ${readFileSync(path, 'hex')}` : mode];
    }),
  );
}

test('what init makes loads, fits together and keeps its secrets to the owner', async () => {
  const { info, folders } = await initCluster(request(), deps);
  expect(folders).toEqual(['cosigner-1', 'cosigner-2', 'cosigner-3', 'sentry-link-1', 'sentry-link-2']);
  const link = await loadSentryLinkConfig(join(dir, 'sentry-link-2'));
  expect(link.name).toBe('sentry-link-2');
  expect(link.chains).toMatchObject([{ id: 'test-1', nodes: ['tcp://127.0.0.1:26659'], nodeMode: 'active' }]);
  expect(await loadNodeIdentitySeed(link.home)).toHaveLength(32);
  expect(link.cosigners.map(({ address }) => address)).toEqual(request().cosigners);
  for (const id of [1, 2, 3]) {
    const config = await loadCosignerConfig(join(dir, `cosigner-${id}`));
    expect(config.id).toBe(id);
    expect(config.listen).toEqual(id === 3 ? at(7003, '::') : at(7000 + id));
    const identity = await loadIdentity(config.tls.certificate, config.tls.key);
    expect(pinOf(identity.certPem)).toBe(link.cosigners[id - 1]?.pin);
    expect(config.links.map(({ name }) => name)).toEqual(['sentry-link-1', 'sentry-link-2']);
    expect(config.cosigners.map((one) => one.id)).toEqual([1, 2, 3].filter((one) => one !== id));
    for (const { name, pin } of [
      ...config.links,
      ...config.cosigners.map((one) => ({ ...one, name: `cosigner-${one.id}` })),
    ])
      expect(pinOf(readFileSync(join(config.tls.peers, `${name}.crt`), 'utf8'))).toBe(pin);
    const found = await loadGroupFile(groupFile(config.home, 'test-1'), 'test-1');
    expect(found).toEqual(info);
    expect(await loadShare(config.home, id, found, group)).toHaveLength(32);
    const state = await inspectState(nodeDisk, watermarkFile(config.home, 'test-1'), info);
    expect(state.watermark).toMatchObject({ height: '0', round: 0, step: 0 });
  }
  const secret = /(\.key|\.watermark|\.mark)$/;
  for (const [path, entry] of Object.entries(snapshot(parent)))
    expect(`${path} ${entry.split(' ')[0]}`).toBe(
      `${path} ${statSync(join(parent, path)).isDirectory() ? '700' : secret.test(path) ? '600' : '644'}`,
    );
  expect(readdirSync(parent)).toEqual(['cluster']);
});

test('a given key is dealt, with its watermark, and stays the caller’s', async () => {
  const key = generateConsensusKey(group, systemRandom);
  const { info } = await initCluster(request({ key, start: floorAtHeight(500n) }), deps);
  expect(info.groupPublicKey).toEqual(key.publicKey);
  expect(key.seed.some((byte) => byte !== 0)).toBe(true);
  const state = await inspectState(nodeDisk, watermarkFile(join(dir, 'cosigner-3'), 'test-1'), info);
  expect(state.watermark.height).toBe('500');
});

test.each<[string, number, number]>([
  ['2 of 2', 2, 2],
  ['17 of 32', 17, 32],
])(
  '%s is possible',
  async (_name, threshold, count) => {
    const cosigners = Array.from({ length: count }, (_, i) => at(7001 + i));
    await initCluster(request({ threshold, cosigners, links: 1 }), deps);
    const verdict = await verifyChain('test-1', await findChainFiles(dir), group, undefined);
    expect(verdict).toMatchObject({ ok: true, makesKey: true, threshold, count });
    expect(verdict.shares).toHaveLength(count);
  },
  180_000,
);

const key = generateConsensusKey(group, systemRandom);
const many = (count: number): HostPort[] => Array.from({ length: count }, (_, i) => at(7001 + i));

test.each<[string, Partial<InitRequest>, string]>([
  ['half is enough', { threshold: 2, cosigners: many(4) }, 'THRESHOLD_UNSAFE'],
  ['less than half', { threshold: 1 }, 'THRESHOLD_UNSAFE'],
  ['more than all', { threshold: 4 }, 'THRESHOLD_UNSAFE'],
  ['threshold 0', { threshold: 0 }, 'THRESHOLD_UNSAFE'],
  ['33 cosigners', { threshold: 17, cosigners: many(33) }, 'THRESHOLD_UNSAFE'],
  ['one cosigner', { threshold: 1, cosigners: many(1) }, 'THRESHOLD_UNSAFE'],
  ['no threshold', { threshold: undefined }, 'USAGE'],
  ['no cosigner', { cosigners: undefined }, 'USAGE'],
  ['a cosigner twice', { cosigners: [at(7001), at(7002), at(7001)] }, 'USAGE'],
  ['a cosigner without a port', { cosigners: [at(7001), at(7002), at(0)] }, 'USAGE'],
  ['a cosigner at an address to listen on', { cosigners: [at(7001), at(7002), at(7003, '0.0.0.0')] }, 'USAGE'],
  ['two addresses to listen on for three cosigners', { listen: [at(1), at(2)] }, 'USAGE'],
  ['a port to listen on that nobody knows', { listen: [at(1), at(2), at(0)] }, 'USAGE'],
  ['no links', { links: 0 }, 'USAGE'],
  ['33 links', { links: 33 }, 'USAGE'],
  ['no node', { nodes: [] }, 'USAGE'],
  ['a node twice', { nodes: ['tcp://a:1', 'tcp://a:1'] }, 'USAGE'],
  ['a node twice, written in two ways', { nodes: ['tcp://a:1', `tcp://${'a'.repeat(40)}@a:1`] }, 'USAGE'],
  ['a node twice, in two ways of writing a name', { nodes: ['tcp://a.example:1', 'A.EXAMPLE.:01'] }, 'USAGE'],
  ['a node that is no address', { nodes: ['ftp://a:1'] }, 'NODE_ADDRESS_UNSUPPORTED'],
  ['a chain id that is a path', { chainId: '../x' }, 'USAGE'],
  ['a chain id that is the folder itself', { chainId: '.' }, 'USAGE'],
  ['a key without a watermark', { key }, 'WATERMARK_START_MISSING'],
  ['a watermark without a key', { start: neverSigned() }, 'USAGE'],
])('refused, and nothing is written: %s', async (_name, change, code) => {
  await expect(initCluster(request(change), deps)).rejects.toMatchObject({ code });
  expect(readdirSync(parent)).toEqual([]);
});

test.each<[string, HostPort[] | undefined, HostPort[], HostPort[]]>([
  ['IPv4', undefined, [at(1, '10.0.0.1'), at(2, '10.0.0.2')], [at(1, '0.0.0.0'), at(2, '0.0.0.0')]],
  ['IPv6', undefined, [at(1, 'fd00::1'), at(2, 'fd00::2')], [at(1, '::'), at(2, '::')]],
  ['a name, which may have either', undefined, [at(1, 'signer-1'), at(2, 'signer-2')], [at(1, '::'), at(2, '::')]],
  ['this machine only', undefined, [at(1), at(2, '::1')], [at(1), at(2, '::1')]],
  [
    'as told, behind NAT',
    [at(7001, '192.168.0.2'), at(7001, 'wg-signer')],
    [at(9001, '203.0.113.1'), at(9002, '203.0.113.1')],
    [at(7001, '192.168.0.2'), at(7001, 'wg-signer')],
  ],
])('where cosigners listen that are reached by %s', async (_name, listen, cosigners, expected) => {
  await initCluster(request({ cosigners, listen }), deps);
  const configs = await Promise.all([1, 2].map((id) => loadCosignerConfig(join(dir, `cosigner-${id}`))));
  expect(configs.map((config) => config.listen)).toEqual(expected);
  const link = await loadSentryLinkConfig(join(dir, 'sentry-link-1'));
  expect(link.cosigners.map(({ address }) => address)).toEqual(cosigners);
});

test('one node for two chains, and no id of it in the configuration', async () => {
  const node = '127.0.0.1:26659';
  await initCluster(request({ nodes: [`tcp://${'ab'.repeat(20)}@${node}`] }), deps);
  await initCluster(another({ nodes: [node] }), deps);
  const { chains } = await loadSentryLinkConfig(join(dir, 'sentry-link-1'));
  expect(chains.map(({ nodes }) => nodes)).toEqual([[`tcp://${node}`], [`tcp://${node}`]]);
});

test.each<[string, () => void]>([
  [
    'a folder with something else in it',
    () => {
      mkdirSync(dir);
      writeFileSync(join(dir, 'notes.txt'), '');
    },
  ],
  ['a file', () => writeFileSync(dir, '')],
])('%s is left alone', async (_name, prepare) => {
  prepare();
  const before = snapshot(parent);
  await expect(initCluster(request(), deps)).rejects.toMatchObject({ code: 'DIR_NOT_EMPTY' });
  expect(snapshot(parent)).toEqual(before);
});

test('an empty folder is filled, and parents are made', async () => {
  mkdirSync(dir, { mode: 0o700 });
  await initCluster(request(), deps);
  await initCluster(request({ dir: join(parent, 'a', 'b') }), deps);
  expect(Object.keys(snapshot(join(parent, 'a', 'b')))).toEqual(Object.keys(snapshot(dir)));
});

/** A disk that fails at the nth creation of a file. */
function failingDisk(nth: number): Disk {
  let created = 0;
  return {
    ...nodeDisk,
    create: async (path, contents) => {
      if (++created === nth) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
      await nodeDisk.create(path, contents);
    },
  };
}

test.each([1, 2, 5, 6])('a disk that is full at state file %i: no cluster, nothing left behind', async (nth) => {
  await expect(initCluster(request(), { ...deps, disk: failingDisk(nth) })).rejects.toMatchObject({
    code: 'STATE_WRITE_FAILED',
  });
  expect(readdirSync(parent)).toEqual([]);
  mkdirSync(dir);
  await expect(initCluster(request(), { ...deps, disk: failingDisk(nth) })).rejects.toMatchObject({
    code: 'STATE_WRITE_FAILED',
  });
  expect(snapshot(parent)).toEqual({ cluster: expect.any(String) as string });
});

test('a second chain: everything of the first stays, comments too', async () => {
  await initCluster(request(), deps);
  appendFileSync(join(dir, 'cosigner-2', 'cosigner.toml'), '# mine');
  const before = snapshot(dir);
  const { info, plan, addedToCluster } = await initCluster(another(), deps);
  expect([addedToCluster, plan.threshold, info.chainId]).toEqual([true, 2, 'two']);
  const after = snapshot(dir);
  const changed = Object.keys(before).filter((path) => before[path] !== after[path]);
  expect(
    changed.every((path) => path.endsWith('.toml')),
    changed.join(),
  ).toBe(true);
  expect(changed).toHaveLength(5);
  for (const path of changed) expect(after[path]?.startsWith(before[path] ?? '')).toBe(true);
  const config = await loadCosignerConfig(join(dir, 'cosigner-2'));
  expect(config.chains.map(({ id }) => id)).toEqual(['test-1', 'two']);
  expect((await loadSentryLinkConfig(join(dir, 'sentry-link-1'))).chains[1]?.nodes).toEqual(['unix:///run/two.sock']);
  for (const chain of ['test-1', 'two']) {
    const files = (await findChainFiles(dir)).filter(({ chainId }) => chainId === chain);
    expect(await verifyChain(chain, files, group, undefined)).toMatchObject({
      ok: true,
      makesKey: true,
      shares: [1, 2, 3],
    });
  }
  expect(existsSync(join(dir, '.init-staging'))).toBe(false);
});

test.each<[string, Partial<InitRequest>, string, (() => void)?]>([
  ['the same chain', { chainId: 'test-1' }, 'CHAIN_EXISTS'],
  [
    'a chain of which a state is left',
    {},
    'CHAIN_EXISTS',
    () => writeFileSync(watermarkFile(join(dir, 'cosigner-3'), 'two'), ''),
  ],
  ['another threshold', { threshold: 3 }, 'CLUSTER_MISMATCH'],
  ['other cosigners', { cosigners: many(3) }, 'CLUSTER_MISMATCH'],
  ['another number of links', { links: 3 }, 'CLUSTER_MISMATCH'],
  ['another address to listen on', { listen: many(3) }, 'CLUSTER_MISMATCH'],
  ['a cosigner that is not here', {}, 'CLUSTER_MISMATCH', () => rmSync(join(dir, 'cosigner-3'), { recursive: true })],
  [
    'folders that were mixed up',
    {},
    'CLUSTER_MISMATCH',
    () => {
      rmSync(join(dir, 'cosigner-3'), { recursive: true });
      cpSync(join(dir, 'cosigner-2'), join(dir, 'cosigner-3'), { recursive: true });
    },
  ],
  [
    'a configuration that is broken',
    {},
    'CONFIG_INVALID',
    () => appendFileSync(join(dir, 'sentry-link-2', 'sentry-link.toml'), 'x = 1\n'),
  ],
  ['a disk that is full', {}, 'STATE_WRITE_FAILED'],
  [
    'a folder where a file stands',
    {},
    'WRITE_FAILED',
    () => {
      rmSync(join(dir, 'cosigner-3', 'state'), { recursive: true });
      writeFileSync(join(dir, 'cosigner-3', 'state'), 'not a folder');
    },
  ],
])('a second chain is refused, and nothing changes: %s', async (name, change, code, prepare) => {
  await initCluster(request(), deps);
  prepare?.();
  const before = snapshot(parent);
  const disk = name === 'a disk that is full' ? failingDisk(4) : nodeDisk;
  await expect(initCluster(another(change), { ...deps, disk })).rejects.toMatchObject({ code });
  expect(snapshot(parent)).toEqual(before);
});

test.each([
  [undefined, 3],
  [0, 0],
  [2.5, 2.5],
])('of the heights a second that were asked for, %s, cosigners sign %s', async (maxHeightsPerSecond, expected) => {
  await initCluster(request({ maxHeightsPerSecond }), deps);
  await initCluster({ ...request({ maxHeightsPerSecond }), chainId: 'test-2' }, deps);
  const { chains } = await loadCosignerConfig(join(dir, 'cosigner-1'));
  expect(chains.map((chain) => chain.maxHeightsPerSecond)).toEqual([expected, expected]);
});
