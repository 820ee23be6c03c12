import { MAX_TERM_LEAD } from '../../src/shared/coordination/limits.js';
import type { HeartbeatReply, LinkMessage } from '../../src/shared/coordination/messages.js';
import { must } from '../../src/shared/invariant.js';
import type { Clock, Timer } from '../../src/shared/ports/clock.js';
import type { RandomBytes } from '../../src/shared/ports/random.js';

/** A leader stops believing in its lease a little before the cosigners do. */
const LEASE_MARGIN = 0.9;
/** Heartbeats per lease: two may be lost before it runs out. */
const HEARTBEATS_PER_LEASE = 4;

export interface CandidateDeps {
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** Sends to one cosigner; false when there is no stream to it. */
  readonly send: (cosigner: number, message: LinkMessage) => boolean;
  readonly onAcquired: (term: number) => void;
  readonly onLost: (reason: string) => void;
  readonly onRoundTrip: (cosigner: number, roundTripMs: number) => void;
}

interface Grant {
  /** Until when, on our clock, this cosigner's promise certainly holds. */
  readonly untilMs: number;
  /** Its process was seen not to run until then: it promises nothing to anybody, and holds down when it starts. */
  readonly downUntilMs: number;
}

const NO_GRANT: Grant = { untilMs: 0, downUntilMs: 0 };

interface Sent {
  readonly cosigner: number;
  readonly sentMs: number;
  readonly term: number | undefined;
}

/**
 * A sentry-link's side of embedded leadership: it leads while a majority of cosigners have granted it a lease whose term
 * only grows. Heartbeats to every cosigner carry the request; standbys send them empty and watch.
 */
export class LeaseCandidate {
  readonly #cosigners: readonly number[];
  readonly #leaseMs: number;
  readonly #deps: CandidateDeps;
  readonly #grants = new Map<number, Grant>();
  /** When the majority of promises (or of cosigners known to be down) runs out. */
  #leaseUntilMs = 0;
  readonly #answers = new Map<number, { readonly freeAtMs: number; readonly atMs: number }>();
  readonly #sent = new Map<number, Sent>();
  #lastId = 0;
  /** What each cosigner reported last. */
  readonly #terms = new Map<number, number>();
  #term = 0;
  #state: 'standby' | 'candidate' | 'leader' | 'stopped' = 'standby';
  #notBeforeMs = 0;
  #tick: Timer | undefined;
  #expiry: Timer | undefined;

  constructor(cosigners: readonly number[], leaseMs: number, deps: CandidateDeps) {
    this.#cosigners = cosigners;
    this.#leaseMs = leaseMs;
    this.#deps = deps;
    for (const id of cosigners) this.#grants.set(id, NO_GRANT);
  }

  start(): void {
    this.#beat();
  }

