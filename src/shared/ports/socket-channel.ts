import type { Socket } from 'node:net';
import { HekateError, messageOf } from '../errors.js';
import { invariant } from '../invariant.js';
import { systemFix } from '../system-error.js';
import type { ByteChannelHandlers, RawChannel } from './byte-channel.js';

/** Room for a request with the largest vote extension (1 MiB) and its encryption, three times over. */
const DEFAULT_MAX_QUEUED_BYTES = 4 * 1024 * 1024;
/** First keepalive probe after this much silence; a connection that waits in the node's backlog carries nothing else. */
const KEEPALIVE_MS = 10_000;

export interface SocketChannelOptions {
  readonly transport: 'tcp' | 'unix';
  /** Written but not yet taken by the kernel; more ends the channel with CHANNEL_QUEUE_FULL. */
  readonly maxQueuedBytes?: number;
}

/**
 * A connected socket, either side, as a channel: no Nagle delay, keepalive, RST on close() for tcp (a CometBFT node drops an
 * RST connection faster than a FIN one: privval/signer_endpoint.go). A lost connection ends with SOCKET_RESET,
 * SOCKET_TIMED_OUT or SOCKET_FAILED; the peer's FIN is a clean end.
 */
export function socketChannel(socket: Socket, options: SocketChannelOptions): RawChannel {
  return new SocketChannel(socket, options);
}

class SocketChannel implements RawChannel {
  readonly #socket: Socket;
  readonly #reset: boolean;
  readonly #maxQueuedBytes: number;
  #handlers: ByteChannelHandlers | undefined;
  #ended: { readonly reason: HekateError | undefined } | undefined;

  constructor(socket: Socket, options: SocketChannelOptions) {
    this.#socket = socket;
    this.#reset = options.transport === 'tcp';
    this.#maxQueuedBytes = options.maxQueuedBytes ?? DEFAULT_MAX_QUEUED_BYTES;
    if (this.#reset) {
      socket.setNoDelay(true);
      socket.setKeepAlive(true, KEEPALIVE_MS);
    }
    socket.on('error', (error) => this.#end(socketError(error)));
    socket.on('end', () => this.#end(undefined));
    socket.on('close', () => this.#end(undefined));
  }

  start(handlers: ByteChannelHandlers): void {
    invariant(this.#handlers === undefined, 'a channel is started once');
    this.#handlers = handlers;
    if (this.#ended !== undefined) handlers.closed(this.#ended.reason);
    else
      this.#socket.on('data', (bytes: Buffer) => {
        if (this.#ended === undefined) this.#handlers?.bytes(bytes);
      });
  }

  handOver(handlers: ByteChannelHandlers): void {
    invariant(this.#handlers !== undefined && this.#ended === undefined, 'only a running channel is handed over');
    this.#handlers = handlers;
  }

  write(bytes: Uint8Array): void {
    if (this.#ended !== undefined || bytes.length === 0) return;
    const queued = this.#socket.writableLength + bytes.length;
    if (queued > this.#maxQueuedBytes) {
      this.#end(
        new HekateError(
          'CHANNEL_QUEUE_FULL',
          `the peer left ${queued} bytes unread, ${this.#maxQueuedBytes} are allowed`,
        ),
      );
      return;
    }
    this.#socket.write(bytes);
  }

  close(): void {
    this.#end(undefined);
  }

  #end(reason: HekateError | undefined): void {
    if (this.#ended !== undefined) return;
    this.#ended = { reason };
    if (this.#reset && !this.#socket.destroyed) this.#socket.resetAndDestroy();
    else this.#socket.destroy();
    this.#handlers?.closed(reason);
  }
}

function socketError(error: Error): HekateError {
  const errno = 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
  const options = { details: { errno }, cause: error };
  if (errno === 'ECONNRESET' || errno === 'EPIPE' || errno === 'ECONNABORTED')
    return new HekateError('SOCKET_RESET', `the other side dropped the connection (${errno})`, options);
  if (errno === 'ETIMEDOUT')
    return new HekateError('SOCKET_TIMED_OUT', 'the other host stopped answering (ETIMEDOUT)', options);
  return new HekateError('SOCKET_FAILED', `the connection failed: ${messageOf(error)}`, {
    ...options,
    ...systemFix(error),
  });
}
