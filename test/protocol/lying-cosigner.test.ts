import { describe, expect, it } from 'vitest';
import type { CosignerMessage, SignedReply } from '../../src/shared/coordination/messages.js';
import { toSignatureShare } from '../../src/shared/frost/signature-share.js';
import { Cluster, told } from './cluster.js';
import { vote } from './votes.js';

// What one cosigner that lies can cost at most: a test for each row of the table in docs/invariants.md. What is wrong with a
// share, a commitment or stored bytes is in bad-cosigner.test.ts.

const LIAR = 2;
const badShare = (message: CosignerMessage): CosignerMessage =>
  message.kind === 'signed' ? { ...message, vote: spoiled(message.vote) } : message;
const spoiled = (one: SignedReply['vote']): SignedReply['vote'] => ({
  ...one,
  share: toSignatureShare(one.share.map((byte, i) => (i === 0 ? byte ^ 1 : byte))),
});
const honest = (message: CosignerMessage): CosignerMessage => message;

async function lying(
  shape: { readonly threshold: number; readonly count: number },
  lie: (message: CosignerMessage) => CosignerMessage,
): Promise<Cluster> {
  const cluster = await Cluster.start(shape);
  cluster.wire('a', LIAR).tamper = lie;
  return cluster;
}

describe('one that is left out', () => {
  it.each<[name: string, shape: { readonly threshold: number; readonly count: number }, alive: readonly number[]]>([
    ['of 2-of-2', { threshold: 2, count: 2 }, [1, 2]],
    ['of 2-of-3, when another is down', { threshold: 2, count: 3 }, [1, 2]],
    ['of 3-of-4, when another is down', { threshold: 3, count: 4 }, [1, 2, 4]],
  ])('%s: is asked all the same, and a good share brings it back', async (_name, shape, alive) => {
    const cluster = await lying(shape, badShare);
    await cluster.onlyAlive('a', alive);
    expect(told(await cluster.ask('a', vote({ at: [8, 0, 1] })))).toBe('QUORUM_LOST');
    const { chains } = [...cluster.link('a').peers()].find(({ id }) => id === LIAR)!;
    expect(chains.leftOut('test-1')).toBe('bad signature share');
    cluster.wire('a', LIAR).tamper = honest;
    const before = cluster.clock.nowMs();
    expect(told(await cluster.ask('a', vote({ at: [8, 0, 2] })))).toBe('signed 500');
    // There is nobody else to wait for.
    expect(cluster.clock.nowMs() - before).toBeLessThan(100);
    expect(chains.leftOut('test-1')).toBeUndefined();
  });

  it('is asked when one of the others only looks as if it would sign', async () => {
    const cluster = await lying({ threshold: 2, count: 3 }, badShare);
    expect(told(await cluster.ask('a', vote({ at: [8, 0, 1] })))).toBe('signed 500');
    cluster.wire('a', LIAR).tamper = honest;
    // Connected, without a word of refusal, and without commitments.
    await cluster.onlyAlive('a', [1, LIAR]);
    cluster.wire('a', 3).tamper = (message) =>
      message.kind === 'nonceBatch' ? { ...message, commitments: [] } : message;
    await cluster.onlyAlive('a', [1, LIAR, 3]);
    expect(told(await cluster.ask('a', vote({ at: [8, 0, 2] })))).toBe('signed 500');
  });
});
