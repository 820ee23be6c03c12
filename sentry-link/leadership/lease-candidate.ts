import { HEARTBEATS_PER_LEASE, MAX_TERM, MAX_TERM_LEAD } from '../../src/shared/coordination/limits.js';
import type { HeartbeatReply, LinkMessage } from '../../src/shared/coordination/messages.js';
import { must } from '../../src/shared/invariant.js';
import type { Clock, Timer } from '../../src/shared/ports/clock.js';
import type { RandomBytes } from '../../src/shared/ports/random.js';
import type { LeaseBackend } from './lease-backend.js';
import { farTerms, middleTerm, type TermClaim } from './term-claims.js';

/** A leader stops believing in its lease a little before the cosigners do. */
const LEASE_MARGIN = 0.9;
/**
 * A port that refuses looks the same whether its process is dead, and promises nothing to anybody, or a firewall stands before
 * it, and others reach it: so long a leader gives it the benefit of the doubt after it last had enough promises.
 */
const STAND_IN_MS = 10_000;
/** What a closed stream promised is gone; a leader waits so long for the next dial to tell whether it is given again. */
const REDIAL_MS = 250;
/** Links that hear that the lease is free ask for it one after the other, so far apart and their own round trip. */
const TURN_MS = 20;
/** A leader that is of no use lets go after so long, where another link might be of more. */
const USELESS_MS = 10_000;
/** Then it stands back for this to twice this, the next time twice as long, until it has been of use. */
const STAND_BACK_MS = 10_000;
const MAX_STAND_BACK_MS = 300_000;
/** A leader raises its term so often, for cosigners that promise nothing in it, nor to anybody else. */
const RAISE_EVERY_MS = 10_000;

export interface CandidateOptions {
  readonly cosigners: readonly number[];
  /** Promises that it takes to lead: as many as a signature takes, always more than half of the cosigners. */
  readonly threshold: number;
  readonly leaseMs: number;
}

export interface CandidateDeps {
  readonly backend: LeaseBackend;
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** Sends to one cosigner; false when there is no stream to it. */
  readonly send: (cosigner: number, message: LinkMessage) => boolean;
  readonly onAcquired: (term: number) => void;
  readonly onLost: (reason: string) => void;
  /** While it leads: could a node have something signed here now? Asked with every heartbeat. */
  readonly useful: () => boolean;
  /** While it stands by: could everything be signed here if it led? Told with every heartbeat. */
  readonly ready: () => boolean;
  readonly onRoundTrip: (cosigner: number, roundTripMs: number) => void;
}

interface Grant {
  /** Until when, on our clock, this cosigner's promise certainly holds; nothing without the stream that it came on. */
  readonly untilMs: number;
  /**
   * What stands in for it until then: its process was seen not to run, so it promises nothing to anybody, and holds down when
   * it starts; or its stream was closed a moment ago, and the next dial will tell.
   */
  readonly standInUntilMs: number;
}

const NO_GRANT: Grant = { untilMs: 0, standInUntilMs: 0 };

interface Answer {
  readonly atMs: number;
  /** When whoever holds the lease there will not hold it any more, unless it is prolonged. */
  readonly freeAtMs: number;
  readonly otherLink: boolean;
  readonly standbys: readonly string[];
}

interface Sent {
  readonly cosigner: number;
  readonly sentMs: number;
  readonly term: number | undefined;
}

/**
 * A sentry-link's side of embedded leadership: it leads while as many cosigners as a signature takes have promised it a lease,
 * in a term of its own. Heartbeats to every cosigner carry the request; standbys send them empty and watch. It lets go
 * when another leads beside it or could do better, for neither a refusing port nor its own lease shows that nobody else reaches
 * the cosigners.
 */
