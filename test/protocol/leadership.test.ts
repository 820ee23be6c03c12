import { describe, expect, it } from 'vitest';
import type { CosignerMessage } from '../../src/shared/coordination/messages.js';
import { Cluster, told } from './cluster.js';
import { RawLink } from './raw-link.js';
import { vote } from './votes.js';

const VOTE = vote({ at: [7, 0, 3] });

describe('terms and leases, seen from the signature', () => {
  it('a standby signs nothing', async () => {
    const cluster = await Cluster.start({ threshold: 2, count: 3, links: ['a', 'b'] });
    expect(told(await cluster.ask('b', VOTE))).toBe('NOT_LEADER');
    expect(cluster.cosigners.map((cosigner) => cosigner.durable().height)).toEqual([0n, 0n, 0n]);
  });

  it('a request with the term of an old leader, or with the leader’s term from another link, is refused', async () => {
    const cluster = await Cluster.start({ threshold: 2, count: 3, links: ['a', 'b'] });
    cluster.killLink('a');
    await cluster.clock.pass(3_000);
    const term = cluster.link('b').candidate.term()!;
    const raw = new RawLink(cluster, 'raw');
    for (const old of [term - 1, term])
      expect(await raw.ask([1, 2], VOTE, { term: old })).toMatchObject([{ code: 'TERM_OLD' }, { code: 'TERM_OLD' }]);
  });

  it('a standby that gives itself a term lifts no watermark while a leader is heard, and is served when it is not', async () => {
    const cluster = await Cluster.start({ threshold: 2, count: 3, links: ['a', 'b'] });
    const raw = new RawLink(cluster, 'raw');
    for (let times = 0; times < 20; times++) {
      await cluster.clock.pass(97);
      for (const term of [2, 2 ** 52])
        expect(await raw.ask([1, 2], VOTE, { term })).toMatchObject([{ code: 'TERM_OLD' }, { code: 'TERM_OLD' }]);
    }
    expect(cluster.cosigners.map((cosigner) => cosigner.durable().height)).toEqual([0n, 0n, 0n]);
    for (const id of [1, 2]) cluster.wire('a', id).silent = true;
    await cluster.clock.pass(600);
    expect(cluster.cosigner(1).process!.leases.describe(cluster.clock.nowMs()).holder).toBe('a');
    expect(await raw.ask([1, 2], VOTE, { term: 2 })).toMatchObject([{ kind: 'signed' }, { kind: 'signed' }]);
  });

  it('a leader whose streams are closed is followed by a standby at once', async () => {
    const cluster = await Cluster.start({ threshold: 2, count: 3, links: ['a', 'b'] });
    cluster.killLink('a');
    await cluster.clock.pass(10);
    expect(cluster.link('b').candidate.term()).toBe(2);
    expect(told(await cluster.ask('b', VOTE))).toMatch(/^signed/);
  });

  it('an old leader that does not know better gets no share from a majority', async () => {
    const cluster = await Cluster.start({ threshold: 2, count: 3, links: ['a', 'b'] });
    // Whatever the cosigners say to it, it reads as granted.
    for (const { id } of cluster.cosigners) cluster.wire('a', id).tamper = granting;
    for (const { id } of cluster.cosigners) cluster.cosigner(id).process!.leases.release('a', 1, cluster.clock.nowMs());
    const held = { leaseMs: 1_000, renewal: true };
    const renew = (): void => {
      for (const { process } of cluster.cosigners)
        process!.leases.request('b', { ...held, term: 99 }, cluster.clock.nowMs());
      cluster.clock.schedule(250, renew);
    };
    renew();
    expect(cluster.link('a').candidate.term()).toBe(1);
    const answer = await cluster.ask('a', VOTE);
    expect(answer.kind === 'refused' ? answer.code : 'signed').toMatch(/QUORUM_LOST|NOT_LEADER/);
    expect(cluster.cosigners.map((cosigner) => cosigner.durable().height)).toEqual([0n, 0n, 0n]);
  });

  it('two leaders that sign at once: one block, whoever asks first', async () => {
    const cluster = await Cluster.start({ threshold: 2, count: 3, links: ['a', 'b'] });
    for (const { id } of cluster.cosigners) cluster.wire('b', id).tamper = granting;
    // Nor do the cosigners keep them apart.
    for (const { process } of cluster.cosigners) process!.leases.admits = () => true;
    await cluster.clock.pass(3_000);
    expect(cluster.logged('lease acquired').map(({ link }) => link)).toEqual(['a', 'b']);
    for (let height = 10; height < 30; height++) {
      const answers = ['a', 'b'].map((link) => cluster.asking(link, vote({ at: [height, 0, 3], block: link })));
      await cluster.clock.pass(4_000);
      const outcomes = (await Promise.all(answers)).map(told);
      expect(outcomes.filter((outcome) => outcome.startsWith('signed')).length).toBeLessThanOrEqual(1);
    }
    // Half-finished rounds stop nothing: the next height is signed.
    expect(told(await cluster.ask('a', vote({ at: [30, 0, 1] })))).toBe('signed 500');
  });

  it('the lease is lost while the shares are on their way: nothing is released', async () => {
    const cluster = await Cluster.start({ threshold: 2, count: 3 });
    for (const { id } of cluster.cosigners) cluster.wire('a', id).delayMs = 700;
    const answer = cluster.asking('a', VOTE);
    await cluster.clock.pass(1);
    // From here on no heartbeat is answered in time.
    for (const { id } of cluster.cosigners)
      cluster.wire('a', id).tamper = (message) =>
        message.kind === 'heartbeatReply' ? { ...message, granted: false, holder: 'b' } : message;
    await cluster.clock.pass(2_000);
    expect(cluster.cosigners.filter((cosigner) => cosigner.durable().height === 7n).length).toBeGreaterThanOrEqual(2);
    expect(told(await answer)).toBe('NOT_LEADER');
  });

  it('the link was stopped for longer than its lease while the last share waited: nothing is released', async () => {
    const cluster = await Cluster.start({ threshold: 2, count: 3 });
    let shares = 0;
    for (const { id } of cluster.cosigners)
      cluster.wire('a', id).tamper = (message) => {
        // No timer of the link runs between this and its answer.
        if (message.kind === 'signed' && ++shares === 2) cluster.clock.leap(2_000);
        return message;
      };
    expect(told(await cluster.ask('a', VOTE))).toBe('NOT_LEADER');
    expect(shares).toBe(2);
  });

  it('the link stops in the middle of a round: nothing is released, the next one signs at once', async () => {
    const cluster = await Cluster.start({ threshold: 2, count: 3, links: ['a', 'b'] });
    const answer = cluster.asking('a', VOTE);
    await cluster.clock.pass(1);
    cluster.link('a').stop();
    await cluster.clock.pass(900);
    expect(told(await answer)).toBe('NOT_LEADER');
    expect(told(await cluster.ask('b', VOTE))).toBe('signed 500');
  });

  it.each([2 ** 53 - 1, 5_000])('a cosigner that claims term %i does not end leadership', async (giant) => {
    const cluster = await Cluster.start({ threshold: 2, count: 3, links: ['a', 'b'] });
    const claim = (message: CosignerMessage): CosignerMessage =>
      message.kind === 'heartbeatReply' ? { ...message, granted: false, holder: '', term: giant } : message;
    for (const link of ['a', 'b']) cluster.wire(link, 2).tamper = claim;
    await cluster.clock.pass(5_000);
    expect(told(await cluster.ask('a', VOTE))).toBe('signed 500');
    cluster.killLink('a');
    await cluster.clock.pass(5_000);
    expect(told(await cluster.ask('b', vote({ at: [8, 0, 1] })))).toBe('signed 500');
    // A good one restarts and knows no term.
    cluster.killCosigner(1);
    await cluster.startCosigner(1);
    await cluster.clock.pass(5_000);
    expect(told(await cluster.ask('b', vote({ at: [9, 0, 1] })))).toBe('signed 500');
  });
});

