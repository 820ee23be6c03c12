/** A cosigner that gave what is provably wrong is left out for so long; twice as long when it does so again. */
const LEFT_OUT_MS = 60_000;
const MAX_LEFT_OUT_MS = 3_600_000;
/** One that refuses what the others sign is asked last for a while; longer each time, until it serves again. */
const REFUSING_MS = 5_000;
const MAX_REFUSING_MS = 60_000;
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
  #refusingUntilMs = 0;
  #refusingForMs = 0;
  /** Requests since the last good share for which it did not know its own nonces. */
  #unknownNonces = 0;

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

  /** It refused what the others signed. */
  noteRefused(nowMs: number): void {
    this.#refusingForMs = this.#refusingForMs === 0 ? REFUSING_MS : Math.min(2 * this.#refusingForMs, MAX_REFUSING_MS);
    this.#refusingUntilMs = nowMs + this.#refusingForMs;
  }

  /** It said that it does not know nonces that it had announced. Once may be chance: its stream was new, say. */
  noteUnknownNonces(nowMs: number): void {
    if (++this.#unknownNonces > 1) this.noteRefused(nowMs);
  }

  /** Whether it is to be asked last for what it refused. */
  refusing(nowMs: number): boolean {
    return nowMs < this.#refusingUntilMs;
  }

  /** It took part in a signature that was verified. */
  noteGoodShare(nowMs: number): void {
    this.#untilMs = 0;
    this.#unknownNonces = 0;
    if (!this.refusing(nowMs)) this.#refusingForMs = 0;
    if (++this.#goodShares >= FORGIVEN_AFTER) this.#forMs = 0;
  }
}
