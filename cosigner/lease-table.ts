import type { LeaseRequest } from '../src/shared/coordination/messages.js';
import { HEARTBEATS_PER_LEASE, MAX_LEASE_MS } from '../src/shared/coordination/limits.js';

/** The stream that a promise came on: nothing but which one it is. */
export type LeaseStream = object;

export interface LeaseAnswer {
  readonly granted: boolean;
  readonly term: number;
  readonly holder: string;
  readonly remainingMs: number;
}

/** What a link is told of the others. */
export interface OtherLinks {
  /** The highest term that one of them asked to renew of late, granted or not; 0 when none did. */
  readonly renewedTerm: number;
  /** One of them is connected. */
  readonly otherLink: boolean;
  /** For the holder of the lease: those that are ready to lead. */
  readonly standbys?: readonly string[] | undefined;
}

interface Heard {
  atMs: number;
  renewedTerm: number;
  renewedMs: number;
  /** As its last heartbeat said. */
  ready: boolean;
}

/** A link that said nothing for so long is not there: its stream hangs, or the news of its end does. */
const SILENT_MS = 3 * MAX_LEASE_MS;
/** One that leads renews four times as often. */
const RENEWED_MS = MAX_LEASE_MS;
/** A standby says four times in that whether it is ready. */
const READY_MS = MAX_LEASE_MS;
/** A lease that was handed over is kept for the link that is to have it, which asks at once, for so long. */
const KEPT_MS = MAX_LEASE_MS / 2;

/**
 * Who leads, as far as this cosigner has promised. Leadership is for liveness only (the watermark is what prevents double
 * signing), so nothing here is kept on disk. A cosigner that just started may have promised a lease it no longer
 * knows of: until the longest possible one has run out it only prolongs, and grants no candidate.
 *
 * A term only grows while its lease runs; then any will do. That it grows from one leader to the next is up to the links, each
 * of which hears of the last one from some of the t that promise. A cosigner that insisted on it could be led by a link
 * that lies to where nobody follows.
 *
 * A promise lasts no longer than the stream that it came on: the process that had it is gone, or must ask again.
 */
export class LeaseTable {
  readonly #capMs: number;
  readonly #holdDownUntilMs: number;
  #term = 0;
  #holder = '';
  #expiresMs = 0;
  #leaseMs = 0;
  #stream: LeaseStream | undefined;
  /** Whom the last holder handed the lease to, and until when it is kept for it. */
  #successor = '';
  #keptUntilMs = 0;
  /** By link: as many as are pinned. */
  readonly #heard = new Map<string, Heard>();

  /** @param capMs longest lease this cosigner grants. */
  constructor(startedMs: number, capMs: number) {
    this.#capMs = capMs;
    this.#holdDownUntilMs = startedMs + this.#capMs;
  }

  request(link: string, request: LeaseRequest, nowMs: number, stream?: LeaseStream): LeaseAnswer {
    if (request.renewal) this.#noteRenewal(this.#of(link), request.term, nowMs);
    const granted = this.#mayGrant(link, request, nowMs);
    if (granted) {
      this.#term = request.term;
      this.#holder = link;
      this.#stream = stream;
      this.#successor = '';
      this.#leaseMs = request.leaseMs;
      this.#expiresMs = nowMs + request.leaseMs;
    }
    return { granted, ...this.describe(nowMs) };
  }

