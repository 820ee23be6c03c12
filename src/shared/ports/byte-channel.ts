import type { HekateError } from '../errors.js';

/** An open connection as its user sees it: bytes in order (decrypted, where there is encryption), and one end. */
export interface ByteChannel {
  /** Queues bytes; a peer that does not read them ends the channel once the bounded queue is full. */
  write(bytes: Uint8Array): void;
  /** Ends the connection at once (RST on tcp), without waiting for queued bytes. `closed` is still called, once. */
  close(): void;
  /** Must be called once, synchronously after the channel is handed over. */
  start(handlers: ByteChannelHandlers): void;
}

/** A channel that a handshake can start, for another to go on with. */
export interface RawChannel extends ByteChannel {
  /** From now on these handlers get everything. For who started the channel, before its end, also from within `bytes`. */
  handOver(handlers: ByteChannelHandlers): void;
}

export interface ByteChannelHandlers {
  bytes(bytes: Uint8Array): void;
  /** Called exactly once; undefined for a clean end or an own close(). */
  closed(reason: HekateError | undefined): void;
}
