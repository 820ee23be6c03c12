import { beforeEach, describe, expect, it } from 'vitest';
import { Cluster, told } from './cluster.js';
import { RawLink } from './raw-link.js';
import { vote, type VoteSpec } from './votes.js';

/**
 * The vote that some cosigners stored and nobody finished: the node asks again, through another link, with the time of
 * now. It deadlocks Horcrux (its issues 296 and 299); here it must end in a signature.
 */
const PRECOMMIT = [7, 0, 3] as const;
const PREVOTE = [7, 0, 2] as const;
const ASKED: VoteSpec = { at: PRECOMMIT, nanos: 500 };

describe('a link dies when one cosigner has stored the vote and given its share', () => {
  let cluster: Cluster;
  beforeEach(async () => {
    cluster = await Cluster.start({ threshold: 2, count: 3, links: ['a', 'b'] });
  });

  async function halfFinish(): Promise<void> {
    // Two are asked, one of them never gets the request, and the other's share is lost with the link.
    await cluster.onlyAlive('a', [2, 3]);
    cluster.wire('a', 2).holdRequests = true;
    cluster.wire('a', 3).holdReplies = true;
    void cluster.asking('a', vote(ASKED));
    await cluster.clock.pass(10);
    expect(cluster.cosigner(3).durable().signBytes).toEqual(vote(ASKED).signBytes);
    expect(cluster.cosigner(2).durable().height).toBe(0n);
    cluster.killLink('a');
    await cluster.clock.pass(3_000);
    expect(cluster.logged('lease acquired').map(({ link }) => link)).toEqual(['a', 'b']);
  }

  it.each<[name: string, alive: readonly number[], again: VoteSpec, expected: string]>([
    ['same bytes', [1, 2, 3], ASKED, 'signed 500'],
    ['same bytes, only it and another are alive', [1, 3], ASKED, 'signed 500'],
    ['same bytes, it is down', [1, 2], ASKED, 'signed 500'],
    ['later', [1, 2, 3], { ...ASKED, nanos: 900 }, 'signed 500'],
    ['later, only it and another are alive', [1, 3], { ...ASKED, nanos: 900 }, 'signed 900'],
    ['later, it is down', [1, 2], { ...ASKED, nanos: 900 }, 'signed 900'],
    ['earlier', [1, 2, 3], { ...ASKED, nanos: 100 }, 'signed 500'],
    ['earlier, only it and another are alive', [1, 3], { ...ASKED, nanos: 100 }, 'signed 500'],
    ['another block', [1, 2, 3], { ...ASKED, block: 'B' }, 'signed 500'],
    ['another block, it is down', [1, 2], { ...ASKED, block: 'B', nanos: 900 }, 'signed 900'],
    ['nil', [1, 2, 3], { ...ASKED, block: 'nil' }, 'signed 500'],
    ['another block, it must sign with', [2, 3], { ...ASKED, block: 'B' }, 'DOUBLE_SIGN'],
    ['nil, it must sign with', [1, 3], { ...ASKED, block: 'nil' }, 'DOUBLE_SIGN'],
  ])('the next link is asked for %s', async (_name, alive, again, expected) => {
    await halfFinish();
    await cluster.onlyAlive('b', alive);
    const outcome = told(await cluster.ask('b', vote(again)));
    if (expected !== 'DOUBLE_SIGN') return expect(outcome).toBe(expected);
    // It refuses; the one that is down may come back in time, so the answer waits for it.
    expect(outcome).toBe('QUORUM_LOST');
    await cluster.onlyAlive('b', [1, 2, 3]);
    expect(told(await cluster.ask('b', vote(again)))).toBe('signed 500');
  });

  it('with an extension: the next link may sign the same precommit with another extension', async () => {
    await new RawLink(cluster).ask([3], vote({ ...ASKED, extension: 'one' }));
    const outcome = await cluster.ask('a', vote({ ...ASKED, nanos: 900, extension: 'two' }));
    // The others have signed for the later time when it says what it stored; it adopts that.
    expect(told(outcome)).toBe('signed 900');
    expect(cluster.cosigner(3).durable().signBytes).toEqual(vote(ASKED).signBytes);
    await cluster.onlyAlive('a', [2, 3]);
    expect(told(await cluster.ask('a', vote({ ...ASKED, nanos: 950, extension: 'three' })))).toBe('signed 900');
    expect(cluster.cosigner(3).durable().signBytes).toEqual(vote({ ...ASKED, nanos: 900 }).signBytes);
  });

  it('a proposal that differs in its time is refused where it is stored, and signed by the others', async () => {
    const proposal: VoteSpec = { at: [7, 0, 1], nanos: 500 };
    await new RawLink(cluster).ask([1], vote(proposal));
    expect(told(await cluster.ask('a', vote({ ...proposal, nanos: 900 })))).toBe('signed 900');
    expect(cluster.cosigner(1).durable().signBytes).toEqual(vote(proposal).signBytes);
  });
});

