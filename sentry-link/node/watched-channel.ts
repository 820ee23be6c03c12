import { HekateError } from '../../src/shared/errors.js';
import { invariant } from '../../src/shared/invariant.js';
import type { ByteChannel, ByteChannelHandlers } from '../../src/shared/ports/byte-channel.js';
import type { Clock, Timer } from '../../src/shared/ports/clock.js';

export interface ChannelEnd {
  readonly reason: HekateError | undefined;
  /** Whether anything was ever received. */
  readonly heard: boolean;
  /** Whether our own side closed it. */
  readonly ours: boolean;
}

/**
 * A node's connection under observation. A node that has begun to talk says something every 3.33 s (its ping), so
 * `idleMs` without a byte ends it with DIAL_IDLE; before its first byte it may be silent for as long as it likes, for then it may be
 * served by another signer.
 */
export class WatchedChannel implements ByteChannel {
  #started = false;
  #lastHeardMs: number | undefined;
  #timer: Timer | undefined;
  #ours = false;
  #idle: HekateError | undefined;

  constructor(
    private readonly inner: ByteChannel,
    private readonly clock: Clock,
    private readonly idleMs: number,
    private readonly ended: (end: ChannelEnd) => void,
  ) {}

  get started(): boolean {
    return this.#started;
  }

  start(handlers: ByteChannelHandlers): void {
    invariant(!this.#started, 'a channel is started once');
    this.#started = true;
    this.inner.start({
      bytes: (bytes) => {
        this.#heard();
        handlers.bytes(bytes);
      },
      closed: (reason) => {
        this.#timer?.cancel();
        const end = { reason: this.#idle ?? reason, heard: this.#lastHeardMs !== undefined, ours: this.#ours };
        handlers.closed(end.reason);
        this.ended(end);
      },
    });
  }

  write(bytes: Uint8Array): void {
    this.inner.write(bytes);
  }

  close(): void {
    this.#ours = true;
    this.inner.close();
  }

  #heard(): void {
    const first = this.#lastHeardMs === undefined;
    this.#lastHeardMs = this.clock.nowMs();
    // One timer for the whole connection: it looks at the last byte when it fires, so a message costs no timer.
    if (first) this.#checkIn(this.idleMs);
  }

  #checkIn(delayMs: number): void {
    this.#timer = this.clock.schedule(delayMs, () => {
      const silentMs = this.clock.nowMs() - (this.#lastHeardMs ?? 0);
      if (silentMs < this.idleMs) {
        this.#checkIn(this.idleMs - silentMs);
        return;
      }
      this.#idle = new HekateError(
        'DIAL_IDLE',
        `the node has said nothing for ${Math.round(silentMs)} ms, not even a ping`,
      );
      this.inner.close();
    });
  }
}
