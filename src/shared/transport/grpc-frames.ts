import type { LinkMessage } from '../coordination/messages.js';
import { encodeLinkMessage } from './codec.js';
import { malformed } from './wire-values.js';

/** grpc/grpc doc/PROTOCOL-HTTP2.md, Length-Prefixed-Message: one byte "compressed", then the length, big-endian. */
const PREFIX_BYTES = 5;

const frames = new WeakMap<LinkMessage, Buffer>();

/** The message as it goes into the stream. The same object is encoded once, however many cosigners it is sent to. */
export function frameLinkMessage(message: LinkMessage): Buffer {
  let frame = frames.get(message);
  if (frame === undefined) {
    const encoded = encodeLinkMessage(message);
    frame = Buffer.allocUnsafe(PREFIX_BYTES + encoded.length);
    frame[0] = 0;
    frame.writeUInt32BE(encoded.length, 1);
    frame.set(encoded, PREFIX_BYTES);
    frames.set(message, frame);
  }
  return frame;
}

/** Cuts a stream's bytes into messages. Keeps at most one unfinished message of at most `maxBytes`. */
export class FrameReader {
  readonly #maxBytes: number;
  readonly #prefix = Buffer.alloc(PREFIX_BYTES);
  #prefixFilled = 0;
  #body: Buffer | undefined;
  #bodyFilled = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The messages that `chunk` completes, as views of it where it holds them whole. Throws TRANSPORT_MALFORMED. */
  push(chunk: Buffer): Buffer[] {
    const messages: Buffer[] = [];
    let at = 0;
    while (at < chunk.length) {
      if (this.#body === undefined) {
        const taken = chunk.copy(this.#prefix, this.#prefixFilled, at, at + PREFIX_BYTES - this.#prefixFilled);
        this.#prefixFilled += taken;
        at += taken;
        if (this.#prefixFilled < PREFIX_BYTES) break;
        this.#prefixFilled = 0;
        const length = this.#bodyLength();
        if (at + length <= chunk.length) {
          messages.push(chunk.subarray(at, at + length));
          at += length;
          continue;
        }
        this.#body = Buffer.allocUnsafe(length);
        this.#bodyFilled = 0;
      }
      const taken = chunk.copy(this.#body, this.#bodyFilled, at);
      this.#bodyFilled += taken;
      at += taken;
      if (this.#bodyFilled < this.#body.length) break;
      messages.push(this.#body);
      this.#body = undefined;
    }
    return messages;
  }

  #bodyLength(): number {
    if (this.#prefix[0] !== 0) throw malformed('a compressed message, though none was asked for');
    const length = this.#prefix.readUInt32BE(1);
    if (length > this.#maxBytes) throw malformed(`a message of ${length} bytes, at most ${this.#maxBytes} are allowed`);
    return length;
  }
}