export class LeaseCandidate {
  readonly #cosigners: readonly number[];
  readonly #threshold: number;
  readonly #leaseMs: number;
  readonly #deps: CandidateDeps;
  readonly #grants = new Map<number, Grant>();
  /** Until when there were, or are, enough promises. */
  #promisedUntilMs = 0;
  /** When we stop leading: not enough promises, and what may stand in for them, are left. */
  #leaseUntilMs = 0;
  /** Cosigners that have a stream open. */
  readonly #reached = new Set<number>();
  readonly #answers = new Map<number, Answer>();
  readonly #roundTripsMs = new Map<number, number>();
  /** Asks in its turn, when it has heard that the lease is free. */
  #turn: Timer | undefined;
  readonly #sent = new Map<number, Sent>();
  #lastId = 0;
  /** What each cosigner reported last; 0 before. */
  readonly #terms = new Map<number, number>();
  #term = 0;
  #raiseAgainMs = 0;
  #state: 'standby' | 'candidate' | 'leader' | 'stopped' = 'standby';
  #notBeforeMs = 0;
  /** When it began to ask, in the term that it asks in. */
  #candidateMs = -Infinity;
  /** Leaves the lease to others until then, as long as one of them takes it. */
  #standBackUntilMs = 0;
  #standBackMs = STAND_BACK_MS;
  /** It has let go for others, and none of them has led since. */
  #wasLast = false;
  /** When it last was of use, or began to lead. */
  #usefulMs = 0;
  /** Since when enough cosigners have been free; undefined while they are not. */
  #freeSinceMs: number | undefined;
  #tick: Timer | undefined;
  #expiry: Timer | undefined;

  constructor({ cosigners, threshold, leaseMs }: CandidateOptions, deps: CandidateDeps) {
    this.#cosigners = cosigners;
    this.#threshold = threshold;
    this.#leaseMs = leaseMs;
    this.#deps = deps;
    for (const id of cosigners) {
      this.#grants.set(id, NO_GRANT);
      this.#terms.set(id, 0);
    }
  }

  start(): void {
    this.#beat();
  }

