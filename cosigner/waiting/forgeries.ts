import { FIXES } from '../../src/shared/error-codes.js';
import { LogLimiter } from '../../src/shared/log-limiter.js';
import type { Clock } from '../../src/shared/ports/clock.js';
import type { Log } from '../../src/shared/ports/log.js';

/** Nothing more that a link carries is looked at for so long: verifying costs more than sending. */
const REST_MS = 100;
const AGAIN_MS = 60_000;

/** Questions and answers whose signature does not hold, by the link that brought them: there are not many links. */
export class Forgeries {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #limiter: LogLimiter;
  readonly #untilMs = new Map<string, number>();

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
    this.#limiter = new LogLimiter(clock, AGAIN_MS);
  }

  isResting(link: string): boolean {
    return this.#clock.nowMs() < (this.#untilMs.get(link) ?? -Infinity);
  }

  note(link: string, what: string): void {
    this.#untilMs.set(link, this.#clock.nowMs() + REST_MS);
    const code = 'ANSWER_INVALID';
    const fields = { code, link, reason: `the signature of ${what} does not hold`, fix: FIXES[code] };
    const event = 'a link brings what no cosigner has said';
    this.#limiter.write(link, (text, all) => this.#log.error(text, all), event, fields);
  }
}
