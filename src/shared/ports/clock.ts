/** Time as decisions see it: monotonic, so that a stepped or wrong wall clock has no effect. */
export interface Clock {
  /** Milliseconds since an arbitrary start, never going back, with fractions. */
  nowMs(): number;
  /** Runs `task` once after `delayMs`; with 0, once what has arrived by now has been handled. */
  schedule(delayMs: number, task: () => void): Timer;
}

/**
 * The wall clock, whole seconds since 1970: for what has to be known after a restart. It may be wrong, and it may go back.
 */
export type WallSecond = () => number;

export const systemWallSecond: WallSecond = () => Math.floor(Date.now() / 1000);

export interface Timer {
  cancel(): void;
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  schedule(delayMs, task) {
    if (delayMs <= 0) {
      const immediate = setImmediate(task);
      return { cancel: () => clearImmediate(immediate) };
    }
    const timeout = setTimeout(task, delayMs);
    return { cancel: () => clearTimeout(timeout) };
  },
};
