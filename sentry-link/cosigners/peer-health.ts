import { FIXES } from '../../src/shared/error-codes.js';
import { cosignerName } from '../../src/shared/home/paths.js';
import type { Clock } from '../../src/shared/ports/clock.js';
import type { Log } from '../../src/shared/ports/log.js';
import { LatencyEstimate } from './latency.js';

/** A cosigner whose share or commitments were bad is left out this long before it is tried again. */
const QUARANTINE_MS = 60_000;
/** A cosigner that made a request wait is asked last for a while; longer each time it happens again. */
const SUSPECT_MS = 5_000;
const MAX_SUSPECT_MS = 60_000;

/** How fast and how trustworthy one cosigner has been; outlives its streams. */
export class PeerHealth {
  readonly #id: number;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #signLatency = new LatencyEstimate();
  readonly #roundTrip = new LatencyEstimate();
  #quarantinedUntilMs = 0;
  #quarantineReason = '';
  #suspectUntilMs = 0;
  #suspectMs = SUSPECT_MS;

  constructor(id: number, clock: Clock, log: Log) {
    this.#id = id;
    this.#clock = clock;
    this.#log = log;
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

  get quarantined(): boolean {
    return this.#clock.nowMs() < this.#quarantinedUntilMs;
  }

  /** Of the last time. */
  get quarantineReason(): string {
    return this.#quarantineReason;
  }

  quarantine(reason: string): void {
    const known = this.quarantined;
    this.#quarantineReason = reason;
    this.#quarantinedUntilMs = this.#clock.nowMs() + QUARANTINE_MS;
    if (known) return;
    const fields = { code: 'COSIGNER_BAD', cosigner: cosignerName(this.#id), reason, fix: FIXES.COSIGNER_BAD };
    this.#log.error('cosigner left out', fields);
  }
}
