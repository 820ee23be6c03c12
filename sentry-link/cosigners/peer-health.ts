import type { Clock } from '../../src/shared/ports/clock.js';
import { LatencyEstimate } from './latency.js';

/** A cosigner that made a request wait is asked last for a while; longer each time it happens again. */
const SUSPECT_MS = 5_000;
const MAX_SUSPECT_MS = 60_000;

/** How fast one cosigner has been; outlives its streams. */
export class PeerHealth {
  readonly #clock: Clock;
  readonly #signLatency = new LatencyEstimate();
  readonly #roundTrip = new LatencyEstimate();
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

  noteRoundTrip(sampleMs: number): void {
    this.#roundTrip.note(sampleMs);
  }

  noteAnswer(sampleMs: number): void {
    this.#signLatency.note(sampleMs);
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
