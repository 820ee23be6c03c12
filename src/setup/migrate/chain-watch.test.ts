import { expect, it } from 'vitest';
import { watchChain, type ChainReport, type Pause } from './chain-watch.js';
import type { ChainRpc } from './rpc.js';

const OURS = 'AB'.repeat(20);
const OTHER = 'CD'.repeat(20);

interface Chain {
  /** Its height when it is first asked. */
  readonly from: bigint;
  /** Heights a second. */
  readonly pace?: number;
  /** Milliseconds between the times of its blocks; default: 1000. */
  readonly apart?: number;
  /** Whether our key is in a commit. */
  readonly signed?: (height: bigint) => boolean;
  /** The lowest height that the node still has. */
  readonly oldest?: bigint;
  readonly catchingUp?: boolean;
  readonly powers?: ReadonlyMap<string, bigint>;
  /** What its blocks say of their chain. */
  readonly inside?: string;
}

/** A chain and a clock that goes on when somebody sleeps. */
function watched(chain: Chain, stateHeight?: bigint): Promise<ChainReport> {
  const { from, pace = 0, signed = () => false, oldest = 1n, catchingUp = false, inside = 'one', apart = 1000 } = chain;
  const powers =
    chain.powers ??
    new Map([
      [OURS, 1n],
      [OTHER, 9n],
    ]);
  let nowMs = 0;
  const height = (): bigint => from + BigInt(Math.floor((nowMs / 1000) * pace));
  const rpc: ChainRpc = {
    url: 'http://node',
    status: async () => ({ network: 'one', height: height(), catchingUp }),
    commit: async (at) =>
      at < oldest || at > height()
        ? undefined
        : {
            chainId: inside,
            height: at,
            timeMs: Number(at) * apart,
            signers: new Set(signed(at) ? [OURS, OTHER] : [OTHER]),
          },
    validators: async () => ({ powers }),
  };
  const pause: Pause = { nowMs: () => nowMs, sleep: async (ms) => void (nowMs += ms) };
  return watchChain(rpc, { address: OURS, stateHeight, watchMs: 10_000 }, pause);
}

const POWER = { ours: 1n, total: 10n };
const ALL = new Map([[OURS, 5n]]);

it.each<[string, Chain, bigint | undefined, Partial<ChainReport>]>([
  [
    'goes on without the key',
    { from: 100n, pace: 1, signed: (h) => h <= 90n },
    undefined,
    { height: 102n, newHeights: 2, signedMeanwhile: [], lastSigned: undefined, power: POWER },
  ],
  [
    'goes on with the key',
    { from: 100n, pace: 1, signed: () => true },
    undefined,
    { newHeights: 2, signedMeanwhile: [101n, 102n], lastSigned: 102n },
  ],
  [
    'has just lost the key',
    { from: 100n, pace: 1, signed: (h) => h <= 100n },
    undefined,
    { signedMeanwhile: [], lastSigned: 100n },
  ],
  [
    'stands still',
    { from: 100n, signed: () => true },
    100n,
    { height: 100n, newHeights: 0, signedMeanwhile: [], lastSigned: 100n },
  ],
  [
    'stands still, and needs the key',
    { from: 100n, powers: ALL },
    undefined,
    { newHeights: 0, watchedMs: 10_000, usualMs: 1000 },
  ],
  [
    'stands still, and is slow',
    { from: 100n, powers: ALL, apart: 6000 },
    undefined,
    { newHeights: 0, watchedMs: 18_000 },
  ],
  [
    'may only be slow',
    { from: 100n, powers: ALL, apart: 20_000 },
    undefined,
    { newHeights: 0, watchedMs: 30_000, usualMs: 20_000 },
  ],
  ['has a node that forgot all but its newest block', { from: 100n, oldest: 100n }, undefined, { usualMs: undefined }],
  ['is slow', { from: 100n, pace: 0.05 }, undefined, { height: 101n, newHeights: 1 }],
  ['has signatures above the state', { from: 1000n, pace: 1, signed: (h) => h === 52n }, 50n, { lastSigned: 52n }],
  [
    'has forgotten what is above the state',
    { from: 1000n, pace: 1, signed: (h) => h === 52n, oldest: 900n },
    50n,
    { lastSigned: undefined },
  ],
  ['races', { from: 100n, pace: 1000 }, undefined, { height: 600n, newHeights: 20 }],
  ['has not begun', { from: 0n }, undefined, { height: 0n, newHeights: 0, power: undefined }],
  ['is caught up with', { from: 100n, pace: 1, catchingUp: true }, undefined, { catchingUp: true, newHeights: 0 }],
  ['has other validators', { from: 100n, pace: 1, powers: new Map([[OTHER, 5n]]) }, undefined, { power: undefined }],
])('a chain that %s', async (_name, chain, stateHeight, expected) => {
  expect(await watched(chain, stateHeight)).toMatchObject({ url: 'http://node', network: 'one', ...expected });
});

it('a node whose blocks are of another chain than it says', async () => {
  await expect(watched({ from: 100n, pace: 1, inside: 'two' })).rejects.toMatchObject({ code: 'RPC_INVALID' });
});
