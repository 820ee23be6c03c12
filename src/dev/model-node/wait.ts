import type { Clock } from '../../shared/ports/clock.js';

/** Waits that end early, all at once, when the node is stopped. */
export class Waits {
  readonly #clock: Clock;
  readonly #wake = new Set<() => void>();
  #stopped = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** Resolves after `ms`, or once stopped. */
  sleep(ms: number): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        timer.cancel();
        this.#wake.delete(done);
        resolve();
      };
      const timer = this.#clock.schedule(ms, done);
      this.#wake.add(done);
    });
  }

  stop(): void {
    this.#stopped = true;
    for (const wake of this.#wake) wake();
  }
}
