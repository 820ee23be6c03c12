import { describe, expect, it } from 'vitest';
import { createState } from '../src/setup/state-init.js';
import { ownRelease } from '../src/shared/coordination/release.js';
import type { CosignerMessage } from '../src/shared/coordination/messages.js';
import { HekateError } from '../src/shared/errors.js';
import { loadGroup } from '../src/shared/frost/load-group.js';
import { dealing, seededRandom } from '../src/shared/frost/testdata/fixture.js';
import { silentLog, type LogFields } from '../src/shared/ports/log.js';
import { neverSigned } from '../src/shared/watermark/watermark.js';
import { ManualClock, wallOf } from '../test/support/manual-clock.js';
import { MemoryDisk } from '../test/support/memory-disk.js';
import { MemoryRunFolder } from '../test/support/memory-run-folder.js';
import { testKeys } from '../test/support/test-keys.js';
import { assembleCosigner, COSIGNER_PARTS, type AssembledCosigner, type CosignerChainOptions } from './assembly.js';
import type { HaltedChain } from './halted-chain.js';

const CHAINS = ['one-1', 'two-2', 'three-3'];
const group = await loadGroup();
const random = seededRandom('assembly');
const dealt = dealing(group, 2, 3, random);
const { groupPublicKey } = dealt;

/** A disk that tells which files were opened or read. */
class WatchedDisk extends MemoryDisk {
  readonly touched = new Set<string>();

  override read(path: string): Promise<Uint8Array> {
    this.touched.add(path);
    return super.read(path);
  }

  override open(path: string): ReturnType<MemoryDisk['open']> {
    this.touched.add(path);
    return super.open(path);
  }
}

interface World {
  readonly disk: WatchedDisk;
  readonly chains: CosignerChainOptions[];
  readonly errors: LogFields[];
  readonly assemble: (
    chains: readonly (CosignerChainOptions | HaltedChain)[],
    parts?: typeof COSIGNER_PARTS,
  ) => Promise<AssembledCosigner>;
}

async function makeWorld(): Promise<World> {
  const disk = new WatchedDisk();
  const errors: LogFields[] = [];
  const log = { ...silentLog, error: (_event: string, fields: LogFields = {}) => void errors.push(fields) };
  const chains: CosignerChainOptions[] = [];
  for (const chainId of CHAINS) {
    await createState(disk, chainId, { chainId, groupPublicKey }, neverSigned());
    const secretShare = structuredClone(dealt.shares[0]!.secretShare);
    const limits = { maxHeightJump: 100_000n, maxHeightsPerSecond: 0, sitsOut: true };
    chains.push({ chainId, threshold: 2, groupPublicKey, secretShare, statePath: chainId, ...limits });
  }
  disk.touched.clear();
  const onFault = (error: unknown): void => expect.fail(String(error));
  const clock = new ManualClock();
  const runFolder = new MemoryRunFolder();
  const outside = {
    disk,
    runFolder,
    removeRunFile: runFolder.removeRunFile,
    keys: testKeys(1),
    clock,
    wallSecond: wallOf(clock),
  };
  const ports = { group, ...outside, random, publicRandom: random, log, onFault };
  return {
    ...{ disk, chains, errors },
    assemble: (some, parts = COSIGNER_PARTS) =>
      assembleCosigner({ id: 1, others: [2, 3], version: 't', chains: some }, ports, parts),
  };
}

const wiped = ({ secretShare }: CosignerChainOptions): boolean => secretShare.every((byte) => byte === 0);

const haltedChain = (chainId: string, error = new HekateError('SHARE_MISSING', 'no share')): HaltedChain => {
  return { chainId, groupPublicKey: undefined, maxHeightJump: 1n, error };
};

type Damage = (disk: MemoryDisk, path: string) => unknown;
const DAMAGES: readonly (readonly [name: string, code: string, damage: Damage])[] = [
  ['missing', 'STATE_MISSING', (disk, path) => disk.files.delete(path)],
  ['without its mark', 'STATE_MISSING', (disk, path) => disk.files.delete(`${path}.mark`)],
  ['cut short', 'STATE_TRUNCATED', (disk, path) => disk.files.set(path, disk.file(path).slice(0, 4096))],
  ['torn', 'STATE_CORRUPT', (disk, path) => disk.file(path).fill(0x5a, 4096, 5120)],
  ['of another chain', 'STATE_FOREIGN', (disk, path) => swap(disk, path, CHAINS.find((id) => id !== path) ?? '')],
  ['held by another process', 'STATE_LOCKED', (disk, path) => disk.locked.add(path)],
  ['on a disk that fails', 'STATE_WRITE_FAILED', (disk, path) => (disk.fates = (w) => (w.path === path ? EIO : {}))],
];
const EIO = { kept: 0, fails: 'EIO' };

