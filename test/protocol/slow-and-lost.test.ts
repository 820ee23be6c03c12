import { beforeEach, describe, expect, it } from 'vitest';
import { MAX_QUEUED_SIGN_REQUESTS } from '../../src/shared/coordination/limits.js';
import { doneAfter } from '../support/memory-disk.js';
import { Cluster, DEADLINE_MS, told } from './cluster.js';
import { vote, type VoteSpec } from './votes.js';
import { ownRelease } from '../../src/shared/coordination/release.js';

const VOTE: VoteSpec = { at: [7, 0, 3], extension: 'x' };

describe('slow and lost cosigners, 2 of 3', () => {
  let cluster: Cluster;
  const asked = (id: number): number => cluster.wire('a', id).requests.length;
  beforeEach(async () => {
    cluster = await Cluster.start({ threshold: 2, count: 3 });
    // Each is known to be quick.
    for (let height = 1; height <= 3; height++) await cluster.ask('a', vote({ at: [height, 0, 1] }));
  });

  it('one hangs: a second attempt with the third wins', async () => {
    cluster.wire('a', 1).holdRequests = true;
    const before = asked(3);
    expect(told(await cluster.ask('a', vote(VOTE)))).toBe('signed 500');
    expect(asked(3)).toBe(before + 1);
  });

  it('one that made a vote wait is asked last', async () => {
    cluster.wire('a', 1).holdRequests = true;
    await cluster.ask('a', vote(VOTE));
    const before = asked(1);
    expect(told(await cluster.ask('a', vote({ at: [8, 0, 1] })))).toBe('signed 500');
    expect(asked(1)).toBe(before);
  });

  it.each(['BUSY', 'TERM_OLD'] as const)('one that says %s is asked last for a while', async (code) => {
    cluster.wire('a', 1).tamper = (message) =>
      message.kind === 'signed' ? { kind: 'refused', id: message.id, code, message: 'not now' } : message;
    expect(told(await cluster.ask('a', vote(VOTE)))).toBe('signed 500');
    const before = asked(1);
    expect(told(await cluster.ask('a', vote({ at: [8, 0, 1] })))).toBe('signed 500');
    expect(asked(1)).toBe(before);
  });

  it('one is slow and the third still slower: the first attempt may still win', async () => {
    cluster.wire('a', 1).delayMs = 60;
    cluster.wire('a', 3).delayMs = 500;
    const before = cluster.clock.nowMs();
    expect(told(await cluster.ask('a', vote(VOTE)))).toBe('signed 500');
    expect(asked(3)).toBe(1);
    expect(cluster.clock.nowMs() - before).toBeLessThan(200);
  });

  it('one hangs and no third is there: its answer is still good when it comes', async () => {
    await cluster.onlyAlive('a', [1, 2]);
    cluster.cosigner(1).disk.fates = doneAfter(cluster.clock, 3_000);
    expect(told(await cluster.ask('a', vote(VOTE)))).toBe('signed 500');
  });

  it.each([1, 2])('cosigner %i dies with the request in its hands', async (id) => {
    cluster.wire('a', id).holdReplies = true;
    const answer = cluster.asking('a', vote(VOTE));
    await cluster.clock.pass(4);
    cluster.killCosigner(id);
    await cluster.clock.pass(100);
    expect(told(await answer)).toBe('signed 500');
  });

  it('two die in the middle, and one comes back in time', async () => {
    const answer = cluster.asking('a', vote(VOTE));
    cluster.killCosigner(1);
    cluster.killCosigner(3);
    await cluster.clock.pass(2_000);
    await cluster.startCosigner(3);
    await cluster.clock.pass(200);
    expect(told(await answer)).toBe('signed 500');
  });

  it('two die in the middle for good: refused at the deadline, signed again when one is back', async () => {
    const answer = cluster.asking('a', vote(VOTE));
    cluster.killCosigner(1);
    cluster.killCosigner(3);
    await cluster.clock.pass(DEADLINE_MS);
    expect(await answer).toMatchObject({ kind: 'refused', code: 'QUORUM_LOST', message: /^1 of 3 .* 2 needed/ });
    await cluster.startCosigner(1);
    await cluster.clock.pass(2_000);
    expect(told(await cluster.ask('a', vote(VOTE)))).toBe('signed 500');
  });

  it('a stream that is lost and dialled again has new commitments', async () => {
    for (let height = 10; height < 40; height++) {
      const id = (height % 3) + 1;
      cluster.wire('a', id).drop();
      cluster.wire('a', id).open();
      expect(told(await cluster.ask('a', vote({ at: [height, 0, 2] })))).toBe('signed 500');
    }
  });

  it('hundreds of votes in a row: nobody runs out of commitments', async () => {
    for (let height = 10; height < 200; height++)
      expect(told(await cluster.ask('a', vote({ at: [height, 0, 3], extension: 'x' })))).toBe('signed 500');
    expect(cluster.logged('cosigner left out')).toEqual([]);
  });

  it('more requests at once than may wait: the last are refused at once, the others are signed in order', async () => {
    const outcomes: string[] = [];
    for (let i = 0; i < MAX_QUEUED_SIGN_REQUESTS + 2; i++)
      void cluster.asking('a', vote({ at: [10 + i, 0, 1] })).then((outcome) => outcomes.push(told(outcome)));
    await cluster.clock.pass(0);
    expect(outcomes).toEqual(['BUSY', 'BUSY']);
    await cluster.clock.pass(500);
    expect(outcomes.slice(2)).toEqual(Array<string>(MAX_QUEUED_SIGN_REQUESTS).fill('signed 500'));
  });

  it('requests that waited until their deadline are refused and no cosigner is asked', async () => {
    for (const id of [2, 3]) cluster.wire('a', id).holdRequests = true;
    const answers = [11, 12, 13].map((height) => cluster.asking('a', vote({ at: [height, 0, 1] })));
    await cluster.clock.pass(DEADLINE_MS - 1);
    for (const id of [2, 3]) cluster.wire('a', id).holdRequests = false;
    await cluster.clock.pass(200);
    expect((await Promise.all(answers)).map(told)).toEqual(['QUORUM_LOST', 'QUORUM_LOST', 'QUORUM_LOST']);
    expect(cluster.cosigner(1).durable().height).toBe(11n);
    expect(cluster.cosigner(2).durable().height).toBe(3n);
  });
});

