import type { Clock } from '../../src/shared/ports/clock.js';
import { LatencyEstimate } from './latency.js';

/** What rules, curve and a slow disk take at a cosigner that is all right. */
const USUAL_SIGN_MS = 20;
/** One that was slow is not asked while others are nearer: it is thought half as slow after each such while. */
const EXTRA_HALVES_MS = 60_000;
/** A cosigner that made a request wait is asked last for a while; longer each time it happens again. */
const SUSPECT_MS = 5_000;
const MAX_SUSPECT_MS = 60_000;

/** How fast one cosigner has been; outlives its streams. */
export class PeerHealth {
  readonly #clock: Clock;
  readonly #signLatency = new LatencyEstimate();
  readonly #roundTrip = new LatencyEstimate();
  #answeredMs = 0;
  #suspectUntilMs = 0;
  #suspectMs = SUSPECT_MS;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Mean time from a sign request to its answer. */
  get signMs(): number | undefined {
    return this.#signLatency.meanMs;
  }

  /** Mean time of a heartbeat there and back: how far away this cosigner is. */
  get roundTripMs(): number | undefined {
    return this.#roundTrip.meanMs;
  }

  /**
   * By which the nearest are chosen: its round trip, and by how much more than usual its answers to sign requests took lately.
   * What it said with heartbeats alone is not to be believed: one that keeps each request waiting for as long as it may would be
   * near for ever.
   */
  distanceMs(): number {
    const roundTripMs = this.roundTripMs ?? 0;
    const extraMs = Math.max(0, (this.signMs ?? 0) - roundTripMs - USUAL_SIGN_MS);
    return roundTripMs + extraMs * 0.5 ** ((this.#clock.nowMs() - this.#answeredMs) / EXTRA_HALVES_MS);
  }

  noteRoundTrip(sampleMs: number): void {
    this.#roundTrip.note(sampleMs);
  }

  noteAnswer(sampleMs: number): void {
    this.#signLatency.note(sampleMs);
    this.#answeredMs = this.#clock.nowMs();
  }

  /** It did what it was asked for: the next time that it does not is the first one again. */
  noteServed(): void {
    if (!this.suspect) this.#suspectMs = SUSPECT_MS;
  }

  /** How long to wait for this cosigner before another set is asked as well. */
  patienceMs(): number {
    return this.#signLatency.patienceMs();
  }

  /** It could not serve a request in time: no answer within its patience, busy, or it follows another term. */
  noteStall(): void {
    this.#suspectUntilMs = this.#clock.nowMs() + this.#suspectMs;
    this.#suspectMs = Math.min(MAX_SUSPECT_MS, 2 * this.#suspectMs);
  }

  get suspect(): boolean {
    return this.#clock.nowMs() < this.#suspectUntilMs;
  }
}
