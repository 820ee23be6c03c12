/** A cosigner that gave what is provably wrong is left out for so long; twice as long when it does so again. */
const LEFT_OUT_MS = 60_000;
const MAX_LEFT_OUT_MS = 3_600_000;
/** Good shares in a row, after which the next time is the first one again. */
const FORGIVEN_AFTER = 100;

/**
 * What one cosigner has shown itself to be worth for one chain. To be left out means to be asked last, where too few others
 * could sign: it can cost an attempt, never a signature that is wrong. Outlives its streams.
 */
export class ChainStanding {
  #reason = '';
  #untilMs = 0;
  #forMs = 0;
  #goodShares = 0;

  /** Leaves it out from now on; returns for how long, or undefined where it was left out already. */
  leaveOut(reason: string, nowMs: number): number | undefined {
    const known = this.reason(nowMs) !== undefined;
    this.#reason = reason;
    this.#goodShares = 0;
    // One that is asked all the same, for want of others, is not made to wait longer for each time.
    if (!known) this.#forMs = this.#forMs === 0 ? LEFT_OUT_MS : Math.min(2 * this.#forMs, MAX_LEFT_OUT_MS);
    this.#untilMs = nowMs + this.#forMs;
    return known ? undefined : this.#forMs;
  }

  /** Why it is left out now; undefined: it is not. */
  reason(nowMs: number): string | undefined {
    return nowMs < this.#untilMs ? this.#reason : undefined;
  }

  /** It took part in a signature that was verified. */
  noteGoodShare(): void {
    this.#untilMs = 0;
    if (++this.#goodShares >= FORGIVEN_AFTER) this.#forMs = 0;
  }
}
