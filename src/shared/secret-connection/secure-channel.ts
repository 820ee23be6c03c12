import { HekateError, isHekateError } from '../errors.js';
import type { ByteChannel, RawChannel } from '../ports/byte-channel.js';
import type { Clock, Timer } from '../ports/clock.js';
import type { RandomBytes } from '../ports/random.js';
import { EncryptedChannel } from './encrypted-channel.js';
import { Handshake, type Established } from './handshake.js';
import { HELLO_BYTES } from './handshake-messages.js';
import type { Identity } from './identity.js';

export const DEFAULT_HANDSHAKE_TIMEOUT_MS = 3_000;

export interface SecureChannelOptions {
  readonly identity: Identity;
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** From the peer's first byte to its proof of identity; default 3000. */
  readonly handshakeTimeoutMs?: number;
  /** How long the peer may keep silent before its first byte; default: as handshakeTimeoutMs; Infinity: for ever. */
  readonly helloTimeoutMs?: number;
}

/** An encrypted connection whose peer has proven that it holds `peerPublicKey` (Ed25519, 32 bytes). */
export interface SecureChannel extends ByteChannel {
  readonly peerPublicKey: Uint8Array;
  /** Lower-case hex, 40 characters. */
  readonly peerId: string;
}

/**
 * Runs the handshake over an unstarted connection, either side. Rejects with an SC_ or SOCKET_ HekateError, and then `raw` is
 * closed; closing `raw` meanwhile rejects too. The result must be started at once, and ends with SC_BAD_FRAME, SC_EOF_IN_FRAME
 * or the reason that `raw` gives.
 */
export function secureChannel(raw: RawChannel, options: SecureChannelOptions): Promise<SecureChannel> {
  return new Promise((resolve, reject) => new HandshakeRun(raw, options, resolve, reject).begin());
}

/** A handshake on a connection: its timers and its end. The connection goes over to the channel that it made. */
class HandshakeRun {
  readonly #handshake: Handshake;
  readonly #handshakeTimeoutMs: number;
  #received = 0;
  #timer: Timer | undefined;
  #failed = false;

  constructor(
    private readonly raw: RawChannel,
    private readonly options: SecureChannelOptions,
    private readonly resolve: (channel: SecureChannel) => void,
    private readonly reject: (error: HekateError) => void,
  ) {
    this.#handshake = new Handshake(options.identity, options.random);
    this.#handshakeTimeoutMs = options.handshakeTimeoutMs ?? DEFAULT_HANDSHAKE_TIMEOUT_MS;
  }

  begin(): void {
    const helloTimeoutMs = this.options.helloTimeoutMs ?? this.#handshakeTimeoutMs;
    if (helloTimeoutMs !== Infinity)
      this.#timer = this.options.clock.schedule(helloTimeoutMs, () =>
        this.#fail(new HekateError('SC_NO_HELLO', `connected, but nothing came within ${helloTimeoutMs} ms`)),
      );
    this.raw.start({ bytes: (bytes) => this.#bytes(bytes), closed: (reason) => this.#closed(reason) });
    if (!this.#failed) this.raw.write(this.#handshake.hello());
  }

  #bytes(bytes: Uint8Array): void {
    if (this.#failed || bytes.length === 0) return;
    if (this.#received === 0) this.#limitHandshake();
    this.#received += bytes.length;
    try {
      const { send, established } = this.#handshake.receive(bytes);
      if (send.length > 0) this.raw.write(send);
      if (established !== undefined && !this.#failed) this.#succeed(established);
    } catch (error) {
      if (!isHekateError(error)) throw error;
      this.#fail(error);
    }
  }

  #limitHandshake(): void {
    this.#timer?.cancel();
    this.#timer = this.options.clock.schedule(this.#handshakeTimeoutMs, () =>
      this.#fail(
        new HekateError(
          'SC_TIMEOUT',
          `the handshake was not finished ${this.#handshakeTimeoutMs} ms after its first byte (${this.#received} bytes received)`,
        ),
      ),
    );
  }

  #succeed(established: Established): void {
    this.#timer?.cancel();
    const channel = new EncryptedChannel(this.raw, established);
    this.raw.handOver(channel);
    this.resolve(channel);
  }

  #closed(reason: HekateError | undefined): void {
    if (!this.#failed) this.#fail(this.#endOf(reason));
  }

  #endOf(reason: HekateError | undefined): HekateError {
    // The other side has ended nothing: it is not reached any more.
    if (reason?.code === 'SOCKET_TIMED_OUT' || reason?.code === 'SOCKET_FAILED') return reason;
    if (this.#received === 0)
      return new HekateError('SC_EOF_BEFORE_HELLO', 'the connection was accepted and dropped without a byte', {
        cause: reason,
      });
    const where = this.#handshake.greeted ? 'after its ephemeral key' : `within its first ${HELLO_BYTES} bytes`;
    return new HekateError('SC_EOF_IN_HANDSHAKE', `the other side ended the connection ${where}`, { cause: reason });
  }

  #fail(error: HekateError): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#timer?.cancel();
    this.#handshake.abort();
    this.raw.close();
    this.reject(error);
  }
}