  /** The term we lead with, checked against the clock at this moment; undefined when we do not lead. */
  term(): number | undefined {
    if (this.#state === 'leader' && this.#deps.clock.nowMs() >= this.#leaseUntilMs)
      this.#lose(this.#noQuorum() ?? 'the lease ran out');
    return this.#state === 'leader' ? this.#term : undefined;
  }

  /** Cosigners whose terms are not followed. */
  claims(): readonly TermClaim[] {
    return farTerms(this.#terms);
  }

  /** Links that enough cosigners lately said to be ready, while this one leads. */
  standbys(): readonly string[] {
    const lately = this.#lately(this.#deps.clock.nowMs());
    const named = new Set(lately.flatMap(({ standbys }) => standbys));
    const by = (name: string): number => lately.filter(({ standbys }) => standbys.includes(name)).length;
    return [...named].filter((name) => by(name) >= this.#threshold).sort();
  }

  /** A planned end: the grants go back, and a standby that is ready is named to take over at once. */
  stop(): void {
    const led = this.#state === 'leader';
    const [to] = this.standbys();
    this.#state = 'stopped';
    this.#tick?.cancel();
    this.#expiry?.cancel();
    this.#turn?.cancel();
    if (led) this.#deps.onLost(to === undefined ? 'stopped' : `stopped; handed over to ${to}`);
    this.#release(to);
  }

  /** Gives the lease to another link, and comes back for it when nobody has taken it for as long as a lease is. */
  handOver(to: string): void {
    if (this.term() === undefined) return;
    this.#lose(`handed over to ${to}`, to);
    this.#notBeforeMs = this.#deps.clock.nowMs() + this.#leaseMs;
  }

  /** Its port refused the connection: its process does not run, or something before it says so. */
  peerDown(cosigner: number): void {
    const grant = this.#grants.get(cosigner);
    const standInUntilMs = this.#deps.clock.nowMs() + this.#leaseMs * LEASE_MARGIN;
    if (grant !== undefined) this.#setGrant(cosigner, { ...grant, standInUntilMs });
    this.#watchExpiry();
  }

  /** Its stream is closed, and what it promised on it counts no more. */
  peerLost(cosigner: number): void {
    this.#reached.delete(cosigner);
    this.#answers.delete(cosigner);
    const grant = this.#grants.get(cosigner);
    if (grant === undefined) return;
    const standInUntilMs = Math.min(grant.untilMs, this.#deps.clock.nowMs() + REDIAL_MS);
    this.#setGrant(cosigner, { untilMs: 0, standInUntilMs: Math.max(grant.standInUntilMs, standInUntilMs) });
    this.#watchExpiry();
  }

  /** A stream is open: ask at once rather than at the next beat. */
  peerUp(cosigner: number): void {
    this.#reached.add(cosigner);
    this.#setGrant(cosigner, must(this.#grants.get(cosigner), 'every cosigner has one'));
    if (this.#state !== 'stopped') this.#heartbeat(cosigner);
  }

  /** The lease of another link has ended at this cosigner before its time; `turn`: how many links are to ask before this one. */
  onFree(cosigner: number, turn: number): void {
    if (this.#state === 'leader' || this.#state === 'stopped') return;
    const nowMs = this.#deps.clock.nowMs();
    const { otherLink = false } = this.#answers.get(cosigner) ?? {};
    this.#answers.set(cosigner, { atMs: nowMs, freeAtMs: nowMs, otherLink, standbys: [] });
    this.#noteFree(nowMs);
    this.#turn?.cancel();
    if (this.#state === 'standby') {
      if (this.#freeSinceMs === undefined) return;
      // Turns keep candidates out of each other's way.
      this.#notBeforeMs = nowMs;
    }
    const ask = (): void => (this.#state === 'candidate' ? this.#askAgain(cosigner) : this.#askNow());
    if (turn === 0) return ask();
    const inMs = turn * (TURN_MS + Math.max(0, ...this.#roundTripsMs.values()));
    this.#turn = this.#deps.clock.schedule(inMs, ask);
  }

  onReply(cosigner: number, reply: HeartbeatReply): void {
    const sent = this.#sent.get(reply.id);
    if (sent === undefined || sent.cosigner !== cosigner) return;
    this.#sent.delete(reply.id);
    const { clock, onRoundTrip } = this.#deps;
    const nowMs = clock.nowMs();
    onRoundTrip(cosigner, nowMs - sent.sentMs);
    this.#roundTripsMs.set(cosigner, nowMs - sent.sentMs);
    const { remainingMs, otherLink, standbys = [] } = reply;
    this.#answers.set(cosigner, { atMs: nowMs, freeAtMs: nowMs + remainingMs, otherLink, standbys });
    this.#terms.set(cosigner, reply.term);
    if (reply.holder !== '' && reply.term > this.#term) this.#wasLast = false;
    if (this.#state === 'leader' && !this.#promised(nowMs) && reply.renewedTerm > this.#term)
      return this.#lose(`another sentry-link leads in term ${reply.renewedTerm}`);
    if (sent.term === undefined || this.#state === 'stopped' || this.#state === 'standby') return;
    if (!reply.granted) {
      // Somebody else had this term or a later one there, and no lease any more: a holder may raise its own at any time.
      const contested = reply.holder === '' && reply.term >= this.#term;
      if (this.#state === 'leader' && contested) this.#raise(nowMs);
      return;
    }
    const grant = this.#grants.get(cosigner);
    if (grant === undefined) return;
    const untilMs = Math.max(grant.untilMs, sent.sentMs + this.#leaseMs * LEASE_MARGIN);
    this.#setGrant(cosigner, { ...grant, untilMs });
    if (this.#state === 'candidate' && sent.term === this.#term && this.#promised(nowMs)) {
      this.#state = 'leader';
      this.#usefulMs = nowMs;
      this.#watchExpiry();
      this.#deps.onAcquired(this.#term);
    } else if (this.#state === 'leader') this.#watchExpiry();
  }

  #beat(): void {
    const { clock, random } = this.#deps;
    const nowMs = clock.nowMs();
    if (this.term() !== undefined) this.#useItOrLoseIt(nowMs);
    this.#dropOldRequests(nowMs);
    this.#noteFree(nowMs);
    if (this.#state === 'candidate' && nowMs >= this.#notBeforeMs) {
      // Not enough grants in time: give them back, wait a random while, so that two candidates do not block each other.
      this.#release();
      this.#state = 'standby';
      this.#notBeforeMs = nowMs + (this.#leaseMs / 2) * (1 + fraction(random));
    }
    if (this.#mayAsk(nowMs)) this.#becomeCandidate(nowMs);
    this.#heartbeatAll();
    const periodMs = this.#leaseMs / HEARTBEATS_PER_LEASE;
    this.#tick = clock.schedule(periodMs * (0.8 + 0.2 * fraction(random)), () => this.#beat());
  }

  /** Between two beats: it has heard that the lease is free. */
  #askNow(): void {
    const nowMs = this.#deps.clock.nowMs();
    this.#noteFree(nowMs);
    if (!this.#mayAsk(nowMs)) return;
    this.#becomeCandidate(nowMs);
    if (this.#state === 'candidate') this.#heartbeatAll();
  }

  /** A candidate hears that the lease is free: whoever had it may have had our term. */
  #askAgain(cosigner: number): void {
    const nowMs = this.#deps.clock.nowMs();
    if (nowMs - this.#candidateMs < TURN_MS) return this.#heartbeat(cosigner);
    // It ends no later for that: a cosigner that says so for ever would keep it, and what it was promised, from the others.
    if (this.#claim(nowMs, Math.min(MAX_TERM, this.#term + 1))) this.#heartbeatAll();
  }

  #becomeCandidate(nowMs: number): void {
    if (!this.#claim(nowMs)) return;
    this.#state = 'candidate';
    this.#notBeforeMs = nowMs + this.#leaseMs / 2;
  }

  #claim(nowMs: number, least = 0): boolean {
    const term = this.#deps.backend.claim(Math.max(least, this.#nextTerm()));
    if (term === undefined) return false;
    this.#candidateMs = nowMs;
    this.#term = term;
    return true;
  }

  #noteFree(nowMs: number): void {
    this.#freeSinceMs = this.#free(nowMs) ? (this.#freeSinceMs ?? nowMs) : undefined;
  }

  #heartbeatAll(): void {
    const ready = this.#ready();
    for (const id of this.#cosigners) this.#heartbeat(id, ready);
  }

  #ready(): boolean {
    return this.#state !== 'leader' && this.#deps.ready();
  }

  #heartbeat(cosigner: number, ready = this.#ready()): void {
    const asks = this.#state === 'leader' || this.#state === 'candidate';
    const id = ++this.#lastId;
    const lease = asks ? { term: this.#term, leaseMs: this.#leaseMs, renewal: this.#state === 'leader' } : undefined;
    this.#sent.set(id, { cosigner, sentMs: this.#deps.clock.nowMs(), term: lease?.term });
    if (!this.#deps.send(cosigner, { kind: 'heartbeat', id, lease, ready })) this.#sent.delete(id);
  }

  /** Not with every heartbeat: what is on its way in the old term may be refused, and some never have enough. */
  #raise(nowMs: number): void {
    if (nowMs < this.#raiseAgainMs) return;
    this.#raiseAgainMs = nowMs + RAISE_EVERY_MS;
    this.#term = Math.max(this.#term, this.#nextTerm());
  }

  /**
   * Above every reported term, so that who led before can tell; but never far above the one in the middle, or a cosigner that
   * claims a giant term would soon have the numbers used up. A link that lies may have done that, and then they begin anew.
   */
  #nextTerm(): number {
    const terms = [...this.#terms.values()];
    const last = Math.min(Math.max(...terms), middleTerm(terms) + MAX_TERM_LEAD);
    return last < MAX_TERM ? last + 1 : 1;
  }

  /** A leader that can have nothing signed holds up whoever could, and is not told so by a lease that it can prolong for ever. */
  #useItOrLoseIt(nowMs: number): void {
    if (this.#deps.useful()) {
      this.#usefulMs = nowMs;
      this.#standBackMs = STAND_BACK_MS;
      return;
    }
    const alone = !this.#lately(nowMs).some(({ otherLink }) => otherLink);
    if (alone || nowMs - this.#usefulMs < USELESS_MS) return;
    const standBackMs = this.#standBackMs * (1 + fraction(this.#deps.random));
    this.#standBackMs = Math.min(2 * this.#standBackMs, MAX_STAND_BACK_MS / 2);
    const useless = `nothing could be signed here for ${USELESS_MS / 1_000} s, and another sentry-link is connected`;
    this.#lose(this.#noQuorum() ?? useless);
    this.#standBackUntilMs = nowMs + standBackMs;
    this.#wasLast = true;
  }

  /**
   * One that stands back comes after those that do not, and after those that led less lately; but it comes, for where all stand
   * back nobody would dial the node, and a CometBFT that starts waits 3 s for its signer.
   */
  #mayAsk(nowMs: number): boolean {
    if (this.#state !== 'standby' || nowMs < this.#notBeforeMs || this.#freeSinceMs === undefined) return false;
    const standBackMs = this.#leaseMs * (this.#wasLast ? 2 : 1);
    return nowMs >= this.#standBackUntilMs || nowMs - this.#freeSinceMs >= standBackMs;
  }

  /** Enough cosigners said lately that nobody holds their lease: only then is it worth disturbing them. */
  #free(nowMs: number): boolean {
    return this.#lately(nowMs).filter(({ freeAtMs }) => nowMs >= freeAtMs).length >= this.#threshold;
  }

  #lately(nowMs: number): readonly Answer[] {
    return [...this.#answers.values()].filter(({ atMs }) => nowMs - atMs < this.#leaseMs);
  }

  #promised(nowMs: number): boolean {
    return this.#promisedUntilMs > nowMs;
  }

  #setGrant(cosigner: number, grant: Grant): void {
    this.#grants.set(cosigner, grant);
    const promisedUntilMs = this.#latestForEnough(({ untilMs }) => untilMs);
    this.#promisedUntilMs = Math.max(promisedUntilMs, Math.min(this.#promisedUntilMs, this.#deps.clock.nowMs()));
    const standInUntilMs = this.#latestForEnough((one) => Math.max(one.untilMs, one.standInUntilMs));
    // That all have ended at once is less likely than that this link is cut off, and nobody is left who would say so.
    const benefitMs = this.#reached.size === 0 ? this.#leaseMs : STAND_IN_MS;
    this.#leaseUntilMs = Math.min(standInUntilMs, this.#promisedUntilMs + benefitMs);
  }

  /** Until when as many of them hold as it takes. Counted rather than sorted: it is asked with every heartbeat. */
  #latestForEnough(until: (grant: Grant) => number): number {
    let latestMs: number | undefined;
    for (const grant of this.#grants.values()) {
      const untilMs = until(grant);
      if (latestMs !== undefined && untilMs <= latestMs) continue;
      let holding = 0;
      for (const other of this.#grants.values()) if (until(other) >= untilMs) holding++;
      if (holding >= this.#threshold) latestMs = untilMs;
    }
    return must(latestMs, 'a cluster has at least as many cosigners as its threshold');
  }

  #noQuorum(): string | undefined {
    const [reached, count] = [this.#reached.size, this.#cosigners.length];
    return reached < this.#threshold ? `no quorum: ${reached} of ${count} cosigners within reach` : undefined;
  }

  #watchExpiry(): void {
    if (this.#state !== 'leader') return;
    this.#expiry?.cancel();
    const inMs = this.#leaseUntilMs - this.#deps.clock.nowMs();
    this.#expiry = this.#deps.clock.schedule(Math.max(0, inMs), () => {
      if (this.term() !== undefined) this.#watchExpiry();
    });
  }

  #lose(reason: string, to?: string): void {
    this.#state = 'standby';
    this.#notBeforeMs = this.#deps.clock.nowMs();
    this.#expiry?.cancel();
    this.#deps.onLost(reason);
    this.#release(to);
  }

  #release(to?: string): void {
    for (const id of this.#cosigners) {
      const grant = this.#grants.get(id);
      if (grant !== undefined && grant.untilMs > 0) this.#deps.send(id, { kind: 'leaseRelease', term: this.#term, to });
      this.#setGrant(id, NO_GRANT);
    }
    this.#deps.backend.giveBack();
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
