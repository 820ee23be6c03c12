import type { Clock } from '../../src/shared/ports/clock.js';
import type { Log, LogFields } from '../../src/shared/ports/log.js';
import type { DialError } from './dial-error.js';

const MINUTE_MS = 60_000;
/** A node that connects and drops all the time changes class with every attempt; this bounds what it makes us write. */
const MAX_CHANGES_PER_MINUTE = 10;

/** Tells the operator about one node's connection: every change at once, more of the same once a minute; `failures` counts those since the last line. */
export class DiallerLog {
  #lastKey: string | undefined;
  #lastMs = 0;
  #failures = 0;
  #windowStartMs = 0;
  #changes = 0;

  constructor(
    private readonly log: Log,
    private readonly clock: Clock,
    private readonly fields: LogFields,
  ) {}

  connected(fields: LogFields): void {
    if (this.#mayLog('connected')) this.log.info('connected to the node', { ...this.fields, ...fields });
  }

  failed(error: DialError): void {
    this.#failures++;
    if (!this.#mayLog(error.code)) return;
    const fields = { ...this.fields, code: error.code, cause: error.message, fix: error.fix, failures: this.#failures };
    this.#failures = 0;
    this.log.warn('no connection to the node', fields);
  }

  #mayLog(key: string): boolean {
    const nowMs = this.clock.nowMs();
    if (key === this.#lastKey ? nowMs - this.#lastMs < MINUTE_MS : !this.#takeChange(nowMs)) return false;
    this.#lastKey = key;
    this.#lastMs = nowMs;
    return true;
  }

  #takeChange(nowMs: number): boolean {
    if (nowMs - this.#windowStartMs >= MINUTE_MS) {
      this.#windowStartMs = nowMs;
      this.#changes = 0;
    }
    return ++this.#changes <= MAX_CHANGES_PER_MINUTE;
  }
}
