import type { Clock } from './ports/clock.js';

/** How often it is looked at; a request takes milliseconds. */
const LOOK_MS = 5;

/** Counts what is under way, so that a process that is told to end can finish it first. */
export class InFlight {
  #count = 0;

  async during<T>(task: () => Promise<T>): Promise<T> {
    this.#count++;
    try {
      return await task();
    } finally {
      this.#count--;
    }
  }

  /**
   * Resolves with true at a moment when nothing is under way, what came of it having been handed on; with false when there
   * was none for `maxMs`.
   */
  untilNone(clock: Clock, maxMs: number): Promise<boolean> {
    const endMs = clock.nowMs() + maxMs;
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.#count === 0) resolve(true);
        else if (clock.nowMs() >= endMs) resolve(false);
        else clock.schedule(LOOK_MS, look);
      };
      clock.schedule(0, look);
    });
  }
}
