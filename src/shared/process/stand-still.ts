/** A loop that has not turned for so long is taken to be frozen. */
export const STAND_STILL_MS = 1_000;
/** How often somebody looks. */
export const LOOK_MS = 100;
/** Who looks so late may have been stopped itself, together with what it looks at: the machine slept, or was paused. */
const LATE_MS = 300;

/** Decides whether another process's loop stands still, from its beats. Times are of a monotonic clock. */
export class StandStill {
  #beatMs: number | undefined;
  #lookedMs: number;

  constructor(nowMs: number) {
    this.#lookedMs = nowMs;
  }

  /** Before the first one nothing is expected: a start may take long. */
  beat(nowMs: number): void {
    this.#beatMs = nowMs;
  }

  /** How long it has stood still, once that is too long. To be asked every LOOK_MS. */
  look(nowMs: number): number | undefined {
    const late = nowMs - this.#lookedMs >= LATE_MS;
    this.#lookedMs = nowMs;
    if (this.#beatMs === undefined) return undefined;
    if (late) this.#beatMs = nowMs;
    const stillMs = nowMs - this.#beatMs;
    return stillMs >= STAND_STILL_MS ? stillMs : undefined;
  }
}
