import { describe, expect, it } from 'vitest';
import type { LinkMessage } from '../../src/shared/coordination/messages.js';
import { ManualClock } from '../../test/support/manual-clock.js';
import { LeaseCandidate } from './lease-candidate.js';

const LEASE_MS = 1_000;

/** A cosigner that grants one lease at a time and can be cut off from a link, as far as a candidate sees it. */
class FakeCosigner {
  holder = '';
  term = 0;
  untilMs = 0;
  readonly cutOff = new Set<string>();

  answer(link: string, message: LinkMessage, nowMs: number): { granted: boolean } {
    if (message.kind === 'leaseRelease' && this.holder === link && this.term === message.term) this.untilMs = 0;
    if (message.kind !== 'heartbeat' || message.lease === undefined) return { granted: false };
    const { term } = message.lease;
    const live = nowMs < this.untilMs;
    const granted = this.holder === link ? term >= this.term : !live && term > this.term;
    if (granted) Object.assign(this, { holder: link, term, untilMs: nowMs + LEASE_MS });
    return { granted };
  }
}

class World {
  readonly clock = new ManualClock();
  readonly cosigners = [1, 2, 3].map(() => new FakeCosigner());
  readonly events: string[] = [];

  candidate(name: string): LeaseCandidate {
    const { clock } = this;
    const candidate: LeaseCandidate = new LeaseCandidate([1, 2, 3], LEASE_MS, {
      clock,
      random: (length) => new Uint8Array(length).fill(name.charCodeAt(0)),
      send: (id, message) => {
        const cosigner = this.cosigners[id - 1]!;
        if (cosigner.cutOff.has(name)) return false;
        clock.schedule(1, () => {
          const { granted } = cosigner.answer(name, message, clock.nowMs());
          if (message.kind !== 'heartbeat') return;
          const live = clock.nowMs() < cosigner.untilMs;
          const [holder, remainingMs] = live ? [cosigner.holder, cosigner.untilMs - clock.nowMs()] : ['', 0];
          const reply = {
            kind: 'heartbeatReply',
            id: message.id,
            granted,
            term: cosigner.term,
            holder,
            remainingMs,
            chains: [],
          } as const;
          if (!cosigner.cutOff.has(name)) clock.schedule(1, () => candidate.onReply(id, reply));
        });
        return true;
      },
      onAcquired: (term) => this.events.push(`${name} leads in term ${term}`),
      onLost: (reason) => this.events.push(`${name} lost: ${reason}`),
      onRoundTrip: () => undefined,
    });
    candidate.start();
    return candidate;
  }

  cutOff(name: string, ...ids: number[]): void {
    for (const id of ids) this.cosigners[id - 1]!.cutOff.add(name);
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

  it('a leader cut off from the majority stops before another may start', async () => {
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

  it('a leader goes on while the missing cosigners are known not to run', async () => {
    const world = new World();
    const a = world.candidate('a');
    await world.clock.pass(2_000);
    world.cutOff('a', 1, 2);
    for (let i = 0; i < 20; i++) {
      a.peerDown(1);
      a.peerDown(2);
      await world.clock.pass(250);
    }
    expect(world.events).toEqual(['a leads in term 1']);
    await world.clock.pass(LEASE_MS);
    expect(world.events).toEqual(['a leads in term 1', 'a lost: the lease ran out']);
  });

  it('nobody leads without a majority', async () => {
    const world = new World();
    const a = world.candidate('a');
    world.cutOff('a', 2, 3);
    await world.clock.pass(10_000);
    expect(world.events).toEqual([]);
    expect(a.term()).toBeUndefined();
  });

  it('a leader whose term was passed at one cosigner raises its own', async () => {
    const world = new World();
    const a = world.candidate('a');
    await world.clock.pass(2_000);
    Object.assign(world.cosigners[0]!, { holder: 'b', term: 9, untilMs: 0 });
    await world.clock.pass(2_000);
    expect(a.term()).toBe(10);
    expect(world.events).toEqual(['a leads in term 1']);
  });
});
