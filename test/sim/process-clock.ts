import type { Clock, Timer } from '../../src/shared/ports/clock.js';

/** What stands still: this process alone, all of its host, or the machine together with its clock, as one that was suspended. */
export type Stop = 'process' | 'host' | 'machine';

interface HeldTimer {
  readonly dueMs: number;
  readonly task: () => void;
  /** On the world's clock; undefined while the process is stopped. */
  armed: Timer | undefined;
}

/**
 * The monotonic clock of one host, and its process's attention: it may go faster or slower than the world's, and while the
 * process is stopped nothing that falls due or arrives is seen.
 */
export class ProcessClock implements Clock {
  readonly #world: Clock;
  readonly #watcher: ProcessClock | undefined;
  #rate = 1;
  #fromMs: number;
  #worldFromMs: number;
  /** What is due has come, whatever the arithmetic of rates makes of it. */
  #atLeastMs = 0;
  #stopped = false;
  #frozen = false;
  readonly #timers = new Set<HeldTimer>();
  #arrived: (() => void)[] = [];
  #written: (() => void)[] = [];

  /** @param watcher of another process of the same host, which stops and goes on with the host. */
  constructor(world: Clock, watcher?: ProcessClock) {
    this.#world = world;
    this.#watcher = watcher;
    this.#fromMs = world.nowMs();
    this.#worldFromMs = this.#fromMs;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  nowMs(): number {
    if (this.#frozen) return this.#fromMs;
    const passedMs = (this.#world.nowMs() - this.#worldFromMs) * this.#rate;
    return Math.max(this.#atLeastMs, this.#fromMs + passedMs);
  }

  schedule(delayMs: number, task: () => void): Timer {
    const timer: HeldTimer = { dueMs: this.nowMs() + Math.max(0, delayMs), task, armed: undefined };
    this.#timers.add(timer);
    this.#arm(timer);
    return {
      cancel: () => {
        timer.armed?.cancel();
        this.#timers.delete(timer);
      },
    };
  }

  /** Something comes from outside: seen now, or when the process goes on. */
  arrive(task: () => void): void {
    if (this.#stopped) this.#arrived.push(task);
    else task();
  }

  /** The kernel has done what the process asked for: it happens, and the process sees it when it goes on. */
  done(task: () => void): void {
    if (this.#stopped) this.#written.push(task);
    else task();
  }

  /** From now on it goes so fast. */
  setRate(rate: number): void {
    this.#watcher?.setRate(rate);
    this.#startFrom(this.nowMs(), rate);
    if (!this.#stopped) for (const timer of this.#timers) this.#arm(timer);
  }

  stop(what: Stop): void {
    if (what !== 'process') this.#watcher?.stop(what);
    this.#startFrom(this.nowMs(), this.#rate);
    [this.#stopped, this.#frozen] = [true, what === 'machine'];
    for (const timer of this.#timers) timer.armed?.cancel();
  }

  goOn(): void {
    // Before this one: what it reads from us it reads after a look at its own clock.
    this.#watcher?.goOn();
    if (!this.#stopped) return;
    this.#unfreeze();
    for (const task of [...this.#written.splice(0), ...this.#arrived.splice(0)]) this.#world.schedule(0, task);
    for (const timer of [...this.#timers].sort((a, b) => a.dueMs - b.dueMs)) this.#arm(timer);
  }

  /** The process is gone, and its timers with it. */
  kill(): void {
    for (const timer of this.#timers) timer.armed?.cancel();
    this.#timers.clear();
    this.#arrived = [];
    this.#unfreeze();
    for (const task of this.#written.splice(0)) task();
  }

  #unfreeze(): void {
    this.#startFrom(this.nowMs(), this.#rate);
    [this.#stopped, this.#frozen] = [false, false];
  }

  #startFrom(ms: number, rate: number): void {
    [this.#fromMs, this.#worldFromMs, this.#rate] = [ms, this.#world.nowMs(), rate];
  }

  #arm(timer: HeldTimer): void {
    timer.armed?.cancel();
    if (this.#stopped) return;
    timer.armed = this.#world.schedule((timer.dueMs - this.nowMs()) / this.#rate, () => {
      this.#timers.delete(timer);
      this.#atLeastMs = Math.max(this.#atLeastMs, timer.dueMs);
      timer.task();
    });
  }
}
