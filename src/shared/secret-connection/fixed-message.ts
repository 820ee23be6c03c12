/** What a pattern expects at one place: a byte, or anything. */
export type Place = number | 'any';

/** Fills a message of known length and shape from pieces, and tells at the first byte that does not belong. */
export class FixedMessage {
  readonly bytes: Uint8Array;
  readonly #shape: readonly Place[];
  #length = 0;

  constructor(shape: readonly Place[]) {
    this.#shape = shape;
    this.bytes = new Uint8Array(shape.length);
  }

  /** Takes what belongs to the message; `rest` is what follows it, `wrongAt` the place of a byte that cannot be there. */
  fill(input: Uint8Array): { readonly rest: Uint8Array; readonly wrongAt: number | undefined } {
    let used = 0;
    for (const byte of input) {
      if (this.complete) break;
      const place = this.#shape[this.#length];
      if (place !== 'any' && place !== byte) return { rest: input.subarray(used), wrongAt: this.#length };
      this.bytes[this.#length++] = byte;
      used++;
    }
    return { rest: input.subarray(used), wrongAt: undefined };
  }

  get complete(): boolean {
    return this.#length === this.#shape.length;
  }
}

/** `length` places that may hold anything. */
export function anyBytes(length: number): readonly Place[] {
  return new Array<Place>(length).fill('any');
}
