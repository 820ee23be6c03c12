import type { LeaseRequest } from '../src/shared/coordination/messages.js';
import { MAX_FIRST_TERM, MAX_TERM_JUMP } from '../src/shared/coordination/limits.js';

export interface LeaseAnswer {
  readonly granted: boolean;
  readonly term: number;
  readonly holder: string;
  readonly remainingMs: number;
}

/**
 * Who leads, as far as this cosigner has promised. Leadership is for liveness only (the watermark is what prevents double
 * signing), so nothing here is kept on disk. A cosigner that just started may have promised a lease it no longer
 * knows of: until the longest possible one has run out it only prolongs, and grants no candidate.
 */
export class LeaseTable {
  readonly #capMs: number;
  readonly #holdDownUntilMs: number;
  #term = 0;
  #holder = '';
  #expiresMs = 0;

  /** @param capMs longest lease this cosigner grants. */
  constructor(startedMs: number, capMs: number) {
    this.#capMs = capMs;
    this.#holdDownUntilMs = startedMs + this.#capMs;
  }

  request(link: string, request: LeaseRequest, nowMs: number): LeaseAnswer {
    const granted = this.#mayGrant(link, request, nowMs);
    if (granted) {
      this.#term = request.term;
      this.#holder = link;
      this.#expiresMs = nowMs + request.leaseMs;
    }
    return { ...this.describe(nowMs), granted };
  }

  #mayGrant(link: string, request: LeaseRequest, nowMs: number): boolean {
    if (request.leaseMs > this.#capMs || request.leaseMs <= 0) return false;
    if (request.term < this.#term || request.term > this.#highestTermToGrant()) return false;
    if (this.#live(nowMs) && this.#holder !== link) return false;
    if (request.term === this.#term && this.#holder !== link) return false;
    return request.renewal || this.#live(nowMs) || nowMs >= this.#holdDownUntilMs;
  }

  /** One that just started knows of no term, and the others may have come far: it must not be left behind for ever. */
  #highestTermToGrant(): number {
    return this.#term === 0 ? MAX_FIRST_TERM : this.#term + MAX_TERM_JUMP;
  }

  release(link: string, term: number): void {
    if (this.#holder === link && this.#term === term) this.#expiresMs = 0;
  }

  /**
   * Whether a sign request of this link and term may be served. A term above ours is served: a leader of the others'
   * making is as good as one of ours, and refusing it would only cost votes.
   */
  admits(link: string, term: number): boolean {
    return term > this.#term || (term === this.#term && this.#holder === link);
  }

  describe(nowMs: number): Omit<LeaseAnswer, 'granted'> {
    const live = this.#live(nowMs);
    // While holding down, say how long: a candidate then waits instead of asking in vain.
    const heldMs = live ? this.#expiresMs - nowMs : Math.max(0, this.#holdDownUntilMs - nowMs);
    return { term: this.#term, holder: live ? this.#holder : '', remainingMs: heldMs };
  }

  #live(nowMs: number): boolean {
    return this.#holder !== '' && nowMs < this.#expiresMs;
  }
}
