import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadCosignerConfig } from '../../shared/config/cosigner-config.js';
import { loadSentryLinkConfig } from '../../shared/config/sentry-link-config.js';
import { keyFromSeed } from '../../shared/frost/keys.js';
import { loadGroup } from '../../shared/frost/load-group.js';
import { loadGroupFile } from '../../shared/home/group-file.js';
import { loadNodeIdentitySeed } from '../../shared/home/node-identity.js';
import { groupFile, watermarkFile } from '../../shared/home/paths.js';
import { nodeDisk } from '../../shared/ports/node-disk.js';
import { systemRandom } from '../../shared/ports/random.js';
import { inspectState } from '../state-report.js';
import { findChainFiles } from '../find-homes.js';
import { planCluster } from '../init/request.js';
import { verifyChain } from '../keys/verify-folders.js';
import { applyMigration, type Applied, type ApplyRequest, type Target } from './apply.js';
import type { OldChain } from './old-signer.js';
import { planMigration } from './plan.js';
import { evidence, oldChain, oldSigner, stateAt, STATE_FILE } from './testdata/old-chains.js';

const group = await loadGroup();
const deps = { disk: nodeDisk, random: systemRandom };
const at = (port: number): { host: string; port: number } => ({ host: '127.0.0.1', port });
const shape = planCluster({ threshold: 2, cosigners: [at(7001), at(7002), at(7003)], links: 2 });
const two = oldChain(group, { chainId: 'two', nodes: ['unix:///run/two.sock'], bech32Prefix: 'kira' });
let parent: string;
let dir: string;

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'hekate-apply-'));
  dir = join(parent, 'cluster');
});
afterEach(() => rmSync(parent, { recursive: true }));

function apply(chains: readonly OldChain[], change: Partial<ApplyRequest> = {}, disk = nodeDisk): Promise<Applied> {
  const asked = {
    nodes: undefined,
    validators: [],
    stoppedByWord: false,
    height: undefined,
    neverSigned: false,
    nowSecond: 1,
  };
  const plan = planMigration(oldSigner(...chains), evidence(), asked);
  expect(plan.refusals).toEqual([]);
  const target: Target = { kind: 'new', dir, shape };
  return applyMigration(
    plan,
    { target, maxHeightsPerSecond: 5, identitySeed: undefined, ...change },
    { ...deps, disk },
  );
}

const into = (): Partial<ApplyRequest> => ({ target: { kind: 'into', dir } });
const heightOf = async (chainId: string): Promise<string> => {
  const home = join(dir, 'cosigner-2');
  const info = await loadGroupFile(groupFile(home, chainId), chainId);
  return (await inspectState(nodeDisk, watermarkFile(home, chainId), info)).watermark.height;
};

it('a new cluster with every chain of the old signer', async () => {
  expect(await apply([oldChain(group), two])).toMatchObject({ written: ['one', 'two'], there: [] });
  for (const chainId of ['one', 'two']) {
    const verdict = await verifyChain(
      chainId,
      (await findChainFiles(dir)).filter((files) => files.chainId === chainId),
      group,
      oldChain(group).key.publicKey,
    );
    expect(verdict).toMatchObject({ ok: true, makesKey: true, threshold: 2, count: 3 });
    expect(await heightOf(chainId)).toBe('50');
  }
  const link = await loadSentryLinkConfig(join(dir, 'sentry-link-2'));
  expect(link.chains).toMatchObject([
    { id: 'one', nodes: ['tcp://10.0.0.5:26659'], bech32Prefix: 'cosmos' },
    { id: 'two', nodes: ['unix:///run/two.sock'], bech32Prefix: 'kira' },
  ]);
  expect((await loadCosignerConfig(join(dir, 'cosigner-1'))).chains).toMatchObject([
    { bech32Prefix: 'cosmos' },
    { bech32Prefix: 'kira' },
  ]);
  expect(readdirSync(parent)).toEqual(['cluster']);
  expect(readdirSync(dir).filter((name) => name.startsWith('.'))).toEqual([]);
});

it('every link shows the identity that was taken over', async () => {
  await apply([oldChain(group)], { identitySeed: new Uint8Array(32).fill(9) });
  for (const name of ['sentry-link-1', 'sentry-link-2'])
    expect(await loadNodeIdentitySeed(join(dir, name))).toEqual(new Uint8Array(32).fill(9));
});

