import type { RandomBytes } from '../../src/shared/ports/random.js';

/** Seeded randomness (Marsaglia's xorshift128, seeded by splitmix32): one stream a concern, so that a trace replays exactly. */
export class Prng {
  #x: number;
  #y: number;
  #z: number;
  #w: number;

  constructor(seed: number) {
    let state = seed >>> 0;
    const next = (): number => {
      state = (state + 0x9e3779b9) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
      return (mixed ^ (mixed >>> 15)) >>> 0;
    };
    [this.#x, this.#y, this.#z, this.#w] = [next(), next(), next(), next() | 1];
  }

  uint32(): number {
    const t = this.#x ^ (this.#x << 11);
    [this.#x, this.#y, this.#z] = [this.#y, this.#z, this.#w];
    this.#w = (this.#w ^ (this.#w >>> 19) ^ t ^ (t >>> 8)) >>> 0;
    return this.#w;
  }

  /** In 0 (included) to 1 (excluded). */
  unit(): number {
    return this.uint32() / 0x1_0000_0000;
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.unit();
  }

  /** Whole number from 0 to `count` - 1. */
  below(count: number): number {
    return Math.floor(this.unit() * count);
  }

  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  fork(): Prng {
    return new Prng(this.uint32());
  }

  readonly bytes: RandomBytes = (length) => {
    const out = new Uint8Array(length);
    for (let i = 0; i < length; i++) out[i] = this.uint32() & 0xff;
    return out;
  };
}
