import type { Clock, Timer } from '../../src/shared/ports/clock.js';
import { RestartDelay } from '../../src/shared/process/restart-delay.js';
import { LOOK_MS, StandStill } from '../../src/shared/process/stand-still.js';
import { ProcessClock } from './process-clock.js';

/** The watcher of a process on the same host, with what production decides by; the process beats, and is killed and started. */
export class SimWatcher {
  readonly clock: ProcessClock;
  readonly #kill: () => void;
  readonly #start: () => void;
  #still: StandStill | undefined;
  #startedMs = 0;
  #delay = new RestartDelay();
  #timer: Timer | undefined;

  constructor(world: Clock, kill: () => void, start: () => void) {
    this.clock = new ProcessClock(world);
    this.#kill = kill;
    this.#start = start;
  }

  /** The process runs. */
  started(): void {
    this.#startedMs = this.clock.nowMs();
    this.#still = new StandStill(this.#startedMs);
    this.#look();
  }

  beat(): void {
    this.clock.arrive(() => this.#still?.beat(this.clock.nowMs()));
  }

  /** The process ended by itself, or somebody else killed it: that is the end of its watcher. */
  ended(): void {
    this.#timer?.cancel();
    this.clock.kill();
    this.#still = undefined;
    this.#delay = new RestartDelay();
  }

  #look(): void {
    this.#timer = this.clock.schedule(LOOK_MS, () => {
      const nowMs = this.clock.nowMs();
      if (this.#still?.look(nowMs) === undefined) return this.#look();
      this.#still = undefined;
      this.#kill();
      this.#timer = this.clock.schedule(this.#delay.next(nowMs - this.#startedMs), this.#start);
    });
  }
}
