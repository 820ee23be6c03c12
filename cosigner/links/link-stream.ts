import type { ServerDuplexStream } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import { MAX_STREAM_MESSAGE_BYTES } from '../../src/shared/coordination/limits.js';
import type { CosignerMessage, LinkMessage } from '../../src/shared/coordination/messages.js';
import { HekateError, isHekateError } from '../../src/shared/errors.js';
import type { Clock, Timer } from '../../src/shared/ports/clock.js';
import { decodeLinkMessage, encodeCosignerMessage, type OnPassedOver } from '../../src/shared/transport/codec.js';

/** Sent and not yet taken by the network: hellos and nonces of 256 chains are half a MiB. */
const MAX_QUEUED_BYTES = 4 * 1024 * 1024;
/** A link says something every few hundred milliseconds. */
const SILENCE_MS = 5_000;
/** Time for the status to reach the other side before the connection is cut. */
const GRACE_MS = 100;

/** What the owner does with one stream of a link. */
export interface LinkHandler {
  /** The stream is open: from here on it can be sent on, and ended. */
  start(): void;
  receive(message: LinkMessage): void;
  /** Called exactly once; nothing is received and nothing can be sent from then on. */
  close(reason: HekateError): void;
}

export type SendToLink = (message: CosignerMessage) => void;
export type EndLink = (reason: HekateError) => void;
export type OnLink = (link: { readonly name: string }, send: SendToLink, end: EndLink) => LinkHandler;

export type LinkCall = ServerDuplexStream<Buffer, Buffer>;

export interface LinkStreamOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly onLink: OnLink;
  /** Whether the connection that carries this stream is still there. */
  readonly connected: () => boolean;
  /** Cuts the connection that carries this stream. */
  readonly cut: () => void;
  /** A message had parts that are not in this version; they were passed over. */
  readonly onPassedOver: OnPassedOver;
  readonly onEnd: (stream: LinkStream, reason: HekateError) => void;
}

/** One stream of one link, from its first message to its one end. */
export class LinkStream {
  readonly #call: LinkCall;
  readonly #options: LinkStreamOptions;
  readonly #handler: LinkHandler;
  #ended: HekateError | undefined;
  #queuedBytes = 0;
  #heardMs = 0;
  #silence: Timer | undefined;

  constructor(call: LinkCall, options: LinkStreamOptions) {
    this.#call = call;
    this.#options = options;
    this.#handler = options.onLink(
      { name: options.name },
      (message) => this.#send(message),
      (reason) => this.end(reason),
    );
  }

  /** Since the link last said something. */
  get silentMs(): number {
    return this.#options.clock.nowMs() - this.#heardMs;
  }

  start(): void {
    const { clock } = this.#options;
    this.#heardMs = clock.nowMs();
    this.#silence = clock.schedule(SILENCE_MS, () => this.#listen());
    this.#call.on('cancelled', () => this.#lost());
    this.#call.on('error', () => this.#lost());
    this.#call.on('end', () => this.end(new HekateError('LINK_CLOSED', 'the link closed its stream')));
    this.#call.on('data', (bytes: Buffer) => this.#receive(bytes));
    this.#handler.start();
  }

  /** Tells the link why, then cuts the connection. */
  end(reason: HekateError): void {
    if (this.#ended !== undefined) return;
    this.#finish(reason);
    // A status would wait behind what is not being read.
    if (reason.code === 'LINK_QUEUE_FULL') return this.#options.cut();
    const code = reason.code === 'LINK_CLOSED' ? status.UNAVAILABLE : status.ABORTED;
    this.#call.emit('error', { code, details: reason.code });
    this.#options.clock.schedule(GRACE_MS, this.#options.cut);
  }

  /** Over without our doing: grpc-js ends a stream with too large a message by itself and does not say so. */
  #lost(): void {
    if (this.#ended !== undefined) return;
    const reason = this.#options.connected()
      ? new HekateError('TRANSPORT_MALFORMED', `cancelled, or a message above ${MAX_STREAM_MESSAGE_BYTES} bytes`)
      : new HekateError('LINK_CLOSED', 'the connection is gone');
    this.#finish(reason);
    this.#options.clock.schedule(GRACE_MS, this.#options.cut);
  }

  #finish(reason: HekateError): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    this.#silence?.cancel();
    this.#options.onEnd(this, reason);
    this.#handler.close(reason);
  }

  #receive(bytes: Buffer): void {
    if (this.#ended !== undefined) return;
    this.#heardMs = this.#options.clock.nowMs();
    let message: LinkMessage | undefined;
    try {
      message = decodeLinkMessage(bytes, this.#options.onPassedOver);
    } catch (error) {
      if (!isHekateError(error)) throw error;
      return this.end(error);
    }
    if (message !== undefined) this.#handler.receive(message);
  }

  #send(message: CosignerMessage): void {
    if (this.#ended !== undefined) return;
    const encoded = encodeCosignerMessage(message);
    const bytes = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.length);
    this.#queuedBytes += bytes.length;
    if (this.#queuedBytes > MAX_QUEUED_BYTES)
      return this.end(new HekateError('LINK_QUEUE_FULL', `the link left ${this.#queuedBytes} bytes unread`));
    this.#call.write(bytes, () => (this.#queuedBytes -= bytes.length));
  }

  #listen(): void {
    const { clock } = this.#options;
    const silentMs = clock.nowMs() - this.#heardMs;
    if (silentMs >= SILENCE_MS)
      return this.end(new HekateError('LINK_SILENT', `nothing came from the link for ${Math.floor(silentMs)} ms`));
    this.#silence = clock.schedule(SILENCE_MS - silentMs, () => this.#listen());
  }
}