describe('a lying link has left the cosigners terms that are far apart', () => {
  const LAST = 2 ** 53 - 1;
  const DOWN = undefined;
  const RESTARTED = 0;
  const termsOf = (cluster: Cluster): readonly (number | undefined)[] =>
    cluster.cosigners.map(({ process }) => process?.leases.describe(cluster.clock.nowMs()).term);

  it.each<[threshold: number, terms: readonly (number | undefined)[], led: number]>([
    [2, [10, 5_000, 20_000], 6_001],
    [2, [10, 5_000_000, 20_000_000], 5_001_001],
    [2, [10, 5_000_000, DOWN], 1_011],
    [3, [1, 4_000_000, 8_000_000, 9_000_000], 8_001_001],
    [3, [1, 2_000_000, 4_000_000, 6_000_000, 8_000_000], 4_001_001],
    [3, [2_000_000, 4_000_000, 6_000_000, DOWN, DOWN], 2_001_001],
    [4, [1, 1, 1, 5_000_000, 5_000_000], 1_002],
    [2, [RESTARTED, 2 ** 50, 2 ** 50], 2 ** 50 + 1],
    // No number comes after the last one.
    [2, [LAST, LAST, LAST], 1],
    [2, [RESTARTED, LAST, DOWN], 1_001],
  ])('%i promises, terms %j: an honest link leads and signs within 2.5 s', async (threshold, terms, led) => {
    const cluster = await Cluster.start({ threshold, count: terms.length });
    cluster.killLink('a');
    await cluster.clock.pass(1_000);
    const liar = new RawLink(cluster, 'liar');
    for (const [index, term] of terms.entries()) {
      if (term === DOWN || term === RESTARTED) cluster.killCosigner(1 + index);
      if (term === RESTARTED) await cluster.startCosigner(1 + index);
      else if (term !== DOWN) liar.renew(1 + index, term);
    }
    expect(termsOf(cluster)).toEqual(terms);
    liar.close();
    cluster.addLink('a');
    await cluster.clock.pass(2_500);
    expect(told(await cluster.ask('a', VOTE))).toBe('signed 500');
    expect(termsOf(cluster)).toEqual(terms.map((term) => (term === DOWN ? DOWN : led)));
  });

  it.each([5_000, 20_000_000, LAST])(
    '%i, and holds on to one: the others are led, and it is once it is let go',
    async (far) => {
      const cluster = await Cluster.start({ threshold: 2, count: 3 });
      cluster.killLink('a');
      await cluster.clock.pass(1_000);
      const liar = new RawLink(cluster, 'liar');
      for (const [id, term] of [10, 5_000_000].entries()) liar.renew(1 + id, term);
      let holds = true;
      const hold = (): void => {
        if (!holds) return;
        liar.renew(3, far);
        cluster.clock.schedule(200, hold);
      };
      hold();
      cluster.addLink('a');
      await cluster.clock.pass(2_500);
      expect(told(await cluster.ask('a', VOTE))).toBe('signed 500');
      const term = cluster.link('a').candidate.term()!;
      expect(termsOf(cluster)).toEqual([term, term, far]);
      holds = false;
      liar.close();
      await cluster.clock.pass(1_500);
      expect(termsOf(cluster)).toEqual([term, term, term]);
      // It signs, too.
      cluster.killCosigner(1);
      expect(told(await cluster.ask('a', vote({ at: [8, 0, 3] })))).toBe('signed 500');
    },
  );
});

