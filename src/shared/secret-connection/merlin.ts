import { Strobe128 } from './strobe.js';

const encoder = new TextEncoder();

/** A Merlin v1.0 transcript: labelled messages go in, challenges that depend on all of them come out. */
export class MerlinTranscript {
  readonly #strobe = new Strobe128(encoder.encode('Merlin v1.0'));

  constructor(label: string) {
    this.append('dom-sep', encoder.encode(label));
  }

  append(label: string, message: Uint8Array): void {
    this.#header(label, message.length);
    this.#strobe.ad(message, false);
  }

  challenge(label: string, length: number): Uint8Array {
    this.#header(label, length);
    return this.#strobe.prf(length, false);
  }

  /** Forgets the messages, which may be secret. The transcript must not be used after this. */
  wipe(): void {
    this.#strobe.wipe();
  }

  #header(label: string, length: number): void {
    const lengthBytes = new Uint8Array(4);
    new DataView(lengthBytes.buffer).setUint32(0, length, true);
    this.#strobe.metaAd(encoder.encode(label), false);
    this.#strobe.metaAd(lengthBytes, true);
  }
}
