import { HekateError } from '../errors.js';
import { WireWriter } from '../wire/writer.js';

/** A request with the largest vote extension there is (1 MiB, CometBFT's MaxVoteExtensionSize), and room. */
export const MAX_REQUEST_BYTES = 1024 * 1024 + 64 * 1024;
/** Enough for lengths up to 2^28. */
const MAX_PREFIX_BYTES = 4;

/** A message with its length before it, as privval puts it on the stream. */
export function frameMessage(message: Uint8Array): Uint8Array {
  const writer = new WireWriter();
  writer.lengthPrefixed((w) => w.raw(message));
  return writer.finish();
}

/**
 * Cuts length-prefixed messages off a stream that arrives in any pieces: `push` what came, then take `next` until it is
 * undefined. Keeps at most one unfinished message, of at most `limit` bytes.
 */
export class MessageReader {
  readonly #limit: number;
  #buffer = new Uint8Array(0);
  #start = 0;
  #end = 0;

  constructor(limit = MAX_REQUEST_BYTES) {
    this.#limit = limit;
  }

  /** Whether a message has begun and not ended. */
  get unfinished(): boolean {
    return this.#end > this.#start;
  }

  push(bytes: Uint8Array): void {
    const kept = this.#end - this.#start;
    if (this.#buffer.length - this.#end < bytes.length) {
      const grown = new Uint8Array(Math.max(kept + bytes.length, 2 * kept));
      grown.set(this.#buffer.subarray(this.#start, this.#end));
      this.#buffer = grown;
      this.#start = 0;
      this.#end = kept;
    }
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** The next whole message, as bytes of its own. Throws PRIVVAL_OVERSIZED or PRIVVAL_MALFORMED, and is of no use then. */
  next(): Uint8Array | undefined {
    const prefix = this.#prefix();
    if (prefix === undefined) return undefined;
    const from = this.#start + prefix.bytes;
    const to = from + prefix.length;
    if (to > this.#end) return undefined;
    this.#start = to;
    const message = this.#buffer.slice(from, to);
    if (!this.unfinished) {
      this.#buffer = new Uint8Array(0);
      this.#start = this.#end = 0;
    }
    return message;
  }

  #prefix(): { readonly length: number; readonly bytes: number } | undefined {
    let length = 0;
    for (let i = 0; this.#start + i < this.#end; i++) {
      if (i === MAX_PREFIX_BYTES)
        throw new HekateError('PRIVVAL_MALFORMED', 'there is no message length where one belongs');
      const byte = this.#buffer[this.#start + i] ?? 0;
      length |= (byte & 0x7f) << (7 * i);
      if (byte >= 0x80) continue;
      if (length > this.#limit)
        throw new HekateError('PRIVVAL_OVERSIZED', `a message of ${length} bytes begins, ${this.#limit} are allowed`);
      return { length, bytes: i + 1 };
    }
    return undefined;
  }
}