describe('who leads, with what a firewall does to it', () => {
  /** The streams of a link to some cosigners end, and its ports refuse from then on. */
  const refuse = (cluster: Cluster, link: string, ids: readonly number[]): void => {
    for (const id of ids) {
      const wire = cluster.wire(link, id);
      wire.drop();
      const again = (): void => {
        wire.refuse();
        cluster.clock.schedule(150, again);
      };
      again();
    }
  };
  const leading = (cluster: Cluster): readonly string[] =>
    ['a', 'b'].filter((link) => cluster.link(link).candidate.term() !== undefined);
  const lost = (cluster: Cluster): readonly unknown[] => cluster.logged('lease lost').map(({ reason }) => reason);

  it('it hears of the next leader by the one cosigner that it still reaches', async () => {
    const cluster = await Cluster.start({ threshold: 2, count: 3, links: ['a', 'b'] });
    refuse(cluster, 'a', [1, 2]);
    await cluster.clock.pass(3_000);
    expect([leading(cluster), lost(cluster)]).toEqual([['b'], ['another sentry-link leads in term 2']]);
    expect(told(await cluster.ask('b', VOTE))).toBe('signed 500');
  });

  it('it reaches none: it goes on for one lease, and says what it misses', async () => {
    const cluster = await Cluster.start({ threshold: 2, count: 3, links: ['a', 'b'] });
    refuse(cluster, 'a', [1, 2, 3]);
    await cluster.clock.pass(800);
    // Two at once are harmless.
    expect([leading(cluster), lost(cluster)]).toEqual([['a', 'b'], []]);
    await cluster.clock.pass(400);
    expect([leading(cluster), lost(cluster)]).toEqual([['b'], ['no quorum: 0 of 3 cosigners within reach']]);
  });

  it('another reaches no more than it: nobody leads, and each says so', async () => {
    const cluster = await Cluster.start({ threshold: 2, count: 3, links: ['a', 'b'] });
    refuse(cluster, 'a', [1, 2]);
    refuse(cluster, 'b', [2, 3]);
    await cluster.clock.pass(61_000);
    expect([leading(cluster), lost(cluster)]).toEqual([[], ['no quorum: 1 of 3 cosigners within reach']]);
    for (const event of ['quorum lost', 'still no quorum'])
      expect(cluster.logged(event)).toMatchObject(
        ['a', 'b'].map((link) => ({
          ...{ link, code: 'QUORUM_LOST' },
          reason: expect.stringMatching(/^no quorum: 1 of 3 cosigners within reach/) as unknown,
        })),
      );
    expect(['standing by', 'no sentry-link leads'].flatMap((event) => cluster.logged(event)).length).toBeLessThan(2);
  });

  it('two cosigners that sign nothing: the leader still dials, and the lease goes round', async () => {
    const cluster = await Cluster.start({ threshold: 2, count: 3, links: ['a', 'b'] });
    const halted = (message: CosignerMessage): CosignerMessage =>
      message.kind === 'heartbeatReply'
        ? { ...message, chains: message.chains.map((chain) => ({ ...chain, halted: 'STATE_WRITE_FAILED' as const })) }
        : message;
    for (const id of [1, 2]) for (const link of ['a', 'b']) cluster.wire(link, id).tamper = halted;
    await cluster.clock.pass(60_000);
    expect(new Set(lost(cluster))).toEqual(
      new Set(['nothing could be signed here for 10 s, and another sentry-link is connected']),
    );
    const turns = cluster.logged('lease acquired').map(({ link }) => link);
    expect(turns.slice(0, 6)).toEqual(['a', 'b', 'a', 'b', 'a', 'b']);
    expect(leading(cluster)).toHaveLength(1);
    for (const id of [1, 2]) for (const link of ['a', 'b']) cluster.wire(link, id).tamper = (message) => message;
    await cluster.clock.pass(2_000);
    expect(told(await cluster.ask(leading(cluster)[0]!, VOTE))).toBe('signed 500');
  });
});

function granting(message: CosignerMessage): CosignerMessage {
  return message.kind === 'heartbeatReply' ? { ...message, granted: true, holder: '', remainingMs: 0 } : message;
}
