/** Part of each new gap between heights in the usual block time. */
const NEW_WEIGHT = 1 / 4;
/** A chain that stood still for a while is not a slow one: no gap counts for more than so many usual ones, or a minute. */
const MAX_GAP_RATIO = 4;
const MAX_GAP_MS = 60_000;

/** What a chain usually takes for a block, as far as it was seen. Pure. */
export class UsualBlockTime {
  #usualMs: number | undefined;

  /** 0 before any was seen. */
  get ms(): number {
    return this.#usualMs ?? 0;
  }

  /** So long it took from one height to the next. */
  note(gapMs: number): void {
    const countedMs = Math.min(gapMs, MAX_GAP_MS);
    const usualMs = this.#usualMs ?? countedMs;
    this.#usualMs = usualMs + (Math.min(countedMs, usualMs * MAX_GAP_RATIO) - usualMs) * NEW_WEIGHT;
  }
}
