import { describe, expect, it } from 'vitest';
import { Cluster, told, type ClusterOptions } from './cluster.js';
import { RawLink } from './raw-link.js';
import { vote, type VoteSpec } from './votes.js';

const PROPOSAL: VoteSpec = { at: [7, 2, 1], nanos: 500 };
const PREVOTE: VoteSpec = { at: [7, 2, 2], nanos: 500 };
const PRECOMMIT: VoteSpec = { at: [7, 2, 3], nanos: 500 };

/** First the one, then the other, asked of a whole cluster; a second answer of the first link or of the next one. */
const ROWS: readonly [name: string, first: VoteSpec, second: VoteSpec, expected: string][] = [
  ['higher height', PRECOMMIT, { at: [8, 0, 1] }, 'signed 500'],
  ['higher round, another block', PRECOMMIT, { at: [7, 3, 2], block: 'B' }, 'signed 500'],
  ['higher step', PREVOTE, { at: [7, 2, 3] }, 'signed 500'],
  ['higher step, another block: no rule across steps', PREVOTE, { at: [7, 2, 3], block: 'B' }, 'signed 500'],
  ['higher step, nil', PREVOTE, { at: [7, 2, 3], block: 'nil' }, 'signed 500'],
  ['prevote after the proposal', PROPOSAL, { at: [7, 2, 2] }, 'signed 500'],
  ['the same prevote', PREVOTE, PREVOTE, 'signed 500'],
  ['the same precommit', PRECOMMIT, PRECOMMIT, 'signed 500'],
  ['the same proposal', PROPOSAL, PROPOSAL, 'signed 500'],
  ['the same vote for nil', { ...PREVOTE, block: 'nil' }, { ...PREVOTE, block: 'nil' }, 'signed 500'],
  ['same vote, later', PREVOTE, { ...PREVOTE, nanos: 900 }, 'signed 500'],
  ['same vote, earlier', PRECOMMIT, { ...PRECOMMIT, nanos: 100 }, 'signed 500'],
  ['same vote for nil, later', { ...PREVOTE, block: 'nil' }, { ...PREVOTE, block: 'nil', nanos: 9 }, 'signed 500'],
  ['same proposal, other time', PROPOSAL, { ...PROPOSAL, nanos: 900 }, 'PROPOSAL_TIMESTAMP'],
  ['another block', PREVOTE, { ...PREVOTE, block: 'B' }, 'DOUBLE_SIGN'],
  ['another block, other time', PRECOMMIT, { ...PRECOMMIT, block: 'B', nanos: 900 }, 'DOUBLE_SIGN'],
  ['nil after a block', PRECOMMIT, { ...PRECOMMIT, block: 'nil' }, 'DOUBLE_SIGN'],
  ['a block after nil', { ...PRECOMMIT, block: 'nil' }, PRECOMMIT, 'DOUBLE_SIGN'],
  ['proposal, another block', PROPOSAL, { ...PROPOSAL, block: 'B' }, 'DOUBLE_SIGN'],
  ['proposal, another POL round', PROPOSAL, { ...PROPOSAL, polRound: 1n }, 'DOUBLE_SIGN'],
  ['lower height', PRECOMMIT, { at: [6, 9, 3] }, 'HEIGHT_REGRESSION'],
  ['lower round', PRECOMMIT, { at: [7, 1, 3] }, 'ROUND_REGRESSION'],
  ['lower step', PRECOMMIT, PREVOTE, 'STEP_REGRESSION'],
  ['proposal after the prevote', PREVOTE, PROPOSAL, 'STEP_REGRESSION'],
  ['100,000 heights up', PRECOMMIT, { at: [100_007, 0, 1] }, 'signed 500'],
  ['100,001 heights up', PRECOMMIT, { at: [100_008, 0, 1] }, 'HEIGHT_JUMP'],
  ['an extension on a precommit', PREVOTE, { ...PRECOMMIT, extension: 'x' }, 'signed 500'],
  ['an empty extension', PREVOTE, { ...PRECOMMIT, extension: '' }, 'signed 500'],
  [
    'another extension on the same precommit',
    { ...PRECOMMIT, extension: 'x' },
    { ...PRECOMMIT, extension: 'y' },
    'signed 500',
  ],
  ['an extension on a prevote', PROPOSAL, { ...PREVOTE, extension: 'x' }, 'EXTENSION_NOT_ALLOWED'],
  [
    'an extension on a precommit for nil',
    PREVOTE,
    { ...PRECOMMIT, block: 'nil', extension: 'x' },
    'EXTENSION_NOT_ALLOWED',
  ],
  ['an extension on a proposal', PRECOMMIT, { at: [8, 0, 1], extension: 'x' }, 'EXTENSION_NOT_ALLOWED'],
];