it('chains for a cluster that is there', async () => {
  await apply([oldChain(group)]);
  const share = readFileSync(join(dir, 'cosigner-1/chains/one/share.key'), 'hex');
  expect(await apply([two], into())).toMatchObject({ written: ['two'], there: [] });
  expect((await loadCosignerConfig(join(dir, 'cosigner-3'))).chains.map(({ id }) => id)).toEqual(['one', 'two']);
  expect(readFileSync(join(dir, 'cosigner-1/chains/one/share.key'), 'hex')).toBe(share);
});

it('twice is harmless', async () => {
  await apply([oldChain(group)]);
  const share = readFileSync(join(dir, 'cosigner-1/chains/one/share.key'), 'hex');
  expect(await apply([oldChain(group)])).toMatchObject({ written: [], there: ['one'] });
  expect(await apply([oldChain(group), two], into())).toMatchObject({ written: ['two'], there: ['one'] });
  expect(await apply([oldChain(group), two], into())).toMatchObject({ written: [], there: ['one', 'two'] });
  expect(readFileSync(join(dir, 'cosigner-1/chains/one/share.key'), 'hex')).toBe(share);
});

it('an old signer that has signed on since is not covered by what is there', async () => {
  await apply([oldChain(group)]);
  const later = oldChain(group, { state: { file: STATE_FILE, found: stateAt(51n) } });
  await expect(apply([later])).rejects.toMatchObject({ code: 'WATERMARK_START_CONTRADICTED' });
});

const otherKey = oldChain(group, { key: keyFromSeed(group, new Uint8Array(32).fill(8)) });

it.each<[string, readonly OldChain[], () => Partial<ApplyRequest>, string]>([
  ['another key for the chain', [otherKey], () => ({}), 'CHAIN_EXISTS'],
  ['another key for the chain, into it', [otherKey], into, 'CHAIN_EXISTS'],
  ['another chain, as if it was new', [two], () => ({}), 'DIR_NOT_EMPTY'],
  [
    'the same with another threshold',
    [oldChain(group)],
    () => ({ target: { kind: 'new', dir, shape: { ...shape, threshold: 3 } } }),
    'CLUSTER_MISMATCH',
  ],
])('a cluster that is there refuses %s and stays as it is', async (_name, chains, change, code) => {
  await apply([oldChain(group)]);
  cpSync(dir, join(parent, 'before'), { recursive: true });
  await expect(apply(chains, change())).rejects.toMatchObject({ code });
  for (const file of ['cosigner-1/cosigner.toml', 'cosigner-1/chains/one/group.json'])
    expect(readFileSync(join(dir, file), 'utf8')).toBe(readFileSync(join(parent, 'before', file), 'utf8'));
  expect(readdirSync(dir)).toEqual(readdirSync(join(parent, 'before')));
});

it('there has to be a cluster to add to', async () => {
  await expect(apply([two], into())).rejects.toMatchObject({ code: 'NO_HOME' });
  writeFileSync(join(parent, 'file'), '');
  await expect(apply([two], { target: { kind: 'into', dir: parent } })).rejects.toMatchObject({
    code: 'DIR_NOT_EMPTY',
  });
});

/** A disk that fails at the nth file that it creates. */
const failing = (after: number): typeof nodeDisk => {
  let left = after;
  const create: typeof nodeDisk.create = (path, contents) => {
    if (left-- === 0) return Promise.reject(new Error('the disk is full'));
    return nodeDisk.create(path, contents);
  };
  return new Proxy(nodeDisk, { get: (of, name) => (name === 'create' ? create : Reflect.get(of, name)) as unknown });
};

it.each([0, 3, 6, 9])('what fails at its file %i leaves nothing', async (after) => {
  await expect(apply([oldChain(group), two], {}, failing(after))).rejects.toMatchObject({ code: 'STATE_WRITE_FAILED' });
  expect(readdirSync(parent)).toEqual([]);
  await apply([oldChain(group)]);
  const three = oldChain(group, { chainId: 'three' });
  await expect(apply([two, three], into(), failing(after))).rejects.toMatchObject({ code: 'STATE_WRITE_FAILED' });
  expect(existsSync(join(dir, 'cosigner-1/chains/two'))).toBe(false);
  expect((await loadCosignerConfig(join(dir, 'cosigner-1'))).chains).toHaveLength(1);
});