  #mayGrant(link: string, request: LeaseRequest, nowMs: number): boolean {
    if (request.leaseMs > this.#capMs || request.leaseMs <= 0) return false;
    if (this.#live(nowMs) && this.#holder !== link) return false;
    if (this.#live(nowMs) && request.term < this.#term) return false;
    if (this.#keptFor(link, nowMs)) return false;
    if (request.term === this.#term && this.#holder !== link) return false;
    return request.renewal || this.#live(nowMs) || nowMs >= this.#holdDownUntilMs;
  }

  /** Whether a lease has ended with that. `to`: who is to have it next, where that link is here and ready. */
  release(link: string, term: number, nowMs: number, to = ''): boolean {
    if (this.#holder !== link || this.#term !== term || !this.#live(nowMs)) return false;
    this.#expiresMs = 0;
    if (to !== link && this.#isReady(to, nowMs)) [this.#successor, this.#keptUntilMs] = [to, nowMs + KEPT_MS];
    return true;
  }

  /** A stream is closed. Whether a lease has ended with it. */
  closed(stream: LeaseStream, nowMs: number): boolean {
    if (this.#stream !== stream || !this.#live(nowMs)) return false;
    this.#expiresMs = 0;
    return true;
  }

  /**
   * In which turn a link is to ask for a lease that has ended: whom it was handed to first, then those that are ready, then the
   * others, each by name, so that two do not get half of the promises each.
   */
  turn(link: string, links: readonly string[], nowMs: number): number {
    const rank = (name: string): number => (name === this.#successor ? 0 : this.#isReady(name, nowMs) ? 1 : 2);
    const before = (name: string): boolean => rank(name) < rank(link) || (rank(name) === rank(link) && name < link);
    return links.filter((name) => name !== link && before(name)).length;
  }

  /** What its heartbeat says of whether it could lead. */
  noteReady(link: string, ready: boolean): void {
    this.#of(link).ready = ready;
  }

  /** It said something, whatever that was. */
  hear(link: string, nowMs: number): void {
    this.#of(link).atMs = nowMs;
  }

  /** What `link` has to know of the others: whether one of them leads instead of it, or could. */
  others(link: string, nowMs: number): OtherLinks {
    let renewedTerm = 0;
    let otherLink = false;
    for (const [name, heard] of this.#heard) {
      if (name === link) continue;
      if (nowMs - heard.renewedMs < RENEWED_MS) renewedTerm = Math.max(renewedTerm, heard.renewedTerm);
      otherLink ||= nowMs - heard.atMs < SILENT_MS;
    }
    const others = { renewedTerm, otherLink };
    if (this.#holder !== link || !this.#live(nowMs)) return others;
    const standbys = [...this.#heard.keys()].filter((name) => name !== link && this.#isReady(name, nowMs));
    return standbys.length === 0 ? others : { standbys, ...others };
  }

  /**
   * Whether a sign request of this link and term may be served. A term above ours is served, for a leader of the others'
   * making is as good as one of ours; but not beside a leader that has our promise and is heard: whoever gives itself a
   * term could lift the watermark of a chain that is being signed for.
   */
  admits(link: string, term: number, nowMs: number): boolean {
    if (term < this.#term) return false;
    if (this.#holder === link) return true;
    return term > this.#term && !(this.#live(nowMs) && this.#hears(this.#holder, nowMs));
  }

  describe(nowMs: number): Omit<LeaseAnswer, 'granted'> {
    const live = this.#live(nowMs);
    // While holding down, say how long: a candidate then waits instead of asking in vain.
    const heldMs = live ? this.#expiresMs - nowMs : Math.max(0, this.#holdDownUntilMs - nowMs);
    return { term: this.#term, holder: live ? this.#holder : '', remainingMs: heldMs };
  }

  /** Two of its heartbeats may get lost. */
  #hears(link: string, nowMs: number): boolean {
    return nowMs - this.#of(link).atMs <= (2 * this.#leaseMs) / HEARTBEATS_PER_LEASE;
  }

  #isReady(link: string, nowMs: number): boolean {
    const heard = this.#heard.get(link);
    return heard !== undefined && heard.ready && nowMs - heard.atMs < READY_MS;
  }

  /** The lease was handed to another link, which has not asked for it yet. */
  #keptFor(link: string, nowMs: number): boolean {
    return this.#successor !== '' && this.#successor !== link && nowMs < this.#keptUntilMs;
  }

  #noteRenewal(heard: Heard, term: number, nowMs: number): void {
    heard.renewedTerm = term;
    heard.renewedMs = nowMs;
  }

  #of(link: string): Heard {
    let heard = this.#heard.get(link);
    if (heard === undefined)
      this.#heard.set(link, (heard = { atMs: -Infinity, renewedTerm: 0, renewedMs: -Infinity, ready: false }));
    return heard;
  }

  #live(nowMs: number): boolean {
    return this.#holder !== '' && nowMs < this.#expiresMs;
  }
}
