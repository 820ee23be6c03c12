type Stop = () => unknown;

/** What a start has put up so far, each with the way to take it down: a start that fails late leaves nothing behind. */
export class Started {
  readonly #stops: Stop[] = [];
  #stopped = false;

  /** `stop` is called once, after those of everything added later. At once, when this was stopped before the start was over. */
  add(stop: Stop): void {
    if (this.#stopped) void attempt(stop);
    else this.#stops.push(stop);
  }

  /** As `add`, but `stop` is called after all others. */
  addFirst(stop: Stop): void {
    if (this.#stopped) void attempt(stop);
    else this.#stops.unshift(stop);
  }

  /** Takes down everything, the last first; what fails does not keep the rest up. Resolves with the errors. */
  async stop(): Promise<readonly unknown[]> {
    this.#stopped = true;
    const errors: unknown[] = [];
    for (const stop of this.#stops.splice(0).reverse()) errors.push(...(await attempt(stop)));
    return errors;
  }
}

async function attempt(stop: Stop): Promise<readonly unknown[]> {
  try {
    await stop();
    return [];
  } catch (error) {
    return [error];
  }
}
