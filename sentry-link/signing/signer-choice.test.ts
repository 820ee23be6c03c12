import { expect, it } from 'vitest';
import type { ChainReport } from '../../src/shared/coordination/messages.js';
import { chooseSigners, type Candidate } from './signer-choice.js';

const HRS = { height: 500_000n, round: 0, step: 2 };

interface Peer {
  readonly roundTripMs?: number;
  readonly suspect?: boolean;
  readonly behind?: boolean;
  readonly waiting?: boolean;
  readonly refusing?: boolean;
  readonly ready?: boolean;
  readonly leftOut?: true;
  /** Where its watermark is; default: the vote before this one. */
  readonly at?: readonly [height: bigint, round: number, step: 0 | 1 | 2 | 3];
  readonly maxHeightJump?: bigint;
}

function candidate(id: number, peer: Peer): Candidate {
  const {
    roundTripMs = 1,
    suspect = false,
    behind = false,
    waiting = false,
    ready = true,
    at,
    maxHeightJump = 100_000n,
    leftOut,
    refusing = false,
  } = peer;
  const [height, round, step] = at ?? [HRS.height - 1n, 0, 3];
  const report: ChainReport = {
    chainId: 'test-1',
    groupPublicKey: new Uint8Array(32),
    height,
    round,
    step,
    sequence: 1n,
    maxHeightJump,
    halted: undefined,
  };
  return {
    id,
    ready: () => ready,
    chains: {
      report: () => report,
      behind: () => behind,
      waiting: () => waiting,
      refusing: () => refusing,
      leftOut: () => (leftOut ? 'bad share' : undefined),
    },
    health: { suspect, distanceMs: () => roundTripMs },
  };
}

const FAR = { roundTripMs: 80 };

it.each<readonly [string, Peer, Peer, Peer, readonly number[] | undefined]>([
  ['all alike', {}, {}, {}, [1, 2]],
  ['the nearest', FAR, {}, {}, [2, 3]],
  ['noise below a millisecond does not count', { roundTripMs: 1.4 }, { roundTripMs: 1.2 }, {}, [1, 2]],
  ['the only two that are ready', {}, { ready: false }, FAR, [1, 3]],
  ['one that is ready is not enough', {}, { ready: false }, { ready: false }, undefined],
  ['a suspect last', { suspect: true }, {}, FAR, [2, 3]],
  ['one that waits only where it must', { waiting: true }, FAR, { ...FAR, suspect: true }, [2, 3]],
  ['one that waits where there are too few others', { waiting: true }, FAR, { ready: false }, [1, 2]],
  ['one that refused last', { refusing: true }, {}, FAR, [2, 3]],
  ['one that is left out last', { leftOut: true }, { suspect: true }, FAR, [2, 3]],
  ['one that is left out, for want of others', { leftOut: true }, {}, { ready: false }, [1, 2]],
  ['one that is behind last', { behind: true }, {}, FAR, [2, 3]],
  [
    'a liar’s limit keeps nobody from a first height',
    { at: [499_999n, 0, 3], maxHeightJump: 0n },
    { at: [0n, 0, 0] },
    { at: [0n, 0, 0] },
    [2, 3],
  ],
  ['one that holds this vote, though far', {}, {}, { ...FAR, at: [500_000n, 0, 2] }, [1, 3]],
  ['one that never signed, though far', {}, {}, { ...FAR, at: [0n, 0, 0] }, [1, 3]],
  ['who claims a height far up makes nobody catch up', { at: [2n ** 62n, 0, 3] }, {}, FAR, [1, 2]],
  [
    'nor does it let one that never signed take a jump',
    { at: [2n ** 62n, 0, 3] },
    { ...FAR, at: [9n, 0, 3] },
    { at: [0n, 0, 0] },
    [1, 2],
  ],
  ['one 1,000 heights behind may stay there', {}, {}, { ...FAR, at: [498_999n, 0, 3] }, [1, 2]],
  ['one 1,001 heights behind catches up', {}, {}, { ...FAR, at: [498_998n, 0, 3] }, [1, 3]],
  ['one 100,000 heights behind just does', {}, {}, { ...FAR, at: [400_000n, 0, 3] }, [1, 3]],
  ['one further behind would refuse', {}, {}, { ...FAR, at: [399_999n, 0, 3] }, [1, 2]],
  [
    'one beyond its own lower limit would refuse',
    {},
    {},
    { ...FAR, at: [489_999n, 0, 3], maxHeightJump: 10_000n },
    [1, 2],
  ],
  ['one within its own higher limit catches up', {}, {}, { ...FAR, at: [1n, 0, 3], maxHeightJump: 500_000n }, [1, 3]],
  [
    'all far behind, as at a jump',
    { at: [450_000n, 0, 3] },
    { ...FAR, at: [450_000n, 0, 3] },
    { at: [450_000n, 0, 2] },
    [1, 3],
  ],
  [
    'one that never signed is left out of a jump',
    { at: [9n, 0, 3] },
    { ...FAR, at: [9n, 0, 3] },
    { at: [0n, 0, 0] },
    [1, 2],
  ],
  ['the first height of all may be any', { at: [0n, 0, 0], ...FAR }, { at: [0n, 0, 0] }, { at: [0n, 0, 0] }, [2, 3]],
  ['a suspect does not catch up now', {}, {}, { suspect: true, at: [450_000n, 0, 3] }, [1, 2]],
])('%s', (_name, first, second, third, expected) => {
  const candidates = [candidate(1, first), candidate(2, second), candidate(3, third)];
  const chosen = chooseSigners(candidates, { chainId: 'test-1', threshold: 2, nonces: 1, hrs: HRS });
  expect(chosen?.map(({ id }) => id)).toEqual(expected);
});
