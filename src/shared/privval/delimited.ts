import { concat } from '../bytes.js';
import { HekateError } from '../errors.js';
import { WireWriter } from '../wire/writer.js';

/** A request with the largest vote extension there is (1 MiB, CometBFT's MaxVoteExtensionSize), and room. */
export const MAX_REQUEST_BYTES = 1024 * 1024 + 64 * 1024;
/** What is larger than a request may be is still read over, so that it can be refused; what is larger than this is no request. */
export const MAX_SKIPPED_BYTES = 32 * 1024 * 1024;
/** Enough for lengths up to 2^28. */
const MAX_PREFIX_BYTES = 4;
/** The tag of its one field tells what a message is. */
const HEAD_BYTES = 8;

/** Told when a message above the limit has been read over: its first bytes and its length. */
export type OnOversized = (head: Uint8Array, length: number) => void;

interface Skipping {
  readonly length: number;
  rest: number;
  head: Uint8Array;
}

/** A message with its length before it, as privval puts it on the stream. */
export function frameMessage(message: Uint8Array): Uint8Array {
  const writer = new WireWriter();
  writer.lengthPrefixed((w) => w.raw(message));
  return writer.finish();
}

/**
 * Cuts length-prefixed messages off a stream that arrives in any pieces: `push` what came, then take `next` until it is
 * undefined. Keeps at most one unfinished message, of at most `limit` bytes. With `onOversized`, longer ones up to
 * MAX_SKIPPED_BYTES are read over and told in their turn, within `next`; without, they are an error.
 */
export class MessageReader {
  readonly #limit: number;
  readonly #onOversized: OnOversized | undefined;
  #skipping: Skipping | undefined;
  #buffer = new Uint8Array(0);
  #start = 0;
  #end = 0;

  constructor(limit = MAX_REQUEST_BYTES, onOversized?: OnOversized) {
    this.#limit = limit;
    this.#onOversized = onOversized;
  }

  /** Whether a message has begun and not ended. */
  get unfinished(): boolean {
    return this.#end > this.#start || this.#skipping !== undefined;
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
    const prefix = this.#skipped() ? this.#prefix() : undefined;
    if (prefix === undefined) return undefined;
    if (prefix.length > this.#limit) {
      this.#start += prefix.bytes;
      this.#skipping = { length: prefix.length, rest: prefix.length, head: new Uint8Array(0) };
      return this.next();
    }
    const from = this.#start + prefix.bytes;
    const to = from + prefix.length;
    if (to > this.#end) return undefined;
    this.#start = to;
    const message = this.#buffer.slice(from, to);
    this.#dropEmpty();
    return message;
  }

  /** Reads over what there is of a message that is too long; true when none is left to be read over. */
  #skipped(): boolean {
    const skipping = this.#skipping;
    if (skipping === undefined) return true;
    const taken = Math.min(skipping.rest, this.#end - this.#start);
    const piece = this.#buffer.subarray(this.#start, this.#start + taken);
    skipping.head = concat(skipping.head, piece.subarray(0, HEAD_BYTES - skipping.head.length));
    skipping.rest -= taken;
    this.#start += taken;
    this.#dropEmpty();
    if (skipping.rest > 0) return false;
    this.#skipping = undefined;
    this.#onOversized?.(skipping.head, skipping.length);
    return true;
  }

  #dropEmpty(): void {
    if (this.#end > this.#start) return;
    this.#buffer = new Uint8Array(0);
    this.#start = this.#end = 0;
  }

  #prefix(): { readonly length: number; readonly bytes: number } | undefined {
    let length = 0;
    for (let i = 0; this.#start + i < this.#end; i++) {
      if (i === MAX_PREFIX_BYTES)
        throw new HekateError('PRIVVAL_MALFORMED', 'there is no message length where one belongs');
      const byte = this.#buffer[this.#start + i] ?? 0;
      length |= (byte & 0x7f) << (7 * i);
      if (byte >= 0x80) continue;
      const most = this.#onOversized === undefined ? this.#limit : MAX_SKIPPED_BYTES;
      if (length > most)
        throw new HekateError('PRIVVAL_OVERSIZED', `a message of ${length} bytes begins, ${this.#limit} are allowed`);
      return { length, bytes: i + 1 };
    }
    return undefined;
  }
}
