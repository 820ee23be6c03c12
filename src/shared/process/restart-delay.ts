/** One that was well for so long: what comes then is a first time. */
const WELL_MS = 60_000;

/** After how long one that stood still is started again: at once the first time, and where that repeats later each time. */
export class RestartDelay {
  readonly #firstMs: number;
  readonly #maxMs: number;
  #stills = 0;

  constructor(firstMs = 1_000, maxMs = 30_000) {
    this.#firstMs = firstMs;
    this.#maxMs = maxMs;
  }

  /** @param ranMs for how long it had run when it stood still. */
  next(ranMs: number): number {
    this.#stills = ranMs < WELL_MS ? this.#stills + 1 : 1;
    if (this.#stills === 1) return 0;
    return Math.min(this.#maxMs, this.#firstMs * 2 ** (this.#stills - 2));
  }
}
