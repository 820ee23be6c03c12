import type { HekateError } from '../../src/shared/errors.js';
import { invariant } from '../../src/shared/invariant.js';
import type { ByteChannelHandlers, RawChannel } from '../../src/shared/ports/byte-channel.js';
import type { Clock } from '../../src/shared/ports/clock.js';

/** What lies between two ends. */
export interface WireOptions {
  /** Without it everything arrives a microtask later. */
  readonly clock?: Clock;
  /** Asked for each write; none overtakes another. */
  readonly delayMs?: () => number;
  /** The longest piece in which bytes arrive; default: as they were written. */
  readonly pieceBytes?: number;
}

/** One end of a connection in memory, alone: its other end is the test, which sees what was written and says what comes. */
export class MemoryChannel implements RawChannel {
  /** What was written and nobody carries away, also after the end. */
  readonly written: Uint8Array[] = [];
  /** Calls of close(). */
  closes = 0;
  /** Public, so that a test can be a channel that breaks its promises. */
  handlers: ByteChannelHandlers | undefined;
  #early: Uint8Array[] = [];
  #ended: { readonly reason: HekateError | undefined } | undefined;

  get ended(): boolean {
    return this.#ended !== undefined;
  }

  start(handlers: ByteChannelHandlers): void {
    invariant(this.handlers === undefined, 'a channel is started once');
    this.handlers = handlers;
    const ended = this.#ended;
    for (const bytes of this.#early.splice(0)) if (this.#ended === ended) this.handlers.bytes(bytes);
    if (ended !== undefined) this.handlers.closed(ended.reason);
  }

  handOver(handlers: ByteChannelHandlers): void {
    invariant(this.handlers !== undefined && !this.ended, 'only a running channel is handed over');
    this.handlers = handlers;
  }

  write(bytes: Uint8Array): void {
    this.written.push(bytes.slice());
  }

  close(): void {
    this.closes++;
    this.end();
  }

  /** Bytes from the other end; those that come before start() are kept. */
  receive(bytes: Uint8Array): void {
    if (this.ended) return;
    if (this.handlers === undefined) this.#early.push(bytes);
    else this.handlers.bytes(bytes);
  }

  /** The other end is gone. */
  end(reason?: HekateError): void {
    if (this.#ended !== undefined) return;
    this.#ended = { reason };
    this.handlers?.closed(reason);
  }
}

/** Two ends of an ordered, reliable byte stream, as tcp on a good day. */
export function channelPair(options: WireOptions = {}): readonly [MemoryChannel, MemoryChannel] {
  const [a, b] = [new WiredChannel(options), new WiredChannel(options)];
  [a.other, b.other] = [b, a];
  return [a, b];
}

class WiredChannel extends MemoryChannel {
  readonly #options: WireOptions;
  other: MemoryChannel | undefined;
  #lastArrivalMs = 0;

  constructor(options: WireOptions) {
    super();
    this.#options = options;
  }

  override close(): void {
    const wasOpen = !this.ended;
    super.close();
    if (wasOpen) this.#later(() => this.other?.end());
  }

  override write(bytes: Uint8Array): void {
    if (this.ended) return;
    const sent = bytes.slice();
    const { pieceBytes = sent.length } = this.#options;
    this.#later(() => {
      for (let at = 0; at < sent.length; at += pieceBytes) this.other?.receive(sent.subarray(at, at + pieceBytes));
    });
  }

  #later(task: () => void): void {
    const { clock, delayMs = () => 0 } = this.#options;
    if (clock === undefined) return queueMicrotask(task);
    const nowMs = clock.nowMs();
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, nowMs + delayMs());
    clock.schedule(this.#lastArrivalMs - nowMs, task);
  }
}
