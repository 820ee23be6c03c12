const MOST_LEFT = 1_000;
/** A decision is made up to so long before its write is seen. */
const SLACK_SECONDS = 3;

/** How many heights a cosigner may have risen by now: the bucket of docs/invariants.md, 10, as somebody outside counts it. */
export class HeightBudget {
  readonly #perSecond: number;
  #left = MOST_LEFT;
  #atSecond: number;

  /** @param perSecond 0: any. */
  constructor(perSecond: number, nowSecond: number) {
    this.#perSecond = perSecond;
    this.#atSecond = nowSecond;
  }

  fill(nowSecond: number): void {
    [this.#left, this.#atSecond] = [MOST_LEFT, nowSecond];
  }

  /** Whether a rise by so many heights is within it. */
  take(heights: bigint, nowSecond: number): boolean {
    if (this.#perSecond === 0 || heights === 0n) return true;
    const seconds = Math.max(0, nowSecond - this.#atSecond) + SLACK_SECONDS;
    const left = this.#left + seconds * this.#perSecond - Number(heights);
    this.fill(nowSecond);
    this.#left = Math.min(MOST_LEFT, left);
    return left >= 0;
  }
}
