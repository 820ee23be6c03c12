import type { ByteChannel } from '../../shared/ports/byte-channel.js';
import type { Clock } from '../../shared/ports/clock.js';

/** A signer that has connected and waits to be taken. */
export interface PendingSigner {
  /** Takes it: with the handshake, where there is one. Rejects when it is gone or hangs. The result is started at once. */
  open(): Promise<ByteChannel>;
  /** Lets it go untaken. */
  drop(): void;
}

/** Of a listening socket: connections beyond it are dropped. */
const MAX_WAITING = 128;

/**
 * The listen queue of the node's port: signers that connected wait here, untouched and oldest first, until the node calls
 * accept. Dead ones are found out only then.
 */
export class Backlog {
  readonly #clock: Clock;
  readonly #waiting: PendingSigner[] = [];
  #taker: ((signer: PendingSigner | undefined) => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#waiting.length;
  }

  push(signer: PendingSigner): void {
    if (this.#taker !== undefined) this.#taker(signer);
    else if (this.#waiting.length < MAX_WAITING) this.#waiting.push(signer);
    else signer.drop();
  }

  /** The oldest one, waiting up to `deadlineMs` for it. One taker at a time. */
  accept(deadlineMs: number): Promise<PendingSigner | undefined> {
    const first = this.#waiting.shift();
    if (first !== undefined) return Promise.resolve(first);
    return new Promise((resolve) => {
      const taker = (signer: PendingSigner | undefined): void => {
        timer.cancel();
        this.#taker = undefined;
        resolve(signer);
      };
      const timer = this.#clock.schedule(deadlineMs, () => taker(undefined));
      this.#taker = taker;
    });
  }

  close(): void {
    this.#taker?.(undefined);
    for (const signer of this.#waiting.splice(0)) signer.drop();
  }
}
