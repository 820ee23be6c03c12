import { describe, expect, it } from 'vitest';
import { LeaseTable } from '../../cosigner/lease-table.js';
import { EMBEDDED } from '../../sentry-link/leadership/lease-backend.js';
import { LeaseCandidate } from '../../sentry-link/leadership/lease-candidate.js';
import { MAX_LEASE_MS } from '../../src/shared/coordination/limits.js';
import { Prng } from '../sim/prng.js';
import { ManualClock } from '../support/manual-clock.js';

// A firewall changes and stays as it is: in every way in which two links may then reach three cosigners and the node, one that
// could have something signed must get to do it, whatever the other one holds. Leases are production's, all else what it comes to.

const THRESHOLD = 2;
const LINKS = ['a', 'b'] as const;
const COSIGNERS = [0, 1, 2] as const;
/** Through; refused, as by a dead process or by a firewall that says so; swallowed. */
const EDGES = ['ok', 'reject', 'drop'] as const;
type Edge = (typeof EDGES)[number];

interface Topology {
  /** By link, what becomes of its packets to each cosigner. */
  readonly edges: readonly (readonly Edge[])[];
  /** By link, whether it reaches the node. */
  readonly node: readonly boolean[];
  /** One that grants leases and signs nothing. */
  readonly halted?: number;
}

const HEALTHY: Topology = { edges: LINKS.map(() => COSIGNERS.map(() => 'ok')), node: [true, true] };
const CHANGE_MS = 4_000;
const LOOK_EVERY_MS = 200;
/** A stream on which nothing comes is given up, a dial that nothing answers too. */
const SILENCE_MS = 900;
const DIAL_TIMEOUT_MS = 1_000;

const reachesQuorum = ({ edges, halted }: Topology, link: number): boolean =>
  edges[link]!.filter((edge, id) => edge === 'ok' && id !== halted).length >= THRESHOLD;

/** One link: its lease is production's, its streams and its dialling of the node are what they come to. */
class TestLink {
  readonly candidate: LeaseCandidate;
  readonly open: boolean[] = COSIGNERS.map(() => false);
  leads = false;
  private readonly delaysMs: readonly number[];

  constructor(
    readonly index: number,
    private readonly world: World,
  ) {
    const { clock, random } = world;
    // A stream keeps its order.
    this.delaysMs = COSIGNERS.map(() => random.between(0.3, 0.8));
    this.candidate = new LeaseCandidate(
      { cosigners: COSIGNERS, threshold: THRESHOLD, leaseMs: MAX_LEASE_MS },
      {
        backend: EMBEDDED,
        clock,
        random: random.bytes,
        ready: () => true,
        useful: () => this.served && reachesQuorum(world.topology, index),
        send: (id, message) => {
          if (!this.open[id]) return false;
          this.carry(id, () => {
            const table = world.tables[id]!;
            const name = LINKS[index]!;
            const nowMs = clock.nowMs();
            table.hear(name, nowMs);
            if (message.kind === 'leaseRelease') table.release(name, message.term, nowMs);
            if (message.kind !== 'heartbeat') return;
            const { id: heartbeat, lease } = message;
            const answer = lease ? table.request(name, lease, nowMs) : { ...table.describe(nowMs), granted: false };
            const reply = {
              kind: 'heartbeatReply',
              id: heartbeat,
              ...answer,
              ...table.others(name, nowMs),
              chains: [],
            };
            this.carry(id, () => this.candidate.onReply(id, { ...reply, kind: 'heartbeatReply' }));
          });
          return true;
        },
        onAcquired: () => (this.leads = true),
        onLost: () => {
          this.leads = false;
          if (this.served) world.served = undefined;
        },
        onRoundTrip: () => undefined,
      },
    );
  }

  start(): void {
    for (const id of COSIGNERS) this.dial(id);
    this.candidate.start();
    this.dialNode();
  }

  /** It has the node's one connection. */
  get served(): boolean {
    return this.world.served === this.index;
  }

  signs(): boolean {
    const term = this.leads ? this.candidate.term() : undefined;
    if (term === undefined || !this.served) return false;
    const { tables, clock, topology } = this.world;
    const reached = COSIGNERS.filter((id) => this.edge(id) === 'ok' && this.open[id] && id !== topology.halted);
    const willing = reached.filter((id) => tables[id]!.admits(LINKS[this.index]!, term, clock.nowMs()));
    return willing.length >= THRESHOLD;
  }

  /** The world has changed: what does not go through any more ends. */
  look(): void {
    for (const id of COSIGNERS) {
      if (!this.open[id] || this.edge(id) === 'ok') continue;
      this.world.clock.schedule(this.edge(id) === 'reject' ? 0 : SILENCE_MS, () => {
        this.open[id] = false;
        this.candidate.peerLost(id);
        this.dial(id);
      });
    }
    if (this.served && !this.world.topology.node[this.index]) this.world.served = undefined;
  }

  private edge(id: number): Edge {
    return this.world.topology.edges[this.index]![id]!;
  }

