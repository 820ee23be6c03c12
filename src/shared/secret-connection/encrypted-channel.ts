import { HekateError, isHekateError } from '../errors.js';
import { invariant } from '../invariant.js';
import type { ByteChannel, ByteChannelHandlers } from '../ports/byte-channel.js';
import type { Established } from './handshake.js';
import { peerIdOf } from './identity.js';

/** Decrypted bytes kept for a user who has not called start() yet: one turn of the event loop, so this is ample. */
const MAX_UNSTARTED_BYTES = 1024 * 1024;

/** A connection after its handshake, which hands `raw` over to it. */
export class EncryptedChannel implements ByteChannel, ByteChannelHandlers {
  readonly peerPublicKey: Uint8Array;
  readonly peerId: string;
  #handlers: ByteChannelHandlers | undefined;
  #unstarted: Uint8Array[];
  #unstartedBytes: number;
  #ended: { readonly reason: HekateError | undefined } | undefined;

  constructor(
    private readonly raw: ByteChannel,
    private readonly session: Established,
  ) {
    this.peerPublicKey = session.peerPublicKey;
    this.peerId = peerIdOf(session.peerPublicKey);
    this.#unstarted = [session.data];
    this.#unstartedBytes = session.data.length;
  }

  start(handlers: ByteChannelHandlers): void {
    invariant(this.#handlers === undefined, 'a channel is started once');
    this.#handlers = handlers;
    const early = this.#unstarted;
    this.#unstarted = [];
    // Nobody waits for an answer on a connection that has ended already, so what came on it is dropped.
    if (this.#ended !== undefined) handlers.closed(this.#ended.reason);
    else for (const bytes of early) this.#deliver(bytes);
  }

  write(bytes: Uint8Array): void {
    if (this.#ended !== undefined) return;
    const sealed = this.#orEnd(() => this.session.sealer.seal(bytes));
    if (sealed !== undefined) this.raw.write(sealed);
  }

  close(): void {
    this.#end(undefined);
  }

  /** Encrypted bytes from the peer. */
  bytes(bytes: Uint8Array): void {
    if (this.#ended !== undefined) return;
    const data = this.#orEnd(() => this.session.opener.open(bytes));
    if (data !== undefined) this.#deliver(data);
  }

  /** The end of the connection underneath. */
  closed(reason: HekateError | undefined): void {
    if (this.#ended !== undefined) return;
    const partial = this.session.opener.partialBytes;
    if (reason === undefined && partial > 0)
      this.#end(new HekateError('SC_EOF_IN_FRAME', `the connection ended ${partial} bytes into a frame`));
    else this.#end(reason);
  }

  #deliver(data: Uint8Array): void {
    if (data.length === 0 || this.#ended !== undefined) return;
    if (this.#handlers !== undefined) {
      this.#handlers.bytes(data);
      return;
    }
    this.#unstartedBytes += data.length;
    if (this.#unstartedBytes > MAX_UNSTARTED_BYTES)
      this.#end(new HekateError('CHANNEL_QUEUE_FULL', `${this.#unstartedBytes} bytes came that nobody reads`));
    else this.#unstarted.push(data);
  }

  #orEnd<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!isHekateError(error)) throw error;
      this.#end(error);
      return undefined;
    }
  }

  #end(reason: HekateError | undefined): void {
    if (this.#ended !== undefined) return;
    this.#ended = { reason };
    this.#unstarted = [];
    this.session.sealer.wipe();
    this.session.opener.wipe();
    this.raw.close();
    this.#handlers?.closed(reason);
  }
}
