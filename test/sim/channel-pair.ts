import type { ByteChannel, ByteChannelHandlers } from '../../src/shared/ports/byte-channel.js';
import type { Clock } from '../../src/shared/ports/clock.js';

/** Two ends of an ordered, reliable byte stream with a delay, as tcp on a good day. */
export function channelPair(clock: Clock, delayMs: () => number): readonly [ByteChannel, ByteChannel] {
  const a = new End(clock, delayMs);
  const b = new End(clock, delayMs);
  a.other = b;
  b.other = a;
  return [a, b];
}

class End implements ByteChannel {
  readonly #clock: Clock;
  readonly #delayMs: () => number;
  other: End | undefined;
  #handlers: ByteChannelHandlers | undefined;
  #early: Uint8Array[] = [];
  #lastArrivalMs = 0;
  #closed = false;

  constructor(clock: Clock, delayMs: () => number) {
    this.#clock = clock;
    this.#delayMs = delayMs;
  }

  start(handlers: ByteChannelHandlers): void {
    this.#handlers = handlers;
    for (const bytes of this.#early) handlers.bytes(bytes);
    this.#early = [];
    if (this.#closed) handlers.closed(undefined);
  }

  write(bytes: Uint8Array): void {
    if (this.#closed) return;
    const copy = bytes.slice();
    this.#later(() => this.other?.receive(copy));
  }

  close(): void {
    if (this.#closed) return;
    this.end();
    this.#later(() => this.other?.end());
  }

  receive(bytes: Uint8Array): void {
    if (this.#closed) return;
    if (this.#handlers === undefined) this.#early.push(bytes);
    else this.#handlers.bytes(bytes);
  }

  end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#handlers?.closed(undefined);
  }

  #later(task: () => void): void {
    const atMs = Math.max(this.#lastArrivalMs, this.#clock.nowMs() + this.#delayMs());
    this.#lastArrivalMs = atMs;
    this.#clock.schedule(atMs - this.#clock.nowMs(), task);
  }
}