  private carry(id: number, task: () => void): void {
    this.world.clock.schedule(this.delaysMs[id]!, () => {
      if (this.edge(id) === 'ok' && this.open[id]) task();
    });
  }

  private dial(id: number): void {
    const { clock, random } = this.world;
    const edge = this.edge(id);
    clock.schedule(edge === 'drop' ? DIAL_TIMEOUT_MS : 1, () => {
      if (edge === 'ok' && this.edge(id) === 'ok') {
        this.open[id] = true;
        return this.candidate.peerUp(id);
      }
      if (edge === 'reject') this.candidate.peerDown(id);
      clock.schedule(random.between(100, 250), () => this.dial(id));
    });
  }

  /** A node serves whom it accepted first. */
  private dialNode(): void {
    const { world } = this;
    if (this.leads && world.topology.node[this.index]) world.served ??= this.index;
    world.clock.schedule(world.random.between(500, 600), () => this.dialNode());
  }
}

class World {
  readonly clock = new ManualClock();
  readonly random: Prng;
  readonly tables = COSIGNERS.map(() => new LeaseTable(-MAX_LEASE_MS, MAX_LEASE_MS));
  readonly links: readonly TestLink[];
  topology = HEALTHY;
  served: number | undefined;

  constructor(seed: number) {
    this.random = new Prng(seed);
    this.links = LINKS.map((_, index) => new TestLink(index, this));
    for (const link of this.links) this.clock.schedule(40 * link.index, () => link.start());
    this.clock.advance(CHANGE_MS);
  }

  change(topology: Topology): void {
    this.topology = topology;
    for (const link of this.links) link.look();
  }

  /** The longest time without anything signed, in the next `ms`, and how long that has been so at their end. */
  silence(ms: number): { readonly longestMs: number; readonly lastMs: number } {
    let [silentMs, longestMs] = [0, 0];
    for (let passedMs = 0; passedMs < ms; passedMs += LOOK_EVERY_MS) {
      this.clock.advance(LOOK_EVERY_MS);
      silentMs = this.links.some((link) => link.signs()) ? 0 : silentMs + LOOK_EVERY_MS;
      longestMs = Math.max(longestMs, silentMs);
    }
    return { longestMs, lastMs: silentMs };
  }
}

function describeTopology({ edges, node, halted }: Topology): string {
  const links = LINKS.map((name, link) => `${name}: ${edges[link]!.join(' ')}${node[link] ? ' node' : ''}`);
  return [...links, ...(halted === undefined ? [] : [`${halted} signs nothing`])].join('; ');
}

/** All of them in which some link reaches enough cosigners and the node. */
function topologies(halted?: number): readonly Topology[] {
  const cells = LINKS.length * COSIGNERS.length;
  const matrices = Array.from({ length: EDGES.length ** cells }, (_, k) => {
    const cell = (at: number): Edge => EDGES[Math.floor(k / EDGES.length ** at) % EDGES.length]!;
    return LINKS.map((_, link) => COSIGNERS.map((id) => cell(link * COSIGNERS.length + id)));
  });
  const nodes = [
    [true, false],
    [false, true],
    [true, true],
  ];
  const all = matrices.flatMap((edges) =>
    nodes.map((node): Topology => ({ edges, node, ...(halted !== undefined && { halted }) })),
  );
  return all.filter((topology) => LINKS.some((_, link) => topology.node[link] && reachesQuorum(topology, link)));
}

describe('static topologies: where some link reaches two cosigners and the node, it gets to sign', () => {
  it.each([
    { all: topologies(), count: 707, what: 'all cosigners sign' },
    ...COSIGNERS.map((halted) => ({
      all: topologies(halted),
      count: 315,
      what: `${halted} grants leases and signs nothing`,
    })),
  ])('$what', ({ all, count }) => {
    expect(all).toHaveLength(count);
    let longestMs = 0;
    const silent = all.filter((topology, index) => {
      const world = new World(1 + index);
      world.change(topology);
      const silence = world.silence(40_000);
      longestMs = Math.max(longestMs, silence.longestMs);
      return silence.lastMs > 5_000;
    });
    expect(silent.map(describeTopology)).toEqual([]);
    expect(longestMs).toBeLessThan(20_000);
  });

  it.each([
    // A CometBFT that starts waits 3 s for its signer.
    ['both links reach it', [true, true], 3_000],
    ['one reaches it', [true, false], 20_000],
    ['the other one reaches it', [false, true], 20_000],
  ] as const)('the node is back after minutes, and %s: a signer is there in time', (_name, node, mostMs) => {
    for (let seed = 1; seed <= 20; seed++) {
      const world = new World(seed);
      world.change({ ...HEALTHY, node: [false, false] });
      // At any time in the turns that they take.
      world.silence(200_000 + 700 * seed);
      world.change({ ...HEALTHY, node });
      expect(world.silence(30_000).longestMs).toBeLessThan(mostMs);
    }
  });
});
