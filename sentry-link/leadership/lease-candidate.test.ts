import { describe, expect, it } from 'vitest';
import type { LinkMessage } from '../../src/shared/coordination/messages.js';
import { ManualClock } from '../../test/support/manual-clock.js';
import { EMBEDDED, type LeaseBackend } from './lease-backend.js';
import { LeaseCandidate } from './lease-candidate.js';

const LEASE_MS = 1_000;
const LAST = 2 ** 53 - 1;

/** A cosigner that grants one lease at a time and can be cut off from a link, as far as a candidate sees it. */
class FakeCosigner {
  holder = '';
  term = 0;
  untilMs = 0;
  renewedTerm = 0;
  otherLink = false;
  standbys: readonly string[] = [];
  promisesNothing = false;
  readonly cutOff = new Set<string>();

  answer(link: string, message: LinkMessage, nowMs: number): { granted: boolean } {
    if (message.kind === 'leaseRelease' && this.holder === link && this.term === message.term) this.untilMs = 0;
    if (message.kind !== 'heartbeat' || message.lease === undefined) return { granted: false };
    const { term } = message.lease;
    const live = nowMs < this.untilMs;
    const free = live ? this.holder === link && term >= this.term : this.holder === link || term !== this.term;
    const granted = free && !this.promisesNothing;
    if (granted) Object.assign(this, { holder: link, term, untilMs: nowMs + LEASE_MS });
    return { granted };
  }
}

class World {
  readonly clock = new ManualClock();
  readonly cosigners: readonly FakeCosigner[];
  readonly events: string[] = [];
  /** What releases said of who is to lead next. */
  readonly handedTo: (string | undefined)[] = [];
  /** How often each link asked for a lease that it does not hold. */
  readonly asked: string[] = [];
  readonly backends = new Map<string, LeaseBackend>();
  /** Links of which something could be signed. */
  readonly useful = new Set(['a', 'b']);
  readonly #threshold: number;

  constructor(threshold = 2, count = 3) {
    this.cosigners = Array.from({ length: count }, () => new FakeCosigner());
    this.#threshold = threshold;
  }

