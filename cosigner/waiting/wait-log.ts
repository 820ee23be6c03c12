import { FIXES } from '../../src/shared/error-codes.js';
import type { Clock, Timer } from '../../src/shared/ports/clock.js';
import type { Log } from '../../src/shared/ports/log.js';
import type { WaitingChain } from './asker.js';

/** A restart of all takes a second or two, and is no news. */
const PATIENCE_MS = 10_000;
const STILL_MS = 60_000;

/** Tells that chains wait, while they do. */
export class WaitLog {
  readonly #chains: () => Iterable<WaitingChain>;
  readonly #clock: Clock;
  readonly #log: Log;
  #timer: Timer | undefined;

  constructor(chains: () => Iterable<WaitingChain>, clock: Clock, log: Log) {
    this.#chains = chains;
    this.#clock = clock;
    this.#log = log;
  }

  start(): void {
    for (const { chainId, others } of this.#waiting())
      this.#log.info('waits until it has heard the others', { chain: chainId, reason: others.wait.describe() });
    this.#in(PATIENCE_MS);
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #in(ms: number): void {
    if (this.#waiting().length > 0) this.#timer = this.#clock.schedule(ms, () => this.#tell());
  }

  #tell(): void {
    for (const { chainId, others } of this.#waiting()) {
      const fields = { code: 'WAITING', chain: chainId, reason: others.wait.describe(), fix: FIXES.WAITING };
      this.#log.warn('still waits: signs nothing', fields);
    }
    this.#in(STILL_MS);
  }

  #waiting(): readonly WaitingChain[] {
    return [...this.#chains()].filter(({ others }) => others.wait.waiting);
  }
}
