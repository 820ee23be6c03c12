/** How often what a run can do, and what it can come upon, was reached. Counts of several runs add up. */
export class Coverage {
  readonly #counts = new Map<string, number>();

  note(what: string, times = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + times);
  }

  add(counts: Readonly<Record<string, number>>): void {
    for (const [what, times] of Object.entries(counts)) this.note(what, times);
  }

  counts(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** What was expected and never came. */
  missing(expected: readonly string[]): readonly string[] {
    return expected.filter((what) => (this.#counts.get(what) ?? 0) === 0);
  }
}
