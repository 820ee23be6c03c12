/**
 * Runs tasks one after another, in order. One per chain around check, persist and sign: two awaits without it are a race.
 * Bounded: `run` refuses by returning undefined once `limit` tasks are waiting or running.
 */
export class SerialQueue {
  readonly #limit: number;
  #tail: Promise<unknown> = Promise.resolve();
  #size = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#size;
  }

  /** The task's result, or undefined when the queue is full and the task was not taken. */
  run<T>(task: () => Promise<T>): Promise<T> | undefined {
    if (this.#size >= this.#limit) return undefined;
    this.#size++;
    const result = this.#size === 1 ? task() : this.#tail.then(task);
    const done = (): void => {
      this.#size--;
    };
    this.#tail = result.then(done, done);
    return result;
  }
}
