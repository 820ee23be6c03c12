import type { LeaseRequest } from '../src/shared/coordination/messages.js';
import { HEARTBEATS_PER_LEASE, MAX_LEASE_MS } from '../src/shared/coordination/limits.js';

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
}

interface Heard {
  atMs: number;
  renewedTerm: number;
  renewedMs: number;
}

/** A link that said nothing for so long is not there: its stream hangs, or the news of its end does. */
const SILENT_MS = 3 * MAX_LEASE_MS;
/** One that leads renews four times as often. */
const RENEWED_MS = MAX_LEASE_MS;

/**
 * Who leads, as far as this cosigner has promised. Leadership is for liveness only (the watermark is what prevents double
 * signing), so nothing here is kept on disk. A cosigner that just started may have promised a lease it no longer
 * knows of: until the longest possible one has run out it only prolongs, and grants no candidate.
 *
 * A term only grows while its lease runs; then any will do. That it grows from one leader to the next is up to the links, each
 * of which hears of the last one from some of the t that promise. A cosigner that insisted on it could be led by a link
 * that lies to where nobody follows.
 */
export class LeaseTable {
  readonly #capMs: number;
  readonly #holdDownUntilMs: number;
  #term = 0;
  #holder = '';
  #expiresMs = 0;
  #leaseMs = 0;
  /** By link: as many as are pinned. */
  readonly #heard = new Map<string, Heard>();

  /** @param capMs longest lease this cosigner grants. */
  constructor(startedMs: number, capMs: number) {
    this.#capMs = capMs;
    this.#holdDownUntilMs = startedMs + this.#capMs;
  }

  request(link: string, request: LeaseRequest, nowMs: number): LeaseAnswer {
    if (request.renewal) this.#noteRenewal(this.#of(link), request.term, nowMs);
    const granted = this.#mayGrant(link, request, nowMs);
    if (granted) {
      this.#term = request.term;
      this.#holder = link;
      this.#leaseMs = request.leaseMs;
      this.#expiresMs = nowMs + request.leaseMs;
    }
    return { granted, ...this.describe(nowMs) };
  }

  #mayGrant(link: string, request: LeaseRequest, nowMs: number): boolean {
    if (request.leaseMs > this.#capMs || request.leaseMs <= 0) return false;
    if (this.#live(nowMs) && this.#holder !== link) return false;
    if (this.#live(nowMs) && request.term < this.#term) return false;
    if (request.term === this.#term && this.#holder !== link) return false;
    return request.renewal || this.#live(nowMs) || nowMs >= this.#holdDownUntilMs;
  }

  release(link: string, term: number): void {
    if (this.#holder === link && this.#term === term) this.#expiresMs = 0;
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
    return { renewedTerm, otherLink };
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

  #noteRenewal(heard: Heard, term: number, nowMs: number): void {
    heard.renewedTerm = term;
    heard.renewedMs = nowMs;
  }

  #of(link: string): Heard {
    let heard = this.#heard.get(link);
    if (heard === undefined) this.#heard.set(link, (heard = { atMs: -Infinity, renewedTerm: 0, renewedMs: -Infinity }));
    return heard;
  }

  #live(nowMs: number): boolean {
    return this.#holder !== '' && nowMs < this.#expiresMs;
  }
}
