import { LogLimiter } from '../log-limiter.js';
import type { Clock } from '../ports/clock.js';
import type { Log } from '../ports/log.js';

const LOG_INTERVAL_MS = 600_000;

/**
 * Counts what peers sent that is not in this version: a newer release does that during an upgrade, and a hostile one may as
 * often as it likes. It costs a number for each pinned peer, a line in ten minutes, and less work than a heartbeat.
 */
export class PassedOver {
  readonly #log: Log;
  readonly #limiter: LogLimiter;
  readonly #counts = new Map<string, number>();

  constructor(clock: Clock, log: Log) {
    this.#log = log;
    this.#limiter = new LogLimiter(clock, LOG_INTERVAL_MS);
  }

  /** `peer`: its name in our configuration. */
  note(peer: string, parts: number): void {
    const count = this.count(peer) + parts;
    this.#counts.set(peer, count);
    const event = 'peer sends what this version does not know: passed over';
    this.#limiter.write(peer, (text, fields) => this.#log.info(text, fields), event, { peer, count });
  }

  count(peer: string): number {
    return this.#counts.get(peer) ?? 0;
  }
}
