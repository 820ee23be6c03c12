import type { Clock, Timer, WallSecond } from '../../src/shared/ports/clock.js';

interface Event {
  readonly atMs: number;
  readonly order: number;
  readonly task: () => void;
  /** It has run, or was cancelled. */
  over: boolean;
}

/** Time that passes only when told to; what falls due runs in order of time, then of scheduling, also what that schedules. */
export class ManualClock implements Clock {
  #nowMs = 0;
  #order = 0;
  #pending = 0;
  readonly #heap: Event[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  schedule(delayMs: number, task: () => void): Timer {
    const event = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, task, over: false };
    this.#push(event);
    this.#pending++;
    return { cancel: () => this.#finish(event) };
  }

  /** Timers that have neither run nor been cancelled. */
  get pending(): number {
    return this.#pending;
  }

  /** Moves on by `ms` at once: promises settle only afterwards. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    while (this.#runNext(untilMs));
    this.#nowMs = untilMs;
  }

  /** Moves on by `ms`, letting promises settle after each task. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await settle();
    while (this.#runNext(untilMs)) await settle();
    this.#nowMs = untilMs;
  }

  /** As for a process that was stopped for so long: the time has come, nothing that fell due has run. */
  leap(ms: number): void {
    this.#nowMs += ms;
  }

  /** Whether anything was due by then. */
  #runNext(untilMs: number): boolean {
    for (let next = this.#heap[0]; next !== undefined && next.atMs <= untilMs; next = this.#heap[0]) {
      this.#pop();
      if (next.over) continue;
      this.#finish(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.task();
      return true;
    }
    return false;
  }

  #finish(event: Event): void {
    if (event.over) return;
    event.over = true;
    this.#pending--;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    heap.push(event);
    for (let i = heap.length - 1; i > 0;) {
      const parent = (i - 1) >> 1;
      if (!before(heap[i]!, heap[parent]!)) break;
      [heap[i], heap[parent]] = [heap[parent]!, heap[i]!];
      i = parent;
    }
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    heap[0] = last;
    for (let i = 0; ;) {
      const left = 2 * i + 1;
      if (left >= heap.length) return;
      const child = left + 1 < heap.length && before(heap[left + 1]!, heap[left]!) ? left + 1 : left;
      if (!before(heap[child]!, heap[i]!)) return;
      [heap[i], heap[child]] = [heap[child]!, heap[i]!];
      i = child;
    }
  }
}

/** A wall clock that goes as another clock does. */
export function wallOf(clock: Clock): WallSecond {
  return () => 1_700_000_000 + Math.floor(clock.nowMs() / 1000);
}

function before(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** All promise reactions that are ready run before an immediate does. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