function swap(disk: MemoryDisk, path: string, from: string): void {
  for (const end of ['', '.mark']) disk.files.set(`${path}${end}`, disk.file(`${from}${end}`).slice());
}

describe.each(CHAINS)('a cosigner of three chains, the state of %s', (bad) => {
  it.each(DAMAGES)('%s: %s halts that chain alone', async (_name, code, damage) => {
    const { disk, chains, errors, assemble } = await makeWorld();
    damage(disk, bad);
    const found = new Map([...disk.files].map(([path, contents]) => [path, contents.slice()]));
    const assembled = await assemble(chains);
    const { cosigner } = assembled;
    const halted = new Map(cosigner.report().map((report) => [report.chainId, report.halted]));
    expect([...halted.keys()].sort()).toEqual([...CHAINS].sort());
    for (const chainId of CHAINS) expect(halted.get(chainId)).toBe(chainId === bad ? code : undefined);
    expect(errors).toEqual([expect.objectContaining({ code, chain: bad })]);
    expect(errors[0]?.['reason']).toContain(bad);

    expect(chains.filter(wiped).map(({ chainId }) => chainId)).toEqual([bad]);
    for (const path of [bad, `${bad}.mark`]) expect(disk.files.get(path)).toEqual(found.get(path));
    expect(disk.locked.has(bad)).toBe(code === 'STATE_LOCKED');

    // Commitments come for the others; who asks for this one all the same is told why it gets nothing.
    const sent: CosignerMessage[] = [];
    const session = cosigner.open('link', (message) => sent.push(message));
    session.start();
    session.receive({
      kind: 'linkHello',
      ...ownRelease('t'),
      newest: [],
    });
    const offered = new Set(sent.flatMap((message) => (message.kind === 'nonceBatch' ? message.chainId : [])));
    expect([...offered]).toEqual(CHAINS.filter((chainId) => chainId !== bad));
    const request = { extension: undefined, settle: false, signers: [], signBytes: new Uint8Array(), term: 0 };
    session.receive({ kind: 'signRequest', id: 7, chainId: bad, groupPublicKey, ...request });
    expect(sent.at(-1)).toMatchObject({ kind: 'refused', id: 7, code });
    await assembled.close();
    expect(chains.every(wiped)).toBe(true);
  });
});

it('a chain that was halted before: its state is not even looked at', async () => {
  const { disk, chains, errors, assemble } = await makeWorld();
  const [one, , three] = chains as [CosignerChainOptions, CosignerChainOptions, CosignerChainOptions];
  const { cosigner } = await assemble([one, haltedChain('two-2'), three]);
  expect([...disk.touched].filter((path) => path.startsWith('two-2'))).toEqual([]);
  expect(cosigner.report()).toContainEqual({
    ...{ chainId: 'two-2', groupPublicKey: new Uint8Array(32), height: 0n, round: 0, step: 0, sequence: 0n },
    ...{ maxHeightJump: 1n, halted: 'SHARE_MISSING' },
  });
  expect(errors).toMatchObject([{ code: 'SHARE_MISSING', chain: 'two-2', reason: 'no share' }]);
});

it.each<readonly [string, (world: World) => readonly (CosignerChainOptions | HaltedChain)[], string, number]>([
  [
    'its only one, by its state',
    ({ disk, chains }) => (disk.files.delete('one-1'), chains.slice(0, 1)),
    'STATE_MISSING',
    0,
  ],
  ['its only one, before', () => [haltedChain('one-1')], 'SHARE_MISSING', 0],
  [
    'the first by its state, the second before',
    ({ disk, chains }) => (disk.locked.add('one-1'), [...chains.slice(0, 1), haltedChain('two-2')]),
    'STATE_LOCKED',
    1,
  ],
  [
    'the first before, the others by their states',
    ({ disk, chains }) => (disk.files.clear(), [haltedChain('one-1'), ...chains.slice(1)]),
    'SHARE_MISSING',
    2,
  ],
])('every chain is halted, %s: the first one’s error, the others are logged', async (_name, prepare, code, logged) => {
  const world = await makeWorld();
  const chains = prepare(world);
  await expect(world.assemble(chains)).rejects.toMatchObject({ code });
  expect(world.errors).toHaveLength(logged);
  for (const chain of chains) if ('secretShare' in chain) expect(wiped(chain)).toBe(true);
});

it('a fault of hekate’s own is no chain’s: all is wiped and given back', async () => {
  const { disk, chains, assemble } = await makeWorld();
  const openWatermark: typeof COSIGNER_PARTS.openWatermark = (on, path, ...more) => {
    if (path === 'two-2') throw new Error('made up');
    return COSIGNER_PARTS.openWatermark(on, path, ...more);
  };
  await expect(assemble(chains, { ...COSIGNER_PARTS, openWatermark })).rejects.toThrow('made up');
  expect(chains.every(wiped)).toBe(true);
  expect([...disk.locked]).toEqual([]);
});
