import type { Clock } from './ports/clock.js';
import type { LogFields } from './ports/log.js';

const MINUTE_MS = 60_000;
const USUALLY_REMEMBERED = 256;

type Write = (event: string, fields: LogFields) => void;

export interface LogLimits {
  /** Kinds that may be told as new in a minute; default: any number. */
  readonly newPerMinute?: number;
  /** Kinds whose last line is remembered, default 256; one that is forgotten is new again. With 1, every change is told. */
  readonly remembered?: number;
}

/**
 * Keeps others from filling the disk with log lines: a kind of line is told at once, and again after `againMs` (Infinity:
 * never). What is left out in between is counted into the next line (`repeated`).
 */
export class LogLimiter {
  readonly #clock: Clock;
  readonly #againMs: number;
  readonly #newPerMinute: number;
  readonly #remembered: number;
  /** The one told last is at the end. */
  readonly #kinds = new Map<string, { readonly toldMs: number; leftOut: number }>();
  /** Lines that no remembered kind counts. */
  #leftOut = 0;
  #minuteStartMs = 0;
  #newInMinute = 0;

  constructor(clock: Clock, againMs: number, { newPerMinute, remembered }: LogLimits = {}) {
    this.#clock = clock;
    this.#againMs = againMs;
    this.#newPerMinute = newPerMinute ?? Infinity;
    this.#remembered = remembered ?? USUALLY_REMEMBERED;
  }

  /** `kind` is bounded in length: our own words, configured names, numbers and hex of what a peer sent, never its text. */
  write(kind: string, write: Write, event: string, fields: LogFields): void {
    if (!this.passes(kind)) return this.#count(kind);
    const repeated = this.#takeCount(kind);
    write(event, repeated > 0 ? { ...fields, repeated } : fields);
  }

  /** Whether a line of this kind may be written now. For lines that are news even so: those left out are not counted. */
  passes(kind: string): boolean {
    const nowMs = this.#clock.nowMs();
    const told = this.#kinds.get(kind);
    if (told === undefined ? !this.#takeNew(nowMs) : nowMs - told.toldMs < this.#againMs) return false;
    this.#kinds.delete(kind);
    this.#kinds.set(kind, { toldMs: nowMs, leftOut: told?.leftOut ?? 0 });
    if (this.#kinds.size > this.#remembered) this.#forgetOldest();
    return true;
  }

  #takeNew(nowMs: number): boolean {
    if (nowMs - this.#minuteStartMs >= MINUTE_MS) {
      this.#minuteStartMs = nowMs;
      this.#newInMinute = 0;
    }
    return ++this.#newInMinute <= this.#newPerMinute;
  }

  #count(kind: string): void {
    const told = this.#kinds.get(kind);
    if (told === undefined) this.#leftOut++;
    // What is told only once has been told.
    else if (this.#againMs !== Infinity) told.leftOut++;
  }

  #takeCount(kind: string): number {
    const told = this.#kinds.get(kind);
    const count = this.#leftOut + (told?.leftOut ?? 0);
    this.#leftOut = 0;
    if (told !== undefined) told.leftOut = 0;
    return count;
  }

  #forgetOldest(): void {
    for (const [kind, { leftOut }] of this.#kinds) {
      this.#kinds.delete(kind);
      this.#leftOut += leftOut;
      return;
    }
  }
}
