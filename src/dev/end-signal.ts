const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
export type EndSignalName = (typeof SIGNALS)[number];

/** npm passes a Ctrl-C on that the terminal has sent us already. */
const SAME_PRESS_MS = 400;

/** Ctrl-C, `kill`, or the end of the terminal: the first asks for an end in order, the next for one at once. */
export class EndSignal {
  /** Resolves with the first. */
  readonly first: Promise<EndSignalName>;
  #firstMs: number | undefined;
  #again: () => void = () => undefined;

  constructor() {
    this.first = new Promise((resolve) => {
      for (const signal of SIGNALS) process.on(signal, () => this.#heard(() => resolve(signal)));
    });
  }

  get heard(): boolean {
    return this.#firstMs !== undefined;
  }

  /** What the next one does. */
  onAgain(again: () => void): void {
    this.#again = again;
  }

  #heard(first: () => void): void {
    const nowMs = performance.now();
    if (this.#firstMs === undefined) {
      this.#firstMs = nowMs;
      first();
    } else if (nowMs - this.#firstMs > SAME_PRESS_MS) this.#again();
  }
}