describe('a cosigner that cannot serve just now, and no third', () => {
  it.each(['BUSY', 'TERM_OLD', 'NONCE_UNKNOWN'] as const)('%s: is asked again a little later', async (code) => {
    const cluster = await Cluster.start({ threshold: 2, count: 3 });
    await cluster.onlyAlive('a', [1, 2]);
    let times = 0;
    cluster.wire('a', 1).tamper = (message) =>
      message.kind === 'signed' && ++times <= 2 ? { kind: 'refused', id: message.id, code, message: 'no' } : message;
    expect(told(await cluster.ask('a', vote(VOTE)))).toBe('signed 500');
    expect(times).toBe(3);
  });
});

describe('a cosigner that is quick to fail must not spoil every attempt of those that are far away', () => {
  it.each<[name: string, rtt: number]>([
    ['10 ms', 10],
    ['150 ms', 150],
    ['300 ms', 300],
  ])('it refuses for its term, %s to the others', async (_name, rttMs) => {
    const cluster = await Cluster.start({ threshold: 2, count: 3 });
    cluster.wire('a', 1).tamper = (message) =>
      message.kind === 'signed' ? { kind: 'refused', id: message.id, code: 'TERM_OLD', message: 'no' } : message;
    for (const id of [2, 3]) cluster.wire('a', id).delayMs = rttMs / 2;
    await cluster.clock.pass(2_000);
    expect(told(await cluster.ask('a', vote(VOTE)))).toBe('signed 500');
  });

  it('it breaks its stream at every request and is back at once, 300 ms to the others', async () => {
    const cluster = await Cluster.start({ threshold: 2, count: 3 });
    const wire = cluster.wire('a', 1);
    wire.tamper = (message) => {
      if (message.kind !== 'signed') return message;
      cluster.clock.schedule(0, () => {
        wire.drop();
        wire.open();
      });
      return { kind: 'cosignerHello', ...ownRelease('test'), id: 1, chains: [] };
    };
    for (const id of [2, 3]) cluster.wire('a', id).delayMs = 150;
    await cluster.clock.pass(2_000);
    expect(told(await cluster.ask('a', vote(VOTE)))).toBe('signed 500');
  });
});
