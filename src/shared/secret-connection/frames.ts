import { createCipheriv, createDecipheriv } from 'node:crypto';
import { wipe } from '../bytes.js';
import { HekateError } from '../errors.js';
import { invariant } from '../invariant.js';

/** CometBFT p2p/conn/secret_connection.go: length (4, little-endian), data, padding; then the tag. */
const LENGTH_BYTES = 4;
export const FRAME_DATA_BYTES = 1024;
const PLAIN_FRAME_BYTES = LENGTH_BYTES + FRAME_DATA_BYTES;
const TAG_BYTES = 16;
export const SEALED_FRAME_BYTES = PLAIN_FRAME_BYTES + TAG_BYTES;

const ALGORITHM = 'chacha20-poly1305';
const COUNTER_AT = 4;
const MAX_COUNTER = 2n ** 64n - 1n;

/** The 12-byte nonce of one direction: four zero bytes and a little-endian counter that is used once per value. */
class NonceCounter {
  readonly #nonce = new Uint8Array(12);
  readonly #view = new DataView(this.#nonce.buffer);
  #next: bigint;

  constructor(first: bigint) {
    this.#next = first;
  }

  /** The next nonce, valid until the next call. Throws SC_NONCE_EXHAUSTED rather than use one twice. */
  take(): Uint8Array {
    if (this.#next >= MAX_COUNTER)
      throw new HekateError('SC_NONCE_EXHAUSTED', 'the connection has used up its 2^64 frame numbers');
    this.#view.setBigUint64(COUNTER_AT, this.#next, true);
    this.#next += 1n;
    return this.#nonce;
  }

  get next(): bigint {
    return this.#next;
  }
}

/** Seals one direction of a connection. Owns `key` and wipes it. */
export class FrameSealer {
  readonly #key: Uint8Array;
  readonly #nonces: NonceCounter;
  readonly #plain = Buffer.alloc(PLAIN_FRAME_BYTES);
  #wiped = false;

  constructor(key: Uint8Array, firstCounter = 0n) {
    this.#key = key;
    this.#nonces = new NonceCounter(firstCounter);
  }

  /** Frames of 1044 bytes, one for each 1024 bytes of `data` begun; none for no data. Throws SC_NONCE_EXHAUSTED. */
  seal(data: Uint8Array): Uint8Array {
    invariant(!this.#wiped, 'nothing is sealed with a wiped key');
    const frames = Math.ceil(data.length / FRAME_DATA_BYTES);
    const out = new Uint8Array(frames * SEALED_FRAME_BYTES);
    for (let i = 0; i < frames; i++) {
      const part = data.subarray(i * FRAME_DATA_BYTES, (i + 1) * FRAME_DATA_BYTES);
      this.#sealFrame(part, out.subarray(i * SEALED_FRAME_BYTES));
    }
    return out;
  }

  /** Frames sealed so far. */
  get counter(): bigint {
    return this.#nonces.next;
  }

  wipe(): void {
    this.#wiped = true;
    wipe(this.#key, this.#plain);
  }

  #sealFrame(data: Uint8Array, out: Uint8Array): void {
    this.#plain.writeUInt32LE(data.length, 0);
    this.#plain.set(data, LENGTH_BYTES);
    // The padding is zero, so that no earlier frame leaks into this one.
    this.#plain.fill(0, LENGTH_BYTES + data.length);
    const cipher = createCipheriv(ALGORITHM, this.#key, this.#nonces.take(), { authTagLength: TAG_BYTES });
    out.set(cipher.update(this.#plain));
    cipher.final();
    out.set(cipher.getAuthTag(), PLAIN_FRAME_BYTES);
  }
}

/** Opens the other direction, from bytes in any chunking. Owns `key` and wipes it. Keeps less than one frame. */
export class FrameOpener {
  readonly #key: Uint8Array;
  readonly #nonces: NonceCounter;
  readonly #partial = new Uint8Array(SEALED_FRAME_BYTES);
  #partialLength = 0;
  #failed = false;

  constructor(key: Uint8Array, firstCounter = 0n) {
    this.#key = key;
    this.#nonces = new NonceCounter(firstCounter);
  }

  /**
   * The data of all frames that `bytes` completes, in order, as one array (empty when there are none). Throws
   * SC_BAD_FRAME for a wrong tag or length; the opener must not be used after that.
   */
  open(bytes: Uint8Array): Uint8Array {
    invariant(!this.#failed, 'nothing is opened after a bad frame');
    const out = new Uint8Array(this.#dataBound(bytes.length));
    let outLength = 0;
    let at = 0;
    if (this.#partialLength > 0) {
      at = this.#keep(bytes);
      if (this.#partialLength < SEALED_FRAME_BYTES) return out;
      this.#partialLength = 0;
      outLength = this.#openFrame(this.#partial, out, outLength);
    }
    for (; bytes.length - at >= SEALED_FRAME_BYTES; at += SEALED_FRAME_BYTES)
      outLength = this.#openFrame(bytes.subarray(at, at + SEALED_FRAME_BYTES), out, outLength);
    this.#keep(bytes.subarray(at));
    return out.subarray(0, outLength);
  }

  /** Bytes of an unfinished frame. */
  get partialBytes(): number {
    return this.#partialLength;
  }

  wipe(): void {
    this.#failed = true;
    wipe(this.#key, this.#partial);
  }

  #dataBound(newBytes: number): number {
    return Math.floor((this.#partialLength + newBytes) / SEALED_FRAME_BYTES) * FRAME_DATA_BYTES;
  }

  /** Takes what fits into the partial frame; returns how much that was. */
  #keep(bytes: Uint8Array): number {
    const taken = bytes.subarray(0, SEALED_FRAME_BYTES - this.#partialLength);
    this.#partial.set(taken, this.#partialLength);
    this.#partialLength += taken.length;
    return taken.length;
  }

  #openFrame(sealed: Uint8Array, out: Uint8Array, outLength: number): number {
    const plain = this.#decrypt(sealed);
    const length = plain.readUInt32LE(0);
    if (length > FRAME_DATA_BYTES)
      throw this.#bad(`frame ${this.#nonces.next - 1n} says it holds ${length} bytes, at most 1024 fit`, undefined);
    out.set(plain.subarray(LENGTH_BYTES, LENGTH_BYTES + length), outLength);
    return outLength + length;
  }

  #decrypt(sealed: Uint8Array): Buffer {
    const decipher = createDecipheriv(ALGORITHM, this.#key, this.#nonces.take(), { authTagLength: TAG_BYTES });
    decipher.setAuthTag(sealed.subarray(PLAIN_FRAME_BYTES));
    const plain = decipher.update(sealed.subarray(0, PLAIN_FRAME_BYTES));
    try {
      decipher.final();
    } catch (error) {
      plain.fill(0);
      throw this.#bad(`frame ${this.#nonces.next - 1n} does not decrypt`, error);
    }
    return plain;
  }

  #bad(what: string, cause: unknown): HekateError {
    this.#failed = true;
    return new HekateError('SC_BAD_FRAME', what, { cause });
  }
}
