const MAX_SAMPLES = 100_000;

/** The latest measurements in ms, in bounded memory. */
export class LatencySamples {
  readonly #samples: number[] = [];
  #next = 0;

  add(ms: number): void {
    this.#samples[this.#next] = ms;
    this.#next = (this.#next + 1) % MAX_SAMPLES;
  }

  get count(): number {
    return this.#samples.length;
  }

  /** The value that a fraction `q` (0 to 1) of the samples does not exceed (nearest rank), or undefined without samples. */
  quantile(q: number): number | undefined {
    const sorted = [...this.#samples].sort((a, b) => a - b);
    return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)];
  }
}