  candidate(name: string): LeaseCandidate {
    const { clock } = this;
    const cosigners = this.cosigners.map((_, index) => 1 + index);
    const candidate: LeaseCandidate = new LeaseCandidate(
      { cosigners, threshold: this.#threshold, leaseMs: LEASE_MS },
      {
        backend: this.backends.get(name) ?? EMBEDDED,
        clock,
        random: (length) => new Uint8Array(length).fill(name.charCodeAt(0)),
        useful: () => this.useful.has(name),
        ready: () => this.useful.has(name),
        send: (id, message) => {
          const cosigner = this.cosigners[id - 1]!;
          if (message.kind === 'leaseRelease') this.handedTo.push(message.to);
          if (message.kind === 'heartbeat' && message.lease?.renewal === false) this.asked.push(name);
          if (cosigner.cutOff.has(name)) return false;
          clock.schedule(1, () => {
            const { granted } = cosigner.answer(name, message, clock.nowMs());
            if (message.kind !== 'heartbeat') return;
            const live = clock.nowMs() < cosigner.untilMs;
            const [holder, remainingMs] = live ? [cosigner.holder, cosigner.untilMs - clock.nowMs()] : ['', 0];
            const { term, renewedTerm, otherLink, standbys } = cosigner;
            const reply = {
              ...({ kind: 'heartbeatReply', id: message.id, chains: [] } as const),
              ...{ granted, term, holder, remainingMs, renewedTerm, otherLink, standbys },
            };
            if (!cosigner.cutOff.has(name)) clock.schedule(1, () => candidate.onReply(id, reply));
          });
          return true;
        },
        onAcquired: (term) => this.events.push(`${name} leads in term ${term}`),
        onLost: (reason) => this.events.push(`${name} lost: ${reason}`),
        onRoundTrip: () => undefined,
      },
    );
    for (const id of cosigners) candidate.peerUp(id);
    candidate.start();
    return candidate;
  }

  /** Nothing gets through any more; nobody is told. */
  cutOff(name: string, ...ids: number[]): void {
    for (const id of ids) this.cosigners[id - 1]!.cutOff.add(name);
  }

  /** The streams of a link end. */
  close(name: string, candidate: LeaseCandidate, ...ids: number[]): void {
    this.cutOff(name, ...ids);
    for (const id of ids) candidate.peerLost(id);
  }

  /** A dial of each is refused, again and again. */
  async refuse(candidate: LeaseCandidate, ids: readonly number[], ms: number): Promise<void> {
    for (let passedMs = 0; passedMs < ms; passedMs += 250) {
      for (const id of ids) candidate.peerDown(id);
      await this.clock.pass(250);
    }
  }

  all(change: Partial<FakeCosigner>): void {
    for (const cosigner of this.cosigners) Object.assign(cosigner, change);
  }
}

describe('lease candidate', () => {
  it('two links: one leads, the other stays back', async () => {
    const world = new World();
    const [a, b] = [world.candidate('a'), world.candidate('b')];
    await world.clock.pass(10_000);
    expect(world.events).toHaveLength(1);
    expect([a.term(), b.term()].filter((term) => term !== undefined)).toHaveLength(1);
  });

  it('a leader that is cut off from too many stops before another may start', async () => {
    const world = new World();
    world.candidate('a');
    await world.clock.pass(2_000);
    world.candidate('b');
    await world.clock.pass(2_000);
    world.cutOff('a', 1, 2);
    await world.clock.pass(4_000);
    expect(world.events).toEqual([
      'a leads in term 1',
      'a lost: the lease ran out',
      expect.stringMatching(/^b leads in term [2-9]/),
    ]);
  });

  it('a leader that resigns is followed at once', async () => {
    const world = new World();
    const a = world.candidate('a');
    await world.clock.pass(2_000);
    world.candidate('b');
    await world.clock.pass(2_000);
    a.stop();
    await world.clock.pass(LEASE_MS);
    expect(world.events).toEqual(['a leads in term 1', 'a lost: stopped', 'b leads in term 2']);
  });

  it('nobody leads with fewer promises than a signature takes', async () => {
    const world = new World();
    const a = world.candidate('a');
    world.cutOff('a', 2, 3);
    await world.clock.pass(10_000);
    expect(world.events).toEqual([]);
    expect(a.term()).toBeUndefined();
  });

  it('a leader whose term was another’s at one cosigner raises its own', async () => {
    const world = new World();
    const a = world.candidate('a');
    await world.clock.pass(2_000);
    Object.assign(world.cosigners[0]!, { holder: 'b', term: 1, untilMs: 0 });
    await world.clock.pass(2_000);
    expect(a.term()).toBe(2);
    expect(world.events).toEqual(['a leads in term 1']);
  });

  it.each<[why: string, terms: readonly number[], asked: number]>([
    ['all alike', [4, 4, 4], 5],
    ['one started anew', [0, 4, 4], 5],
    ['one is as far up as a link follows', [4, 1_004, 4], 1_005],
    ['one is further up', [4, 1_005, 4], 1_005],
    ['each is far from the others', [10, 5_000_000, 20_000_000], 5_001_001],
    ['one has reached the last number', [4, LAST, 4], 1_005],
    ['most are near it', [LAST - 700, LAST - 3, LAST - 2], LAST - 1],
    ['most have reached it: they begin anew', [LAST, 4, LAST], 1],
  ])('a candidate asks for a term: %s', async (_why, terms, asked) => {
    const world = new World();
    terms.forEach((term, index) => Object.assign(world.cosigners[index]!, { term, holder: 'b' }));
    world.candidate('a');
    await world.clock.pass(2_000);
    expect(world.events).toEqual([`a leads in term ${asked}`]);
  });
});

describe('a leader needs as many promises as a signature takes', () => {
  it.each<[threshold: number, count: number, reached: readonly number[], leads: boolean]>([
    [2, 3, [1, 2], true],
    [2, 3, [1], false],
    [4, 5, [1, 2, 3], false],
    [4, 5, [1, 2, 3, 5], true],
    [3, 3, [2, 3], false],
  ])('%i of %i, promised by %j', async (threshold, count, reached, leads) => {
    const world = new World(threshold, count);
    const ids = world.cosigners.map((_, index) => 1 + index);
    world.cutOff('a', ...ids.filter((id) => !reached.includes(id)));
    const a = world.candidate('a');
    await world.clock.pass(5_000);
    expect(a.term() !== undefined).toBe(leads);
  });

  it('more than half of the cosigners is not enough where a signature takes more', async () => {
    const world = new World(4, 5);
    for (const id of [4, 5]) world.cosigners[id - 1]!.promisesNothing = true;
    const a = world.candidate('a');
    await world.clock.pass(5_000);
    expect(a.term()).toBeUndefined();
    world.cosigners[3]!.promisesNothing = false;
    await world.clock.pass(5_000);
    expect(a.term()).toBeDefined();
  });

  it('a promise ends with its stream: enough others have to be left', async () => {
    const world = new World();
    const a = world.candidate('a');
    await world.clock.pass(2_000);
    world.close('a', a, 1);
    await world.clock.pass(5_000);
    expect(world.events).toEqual(['a leads in term 1']);
    world.close('a', a, 2);
    await world.clock.pass(LEASE_MS);
    expect(world.events).toEqual(['a leads in term 1', 'a lost: no quorum: 1 of 3 cosigners within reach']);
  });

  it('a stream that is open again within a moment costs no lease', async () => {
    const world = new World();
    const a = world.candidate('a');
    await world.clock.pass(2_000);
    world.close('a', a, 1, 2, 3);
    await world.clock.pass(200);
    for (const cosigner of world.cosigners) Object.assign(cosigner, { untilMs: 0 }).cutOff.clear();
    for (const id of [1, 2, 3]) a.peerUp(id);
    await world.clock.pass(5_000);
    expect(world.events).toEqual(['a leads in term 1']);
  });

  it('a candidate counts no promise whose stream is closed', async () => {
    const world = new World();
    world.cutOff('a', 2, 3);
    const a = world.candidate('a');
    await world.clock.pass(2_000);
    // One promises, and is gone when the next one does.
    world.cosigners[1]!.cutOff.clear();
    Object.assign(world.cosigners[2]!, { holder: 'b', term: 1, untilMs: Infinity });
    world.cosigners[2]!.cutOff.clear();
    await world.clock.pass(1);
    world.close('a', a, 1);
    await world.clock.pass(5_000);
    expect(world.events).toEqual([]);
  });
});

describe('a lease that ends before its time', () => {
  /** `a` leads and dies; `b` stands by. */
  async function dead(): Promise<{ world: World; b: LeaseCandidate }> {
    const world = new World();
    const a = world.candidate('a');
    await world.clock.pass(2_000);
    const b = world.candidate('b');
    await world.clock.pass(2_100);
    world.cutOff('a', 1, 2, 3);
    a.stop();
    world.events.length = 0;
    world.asked.length = 0;
    world.all({ untilMs: 0 });
    return { world, b };
  }

  it('is asked for at once when enough cosigners say so: one round trip', async () => {
    const { world, b } = await dead();
    b.onFree(1, 0);
    expect(world.asked).toEqual([]);
    b.onFree(2, 0);
    expect(world.asked).toEqual(['b', 'b', 'b']);
    await world.clock.pass(2);
    expect(world.events).toEqual(['b leads in term 2']);
  });

  it('is asked for by one that has just asked in vain, too', async () => {
    const { world, b } = await dead();
    world.all({ promisesNothing: true });
    for (const id of [1, 2, 3]) b.onFree(id, 0);
    // It gives back what it got after half a lease, and would wait for as long again at least.
    await world.clock.pass(LEASE_MS * 0.8);
    world.all({ promisesNothing: false });
    for (const id of [1, 2, 3]) b.onFree(id, 0);
    await world.clock.pass(2);
    expect(world.events).toEqual(['b leads in term 2']);
  });

  it('is had by a candidate, too, that asked in the very term of the one that had it', async () => {
    const { world, b } = await dead();
    world.all({ holder: 'a', term: 2, untilMs: Infinity });
    b.onFree(1, 0);
    b.onFree(2, 0);
    await world.clock.pass(100);
    // It has asked in term 2, and is refused.
    expect([world.asked.length > 0, world.events]).toEqual([true, []]);
    world.all({ untilMs: 0 });
    for (const id of [1, 2, 3]) b.onFree(id, 0);
    await world.clock.pass(2);
    expect(world.events).toEqual(['b leads in term 3']);
  });

  it('keeps no candidate from giving up, and giving back, however often one cosigner says that it is free', async () => {
    const { world, b } = await dead();
    const liar = world.cosigners[0]!;
    world.all({ holder: 'a', term: 2, untilMs: Infinity });
    b.onFree(1, 0);
    b.onFree(2, 0);
    Object.assign(liar, { holder: '', untilMs: 0 });
    const given = world.handedTo.length;
    for (let passedMs = 0; passedMs < LEASE_MS; passedMs += 25) {
      b.onFree(1, 0);
      await world.clock.pass(25);
    }
    expect(world.handedTo.length).toBeGreaterThan(given);
  });

  it('is asked for in turn, each a round trip and a little after the last', async () => {
    const { world, b } = await dead();
    for (const id of [1, 2, 3]) b.onFree(id, 2);
    await world.clock.pass(43);
    expect(world.asked).toEqual([]);
    await world.clock.pass(1);
    expect(world.asked).toEqual(['b', 'b', 'b']);
  });

  it('is not had by one whose turn comes when another has it', async () => {
    const { world, b } = await dead();
    for (const id of [1, 2, 3]) b.onFree(id, 5);
    world.all({ holder: 'c', term: 9, untilMs: Infinity });
    await world.clock.pass(2_000);
    expect(world.asked).toContain('b');
    expect(world.events).toEqual([]);
  });

  it('one that leads, or is stopped, does nothing about it', async () => {
    const world = new World();
    const a = world.candidate('a');
    await world.clock.pass(2_000);
    world.asked.length = 0;
    for (const id of [1, 2, 3]) a.onFree(id, 0);
    a.stop();
    for (const id of [1, 2, 3]) a.onFree(id, 0);
    expect(world.asked).toEqual([]);
  });
});

describe('a planned hand-over', () => {
  const led = async (standbys: readonly (readonly string[])[]): Promise<{ world: World; a: LeaseCandidate }> => {
    const world = new World();
    const a = world.candidate('a');
    await world.clock.pass(1_000);
    for (const [index, names] of standbys.entries()) world.cosigners[index]!.standbys = names;
    await world.clock.pass(1_000);
    return { world, a };
  };

  it.each<[name: string, standbys: readonly (readonly string[])[], ready: readonly string[]]>([
    ['nobody', [[], [], []], []],
    ['whom enough cosigners name', [['b', 'c'], ['c'], ['b', 'd']], ['b', 'c']],
    ['not whom one names alone', [['x'], [], []], []],
  ])('is ready: %s', async (_name, standbys, ready) => {
    expect((await led(standbys)).a.standbys()).toEqual(ready);
  });

  it.each<[name: string, standbys: readonly (readonly string[])[], to: string | undefined, told: string]>([
    ['to one that is ready', [['b'], ['b'], ['b']], 'b', 'a lost: stopped; handed over to b'],
    ['to nobody', [[], [], []], undefined, 'a lost: stopped'],
  ])('at its end: %s', async (_name, standbys, to, told) => {
    const { world, a } = await led(standbys);
    a.stop();
    expect(world.handedTo).toEqual([to, to, to]);
    expect(world.events).toEqual(['a leads in term 1', told]);
  });

  it('on demand: it is back when nobody has taken the lease for as long as one is', async () => {
    const { world, a } = await led([['b'], ['b'], ['b']]);
    a.handOver('b');
    expect(world.handedTo).toEqual(['b', 'b', 'b']);
    await world.clock.pass(LEASE_MS - 300);
    expect(world.events).toEqual(['a leads in term 1', 'a lost: handed over to b']);
    await world.clock.pass(600);
    expect(world.events.at(-1)).toBe('a leads in term 2');
  });

  it('one that does not lead hands nothing over', async () => {
    const { world, a } = await led([[], [], []]);
    world.all({ holder: 'b', term: 9, untilMs: Infinity });
    await world.clock.pass(3_000);
    world.handedTo.length = 0;
    a.handOver('b');
    expect(world.handedTo).toEqual([]);
  });
});

describe('ports that refuse', () => {
  const START = 'a leads in term 1';
  const NO_QUORUM = 'a lost: no quorum: 1 of 3 cosigners within reach';

  it('stand in for promises: a leader goes on while the missing cosigners seem not to run', async () => {
    const world = new World();
    const a = world.candidate('a');
    await world.clock.pass(2_000);
    world.close('a', a, 1, 2);
    await world.refuse(a, [1, 2], 5_000);
    expect(world.events).toEqual([START]);
    await world.clock.pass(LEASE_MS);
    expect(world.events).toEqual([START, NO_QUORUM]);
  });

  it.each<[name: string, refusedMs: number, told: readonly string[]]>([
    ['for less than 10 s', 9_750, [START]],
    ['for more', 10_250, [START, NO_QUORUM]],
  ])('%s', async (_name, refusedMs, told) => {
    const world = new World();
    const a = world.candidate('a');
    await world.clock.pass(2_000);
    world.close('a', a, 1, 2);
    await world.refuse(a, [1, 2], refusedMs);
    expect(world.events).toEqual(told);
  });

  it('for 10 s anew once there were enough promises', async () => {
    const world = new World();
    const a = world.candidate('a');
    await world.clock.pass(2_000);
    for (let times = 0; times < 3; times++) {
      world.close('a', a, 1, 2);
      await world.refuse(a, [1, 2], 8_000);
      for (const cosigner of world.cosigners) cosigner.cutOff.clear();
      for (const id of [1, 2]) a.peerUp(id);
      await world.clock.pass(250);
    }
    expect(world.events).toEqual([START]);
  });

  it.each<[name: string, ids: readonly number[], refusedMs: number, told: readonly string[]]>([
    ['all of them, for less than a lease', [1, 2, 3], LEASE_MS - 250, [START]],
    [
      'all of them, for more: it is cut off',
      [1, 2, 3],
      LEASE_MS + 250,
      [START, 'a lost: no quorum: 0 of 3 cosigners within reach'],
    ],
    ['all but one, for as long', [1, 2], LEASE_MS + 250, [START]],
  ])('%s', async (_name, ids, refusedMs, told) => {
    const world = new World();
    const a = world.candidate('a');
    await world.clock.pass(2_000);
    world.close('a', a, ...ids);
    await world.refuse(a, ids, refusedMs);
    expect(world.events).toEqual(told);
  });

  it('all of them, and one is back in time: for 10 s again', async () => {
    const world = new World();
    const a = world.candidate('a');
    await world.clock.pass(2_000);
    world.close('a', a, 1, 2, 3);
    await world.refuse(a, [1, 2, 3], LEASE_MS / 2);
    world.cosigners[2]!.cutOff.clear();
    a.peerUp(3);
    await world.refuse(a, [1, 2], 5_000);
    expect(world.events).toEqual([START]);
  });

  it('make no leader', async () => {
    const world = new World();
    world.cutOff('a', 1, 2);
    const a = world.candidate('a');
    await world.refuse(a, [1, 2], 5_000);
    expect(world.events).toEqual([]);
  });

  it.each<[name: string, renewedTerm: number, ids: readonly number[], told: readonly string[]]>([
    [
      'a cosigner within reach was asked to renew a newer term: it lets go at once',
      2,
      [1, 2],
      [START, 'a lost: another sentry-link leads in term 2'],
    ],
    ['the term is its own', 1, [1, 2], [START]],
    ['nobody renews', 0, [1, 2], [START]],
    ['with enough promises it is the other that does not lead', 2, [1], [START]],
  ])('%s', async (_name, renewedTerm, refused, told) => {
    const world = new World();
    const a = world.candidate('a');
    await world.clock.pass(2_000);
    world.close('a', a, ...refused);
    await world.refuse(a, refused, 1_000);
    world.cosigners[2]!.renewedTerm = renewedTerm;
    await world.refuse(a, refused, 500);
    expect(world.events.slice(0, 2)).toEqual(told);
  });
});

describe('use it or lose it', () => {
  const LET_GO = 'a lost: nothing could be signed here for 10 s, and another sentry-link is connected';

  it.each<[name: string, useful: boolean, otherLink: boolean, ms: number, told: readonly string[]]>([
    ['useful', true, true, 60_000, []],
    ['of no use, and alone', false, false, 60_000, []],
    ['of no use for less than 10 s', false, true, 9_700, []],
    ['of no use for longer', false, true, 10_500, [LET_GO]],
  ])('%s', async (_name, useful, otherLink, ms, told) => {
    const world = new World();
    world.all({ otherLink });
    world.candidate('a');
    await world.clock.pass(5_000);
    if (!useful) world.useful.delete('a');
    await world.clock.pass(ms);
    expect(world.events.slice(1)).toEqual(told);
  });

  it('a new leader has 10 s to become useful', async () => {
    const world = new World();
    world.all({ otherLink: true });
    world.useful.clear();
    world.candidate('a');
    await world.clock.pass(9_500);
    expect(world.events).toEqual(['a leads in term 1']);
    world.useful.add('a');
    await world.clock.pass(60_000);
    expect(world.events).toEqual(['a leads in term 1']);
  });

  it('the other one leads then, and keeps the lease while it is useful', async () => {
    const world = new World();
    world.candidate('a');
    await world.clock.pass(2_000);
    world.candidate('b');
    world.all({ otherLink: true });
    world.useful.delete('a');
    await world.clock.pass(300_000);
    expect(world.events).toEqual(['a leads in term 1', LET_GO, 'b leads in term 2']);
  });

  /** The lease comes free for half a second in every two, as where other links take it in turns. */
  const standsBack = async (world: World): Promise<number> => {
    for (let ms = 0; ; ms += 2_000) {
      const before = world.events.length;
      world.all({ holder: 'b', term: world.cosigners[0]!.term + 1, untilMs: world.clock.nowMs() + 1_500 });
      await world.clock.pass(2_000);
      if (world.events.length > before) return ms;
    }
  };

  it('it stands back for longer each time while others take the lease, until it has been useful', async () => {
    const world = new World();
    world.candidate('a');
    world.all({ otherLink: true });
    const stoodBackMs: number[] = [];
    for (let times = 0; times < 8; times++) {
      world.useful.clear();
      await world.clock.pass(11_000);
      expect(world.events.at(-1)).toBe(LET_GO);
      stoodBackMs.push(await standsBack(world));
      if (times === 6) {
        world.useful.add('a');
        await world.clock.pass(1_000);
      }
    }
    // The random part is 97 of 255 here.
    const [first = 0, ...more] = [10, 20, 40, 80, 150, 150, 150, 10].map((s) => (s * 1_000 * (255 + 97)) / 255);
    [first, ...more].forEach((ms, index) => {
      expect(Math.abs(stoodBackMs[index]! - ms)).toBeLessThan(4_000);
    });
  });

  it('nobody else takes it: it leads again before long', async () => {
    const world = new World();
    world.candidate('a');
    world.all({ otherLink: true });
    world.useful.clear();
    await world.clock.pass(13_500);
    expect(world.events).toEqual(['a leads in term 1', LET_GO, 'a leads in term 2']);
  });
});

describe('a backend', () => {
  it('says who may ask, and in which term; what was not got is given back', async () => {
    const world = new World();
    let term: number | undefined;
    let givenBack = 0;
    world.backends.set('a', { claim: (least) => term && Math.max(least, term), giveBack: () => void givenBack++ });
    const a = world.candidate('a');
    await world.clock.pass(5_000);
    expect([world.events, world.asked]).toEqual([[], []]);
    term = 40;
    await world.clock.pass(1_000);
    expect(world.events).toEqual(['a leads in term 40']);
    expect(givenBack).toBe(0);
    a.handOver('b');
    expect(givenBack).toBe(1);
    term = 7;
    await world.clock.pass(3_000);
    expect(world.events.at(-1)).toBe('a leads in term 41');
  });
});