  /** The term we lead with, checked against the clock at this moment; undefined when we do not lead. */
  term(): number | undefined {
    if (this.#state === 'leader' && this.#deps.clock.nowMs() >= this.#leaseUntilMs) this.#lose('the lease ran out');
    return this.#state === 'leader' ? this.#term : undefined;
  }

  /** A planned end: the grants go back, so that a standby can take over at once. */
  stop(): void {
    const led = this.#state === 'leader';
    this.#state = 'stopped';
    this.#tick?.cancel();
    this.#expiry?.cancel();
    if (led) this.#deps.onLost('stopped');
    this.#release();
  }

  /** Its process was seen not to run (its port refused the connection). */
  peerDown(cosigner: number): void {
    const grant = this.#grants.get(cosigner);
    const downUntilMs = this.#deps.clock.nowMs() + this.#leaseMs * LEASE_MARGIN;
    if (grant !== undefined) this.#setGrant(cosigner, { ...grant, downUntilMs });
    this.#watchExpiry();
  }

  /** A stream is open: ask at once rather than at the next beat. */
  peerUp(cosigner: number): void {
    if (this.#state !== 'stopped') this.#heartbeat(cosigner);
  }

  onReply(cosigner: number, reply: HeartbeatReply): void {
    const sent = this.#sent.get(reply.id);
    if (sent === undefined || sent.cosigner !== cosigner) return;
    this.#sent.delete(reply.id);
    const { clock, onRoundTrip } = this.#deps;
    const nowMs = clock.nowMs();
    onRoundTrip(cosigner, nowMs - sent.sentMs);
    this.#answers.set(cosigner, { freeAtMs: nowMs + reply.remainingMs, atMs: nowMs });
    this.#terms.set(cosigner, reply.term);
    if (sent.term === undefined || this.#state === 'stopped' || this.#state === 'standby') return;
    if (!reply.granted) {
      // Somebody else had this term or a later one there, and no lease any more: a holder may raise its own at any time.
      const contested = reply.holder === '' && reply.term >= this.#term;
      if (this.#state === 'leader' && contested) this.#term = Math.max(this.#term, this.#nextTerm());
      return;
    }
    const grant = this.#grants.get(cosigner);
    if (grant === undefined) return;
    const untilMs = Math.max(grant.untilMs, sent.sentMs + this.#leaseMs * LEASE_MARGIN);
    this.#setGrant(cosigner, { ...grant, untilMs });
    if (this.#state === 'candidate' && sent.term === this.#term && this.#majority((one) => one.untilMs > nowMs)) {
      this.#state = 'leader';
      this.#watchExpiry();
      this.#deps.onAcquired(this.#term);
    } else if (this.#state === 'leader') this.#watchExpiry();
  }

  #beat(): void {
    const { clock, random } = this.#deps;
    const nowMs = clock.nowMs();
    this.term();
    this.#dropOldRequests(nowMs);
    if (this.#state === 'candidate' && nowMs >= this.#notBeforeMs) {
      // Not enough grants in time: give them back, wait a random while, so that two candidates do not block each other.
      this.#release();
      this.#state = 'standby';
      this.#notBeforeMs = nowMs + (this.#leaseMs / 2) * (1 + fraction(random));
    }
    if (this.#state === 'standby' && nowMs >= this.#notBeforeMs && this.#majorityFree(nowMs)) {
      this.#state = 'candidate';
      this.#term = this.#nextTerm();
      this.#notBeforeMs = nowMs + this.#leaseMs / 2;
    }
    for (const id of this.#cosigners) this.#heartbeat(id);
    const periodMs = this.#leaseMs / HEARTBEATS_PER_LEASE;
    this.#tick = clock.schedule(periodMs * (0.8 + 0.2 * fraction(random)), () => this.#beat());
  }

  #heartbeat(cosigner: number): void {
    const asks = this.#state === 'leader' || this.#state === 'candidate';
    const id = ++this.#lastId;
    const lease = asks ? { term: this.#term, leaseMs: this.#leaseMs, renewal: this.#state === 'leader' } : undefined;
    this.#sent.set(id, { cosigner, sentMs: this.#deps.clock.nowMs(), term: lease?.term });
    if (!this.#deps.send(cosigner, { kind: 'heartbeat', id, lease })) this.#sent.delete(id);
  }

  /**
   * Above every reported term, but never far above the one in the middle: a cosigner that claims a giant term must not make
   * us ask for one that all others refuse.
   */
  #nextTerm(): number {
    const terms = this.#cosigners.map((id) => this.#terms.get(id) ?? 0).sort((a, b) => a - b);
    const middle = must(terms[Math.floor(terms.length / 2)], 'a cluster has cosigners');
    return 1 + Math.min(Math.max(...terms), middle + MAX_TERM_LEAD);
  }

  /** A majority said lately that nobody holds their lease: only then is it worth disturbing them. */
  #majorityFree(nowMs: number): boolean {
    const free = [...this.#answers.values()].filter(
      ({ atMs, freeAtMs }) => nowMs >= freeAtMs && nowMs - atMs < this.#leaseMs,
    ).length;
    return free > this.#cosigners.length / 2;
  }

  #majority(test: (grant: Grant) => boolean): boolean {
    return [...this.#grants.values()].filter(test).length > this.#cosigners.length / 2;
  }

  #setGrant(cosigner: number, grant: Grant): void {
    this.#grants.set(cosigner, grant);
    const untils = [...this.#grants.values()].map((one) => Math.max(one.untilMs, one.downUntilMs));
    untils.sort((a, b) => b - a);
    this.#leaseUntilMs = must(untils[Math.floor(this.#cosigners.length / 2)], 'a cluster has cosigners');
  }

  #watchExpiry(): void {
    if (this.#state !== 'leader') return;
    this.#expiry?.cancel();
    const inMs = this.#leaseUntilMs - this.#deps.clock.nowMs();
    this.#expiry = this.#deps.clock.schedule(Math.max(0, inMs), () => {
      if (this.term() !== undefined) this.#watchExpiry();
    });
  }

  #lose(reason: string): void {
    this.#state = 'standby';
    this.#notBeforeMs = this.#deps.clock.nowMs();
    this.#expiry?.cancel();
    this.#deps.onLost(reason);
    this.#release();
  }

  #release(): void {
    for (const id of this.#cosigners) {
      const grant = this.#grants.get(id);
      if (grant !== undefined && grant.untilMs > 0) this.#deps.send(id, { kind: 'leaseRelease', term: this.#term });
      this.#setGrant(id, NO_GRANT);
    }
    // An answer that is still under way must not look like a promise: it was given back.
    this.#sent.clear();
  }

  #dropOldRequests(nowMs: number): void {
    for (const [id, sent] of this.#sent) if (nowMs - sent.sentMs > this.#leaseMs) this.#sent.delete(id);
  }
}

/** Uniform in 0…1. */
function fraction(random: RandomBytes): number {
  const [a = 0, b = 0] = random(2);
  return (a * 256 + b) / 65_535;
}