describe('watermark rules through a cluster', () => {
  it.each(ROWS)('%s', async (_name, first, second, expected) => {
    const cluster = await Cluster.start({ threshold: 2, count: 3 });
    expect(told(await cluster.ask('a', vote(first)))).toBe('signed 500');
    expect(told(await cluster.ask('a', vote(second)))).toBe(expected);
    expect(cluster.faults).toEqual([]);
  });

  it.each(ROWS)('%s, after a takeover', async (_name, first, second, expected) => {
    const cluster = await Cluster.start({ threshold: 3, count: 5, links: ['a', 'b'] });
    expect(told(await cluster.ask('a', vote(first)))).toBe('signed 500');
    cluster.killLink('a');
    await cluster.clock.pass(3_000);
    // Only a majority signed the first: what a new link is told about the second must not depend on whom it asks.
    const outcome = told(await cluster.ask('b', vote(second)));
    expect(outcome).toBe(expected);
    expect(cluster.faults).toEqual([]);
  });

  it.each(ROWS)('%s, after a restart of all cosigners', async (_name, first, second, expected) => {
    const cluster = await Cluster.start({ threshold: 2, count: 3 });
    expect(told(await cluster.ask('a', vote(first)))).toBe('signed 500');
    for (const { id } of cluster.cosigners) cluster.killCosigner(id);
    for (const { id } of cluster.cosigners) await cluster.startCosigner(id);
    await cluster.clock.pass(3_000);
    expect(told(await cluster.ask('a', vote(second)))).toBe(expected);
  });

  it('a link that asks for another chain than it says is refused by every cosigner', async () => {
    const cluster = await Cluster.start({ threshold: 2, count: 3 });
    const replies = await new RawLink(cluster).ask([1, 2], vote({ at: [8, 0, 1], chainId: 'test-2' }));
    expect(replies).toMatchObject([
      { kind: 'refused', code: 'WRONG_CHAIN' },
      { kind: 'refused', code: 'WRONG_CHAIN' },
    ]);
    expect(cluster.cosigners.map((cosigner) => cosigner.durable().height)).toEqual([0n, 0n, 0n]);
  });

  it('a refusal says where the watermark stands', async () => {
    const cluster = await Cluster.start({ threshold: 2, count: 3 });
    await cluster.ask('a', vote(PRECOMMIT));
    expect(await cluster.ask('a', vote(PREVOTE))).toMatchObject({
      kind: 'refused',
      message: expect.stringMatching(
        /^cosigner-\d: height 7, round 2, prevote .* is height 7, round 2, precommit$/,
      ) as string,
    });
  });

  it('too many heights a second', async () => {
    const cluster = await Cluster.start({ threshold: 2, count: 3, maxHeightsPerSecond: 1 });
    expect(told(await cluster.ask('a', vote({ at: [1, 0, 1] })))).toBe('signed 500');
    expect(told(await cluster.ask('a', vote({ at: [1_001, 0, 1] })))).toBe('signed 500');
    expect(told(await cluster.ask('a', vote({ at: [1_501, 0, 1] })))).toBe('HEIGHT_PACE');
    await cluster.clock.pass(500_000);
    expect(told(await cluster.ask('a', vote({ at: [1_501, 0, 1] })))).toBe('signed 500');
  });

  it('a restart leaves no more heights than there were', async () => {
    const cluster = await Cluster.start({ threshold: 2, count: 2, maxHeightsPerSecond: 1 });
    for (const height of [1, 951])
      expect(told(await cluster.ask('a', vote({ at: [height, 0, 1] })))).toBe('signed 500');
    for (const id of [1, 2]) {
      cluster.killCosigner(id);
      await cluster.startCosigner(id);
    }
    await cluster.clock.pass(2_000);
    expect(told(await cluster.ask('a', vote({ at: [1_451, 0, 1] })))).toBe('HEIGHT_PACE');
    expect(told(await cluster.ask('a', vote({ at: [1_001, 0, 1] })))).toBe('signed 500');
  });

  it('a jump that is asked again and again burns nobody, not even one that never signed', async () => {
    const cluster = await Cluster.start({ threshold: 2, count: 3 });
    expect(told(await cluster.ask('a', vote({ at: [4_000_000, 0, 2] })))).toBe('signed 500');
    for (const round of [0, 1, 2])
      expect(told(await cluster.ask('a', vote({ at: [4_100_001, round, 2] })))).toBe('HEIGHT_JUMP');
    expect(cluster.cosigners.map((cosigner) => cosigner.durable().height)).toEqual([
      4_000_000n,
      4_000_000n,
      4_000_000n,
    ]);
  });

  /** Cosigner 3 stops at `from`, the others go on to `to` without it: what they signed is shown to it, whatever its limits. */
  it.each<[name: string, limits: Partial<ClusterOptions>, from: number, to: readonly number[]]>([
    ['within its jump', {}, 1_000, [90_000]],
    ['beyond its jump', { maxHeightJump: 2_000n }, 1_000, [2_900, 4_800]],
    ['beyond its pace', { maxHeightsPerSecond: 0.001 }, 3, [400, 900]],
  ])('one that was far behind signs on: %s', async (_name, limits, from, to) => {
    const cluster = await Cluster.start({ threshold: 2, count: 3, ...limits });
    const signedAt = async (height: number): Promise<void> => {
      expect(told(await cluster.ask('a', vote({ at: [height, 0, 1] })))).toBe('signed 500');
      await cluster.clock.pass(300);
    };
    await cluster.onlyAlive('a', [1, 3]);
    for (const height of [1, from]) await signedAt(height);
    await cluster.onlyAlive('a', [1, 2]);
    for (const height of to) await signedAt(height);
    expect(cluster.cosigner(3).durable().height).toBe(BigInt(from));
    await cluster.onlyAlive('a', [1, 2, 3]);
    await cluster.clock.pass(300);
    expect(cluster.cosigner(3).durable().height).toBe(BigInt(to.at(-1)!));
    await cluster.onlyAlive('a', [2, 3]);
    await signedAt(to.at(-1)! + 1);
  });
});
