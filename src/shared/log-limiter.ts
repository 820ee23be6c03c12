import type { Clock } from './ports/clock.js';
import type { LogFields } from './ports/log.js';

const MAX_KEYS = 256;

type Write = (event: string, fields: LogFields) => void;

/**
 * Lets one line of a kind through per interval and counts the rest into the next one (`repeated`), so that nobody outside
 * can fill the disk with log lines.
 */
export class LogLimiter {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #kinds = new Map<string, { lastMs: number; repeated: number }>();

  constructor(clock: Clock, intervalMs: number) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
  }

  /** `kind` is made of our own words and configured names, never of what a peer sent. */
  write(kind: string, write: Write, event: string, fields: LogFields): void {
    const nowMs = this.#clock.nowMs();
    const last = this.#kinds.get(kind);
    if (last !== undefined && nowMs - last.lastMs < this.#intervalMs) {
      last.repeated += 1;
      return;
    }
    if (last === undefined && this.#kinds.size >= MAX_KEYS) this.#kinds.clear();
    this.#kinds.set(kind, { lastMs: nowMs, repeated: 0 });
    write(event, last !== undefined && last.repeated > 0 ? { ...fields, repeated: last.repeated } : fields);
  }
}