describe('two half-finished attempts', () => {
  const at = PREVOTE;
  it.each<[name: string, alive: readonly number[], again: VoteSpec, expected: RegExp]>([
    ['the older again', [1, 2, 3], { at, nanos: 500 }, /^signed [56]00$/],
    ['the newer again', [1, 2, 3], { at, nanos: 600 }, /^signed [56]00$/],
    ['between', [1, 2, 3], { at, nanos: 550 }, /^signed (500|550|600)$/],
    ['later', [1, 2, 3], { at, nanos: 900 }, /^signed [569]00$/],
    ['the older again, both must sign', [1, 2], { at, nanos: 500 }, /^signed 600$/],
    ['the newer again, both must sign', [1, 2], { at, nanos: 600 }, /^signed 600$/],
    ['later, both must sign', [1, 2], { at, nanos: 900 }, /^signed 600$/],
    ['earlier, both must sign', [1, 2], { at, nanos: 100 }, /^signed 600$/],
    ['later, the newer one is down', [1, 3], { at, nanos: 900 }, /^signed [59]00$/],
    ['later, the older one is down', [2, 3], { at, nanos: 900 }, /^signed [69]00$/],
  ])('with different times on two cosigners: %s', async (_name, alive, again, expected) => {
    const cluster = await Cluster.start({ threshold: 2, count: 3 });
    const dead = new RawLink(cluster);
    await dead.ask([1], vote({ at, nanos: 500 }));
    await dead.ask([2], vote({ at, nanos: 600 }));
    dead.close();
    await cluster.onlyAlive('a', alive);
    expect(told(await cluster.ask('a', vote(again)))).toMatch(expected);
  });

  it('for different blocks on two cosigners: nobody gets a second signature, and the next round goes on', async () => {
    const cluster = await Cluster.start({ threshold: 2, count: 3 });
    const dead = new RawLink(cluster);
    await dead.ask([1], vote({ at, block: 'A' }));
    await dead.ask([2], vote({ at, block: 'B' }));
    expect(told(await cluster.ask('a', vote({ at, block: 'C' })))).toBe('DOUBLE_SIGN');
    expect(told(await cluster.ask('a', vote({ at, block: 'A' })))).toBe('signed 500');
    expect(told(await cluster.ask('a', vote({ at, block: 'B' })))).toBe('DOUBLE_SIGN');
    expect(told(await cluster.ask('a', vote({ at: [7, 1, 2], block: 'B' })))).toBe('signed 500');
  });

  it('when another has signed for the time of now, the one with an older time adopts it, in one more round trip', async () => {
    const cluster = await Cluster.start({ threshold: 2, count: 3 });
    await new RawLink(cluster).ask([2], vote({ at, nanos: 500 }));
    cluster.wire('a', 2).delayMs = 5;
    await cluster.onlyAlive('a', [1, 2]);
    expect(told(await cluster.ask('a', vote({ at, nanos: 900 })))).toBe('signed 900');
    expect(cluster.wire('a', 2).requests.map(({ settle }) => settle)).toEqual([false, true]);
  });

  it('the same link, asked again with a later time, signs what it signed', async () => {
    const cluster = await Cluster.start({ threshold: 2, count: 3 });
    expect(told(await cluster.ask('a', vote({ at, nanos: 500 })))).toBe('signed 500');
    const before = cluster.wire('a', 1).requests.length + cluster.wire('a', 2).requests.length;
    expect(told(await cluster.ask('a', vote({ at, nanos: 900 })))).toBe('signed 500');
    // One round trip: the cosigners need not say what they stored.
    expect(cluster.wire('a', 1).requests.length + cluster.wire('a', 2).requests.length).toBe(before + 2);
  });
});
