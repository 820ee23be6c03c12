import { keccakP } from '@noble/hashes/sha3.js';
import { swap32IfBE } from '@noble/hashes/utils.js';
import { invariant } from '../invariant.js';

/** Bytes of the 200-byte state that data goes through at 128-bit security: 200 - 2 * 128/8 - 2 (STROBE v1.0.2 §5.2). */
const RATE = 166;

/** Operation flags, STROBE v1.0.2 §6.1. */
const INBOUND = 1;
const APPLICATION = 2;
const CIPHER = 4;
const META = 16;
const KEYED = 32;

/**
 * The three STROBE-128 operations that Merlin transcripts use (STROBE v1.0.2 §6; Merlin v1.0): meta-AD, AD and PRF over
 * Keccak-f[1600]. `more` continues the previous operation of the same kind.
 */
export class Strobe128 {
  readonly #words = new Uint32Array(50);
  readonly #bytes = new Uint8Array(this.#words.buffer);
  #at = 0;
  #operationStart = 0;
  #flags = 0;

  constructor(protocol: Uint8Array) {
    this.#bytes.set([1, RATE + 2, 1, 0, 1, 12 * 8]);
    this.#bytes.set(new TextEncoder().encode('STROBEv1.0.2'), 6);
    this.#keccak();
    this.metaAd(protocol, false);
  }

  metaAd(bytes: Uint8Array, more: boolean): void {
    this.#begin(META | APPLICATION, more);
    this.#absorb(bytes);
  }

  ad(bytes: Uint8Array, more: boolean): void {
    this.#begin(APPLICATION, more);
    this.#absorb(bytes);
  }

  prf(length: number, more: boolean): Uint8Array {
    this.#begin(INBOUND | APPLICATION | CIPHER, more);
    const out = new Uint8Array(length);
    for (let i = 0; i < length; i++) {
      out[i] = this.#bytes[this.#at] ?? 0;
      this.#bytes[this.#at] = 0;
      this.#advance();
    }
    return out;
  }

  /** Forgets everything absorbed. The object must not be used after this. */
  wipe(): void {
    this.#words.fill(0);
  }

  #begin(flags: number, more: boolean): void {
    if (more) {
      invariant(flags === this.#flags, 'a STROBE operation is continued by its own kind only');
      return;
    }
    const previousStart = this.#operationStart;
    this.#operationStart = this.#at + 1;
    this.#flags = flags;
    this.#absorb(Uint8Array.of(previousStart, flags));
    if ((flags & (CIPHER | KEYED)) !== 0 && this.#at !== 0) this.#permute();
  }

  #absorb(bytes: Uint8Array): void {
    for (const byte of bytes) {
      this.#xor(this.#at, byte);
      this.#advance();
    }
  }

  #advance(): void {
    if (++this.#at === RATE) this.#permute();
  }

  #permute(): void {
    this.#xor(this.#at, this.#operationStart);
    this.#xor(this.#at + 1, 0x04);
    this.#xor(RATE + 1, 0x80);
    this.#keccak();
    this.#at = 0;
    this.#operationStart = 0;
  }

  #xor(index: number, byte: number): void {
    this.#bytes[index] = (this.#bytes[index] ?? 0) ^ byte;
  }

  #keccak(): void {
    // STROBE sees the state as little-endian bytes on every machine.
    swap32IfBE(this.#words);
    keccakP(this.#words);
    swap32IfBE(this.#words);
  }
}
