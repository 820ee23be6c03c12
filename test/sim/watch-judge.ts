import type { Clock } from '../../src/shared/ports/clock.js';

/** One that stands still is dead after so long: a second, the beat before it and a look; its clock may go a little slower. */
const KILLED_BY_MS = 1_350;
/** Nobody is killed sooner: a second but for the beat that may be outstanding, its clock a little faster. */
const KILLED_FROM_MS = 760;
const STARTED_WITHIN_MS = 20;
const CLOCK_OFF = 0.05;

/**
 * Judges the watcher of one link by what was done to its process (docs/failover.md, "A frozen link"). Clocks that go far off are
 * not judged.
 */
export class WatchJudge {
  readonly #link: string;
  readonly #clock: Clock;
  readonly #demand: (holds: boolean, why: string) => void;
  /** Since when the process is stopped, and nothing else of its host; undefined while it is not. */
  #stoppedMs: number | undefined;
  /** When it may be started, and must have been. */
  #again: { readonly fromMs: number; readonly untilMs: number } | undefined;
  #kills = 0;
  #fair = true;

  constructor(link: string, clock: Clock, demand: (holds: boolean, why: string) => void) {
    this.#link = link;
    this.#clock = clock;
    this.#demand = demand;
  }

  stopped(): void {
    const atMs = this.#clock.nowMs();
    this.#stoppedMs = atMs;
    this.#clock.schedule(KILLED_BY_MS, () =>
      this.#judge(this.#stoppedMs !== atMs, `stands still since ${atMs}, and lives`),
    );
  }

  goesOn(): void {
    this.#stoppedMs = undefined;
  }

  killed(): void {
    const nowMs = this.#clock.nowMs();
    const stillMs = this.#stoppedMs === undefined ? 0 : nowMs - this.#stoppedMs;
    this.#judge(stillMs >= KILLED_FROM_MS, `is killed after it stood still for ${stillMs.toFixed(0)} ms`);
    this.#stoppedMs = undefined;
    this.#kills++;
    const inMs = this.#kills === 1 ? 0 : 1_000 * 2 ** (this.#kills - 2);
    const again = {
      fromMs: nowMs + inMs * (1 - CLOCK_OFF),
      untilMs: nowMs + inMs * (1 + CLOCK_OFF) + STARTED_WITHIN_MS,
    };
    this.#again = again;
    this.#clock.schedule(again.untilMs - nowMs, () => this.#judge(this.#again !== again, 'is not started again'));
  }

  started(): void {
    const { fromMs = 0 } = this.#again ?? {};
    this.#judge(this.#clock.nowMs() >= fromMs, `stands still for the ${this.#kills}. time, and is started too soon`);
    this.#again = undefined;
  }

  /** It ended in another way, its host is stopped, or it is started by hand: the watcher owes nothing. */
  excused(): void {
    [this.#again, this.#stoppedMs] = [undefined, undefined];
  }

  ended(): void {
    this.excused();
    this.#kills = 0;
  }

  clockIsOff(): void {
    this.#fair = false;
  }

  #judge(holds: boolean, why: string): void {
    this.#demand(holds || !this.#fair, `${this.#link} ${why}`);
  }
}
