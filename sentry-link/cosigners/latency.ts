/** What the answers of one cosigner usually take: mean and deviation, smoothed as TCP does it (RFC 6298 §2). */
export class LatencyEstimate {
  #meanMs: number | undefined;
  #deviationMs = 0;

  note(sampleMs: number): void {
    if (this.#meanMs === undefined) {
      this.#meanMs = sampleMs;
      this.#deviationMs = sampleMs / 2;
      return;
    }
    this.#deviationMs += (Math.abs(sampleMs - this.#meanMs) - this.#deviationMs) / 4;
    this.#meanMs += (sampleMs - this.#meanMs) / 8;
  }

  get meanMs(): number | undefined {
    return this.#meanMs;
  }

  /** When to stop waiting for this cosigner alone and try another set as well. */
  patienceMs(): number {
    if (this.#meanMs === undefined) return FIRST_PATIENCE_MS;
    return Math.min(MAX_PATIENCE_MS, Math.max(MIN_PATIENCE_MS, 2 * this.#meanMs + 4 * this.#deviationMs));
  }
}

const FIRST_PATIENCE_MS = 150;
const MIN_PATIENCE_MS = 15;
const MAX_PATIENCE_MS = 1_000;
