import type { Result } from './result.js';

/** How long to measure: enough for a p99, or a first look. */
export interface Effort {
  readonly quick: boolean;
  /** Votes before anything is measured: the code is compiled, the pools are full. */
  readonly warmUp: number;
  /** Votes of a latency. */
  readonly votes: number;
  /** Seconds of a throughput. */
  readonly seconds: number;
}

export const FULL: Effort = { quick: false, warmUp: 3_000, votes: 2_000, seconds: 10 };
/** The median of fewer votes, or of code that V8 still compiles, is another one in each run. */
export const QUICK: Effort = { quick: true, warmUp: 1_500, votes: 1_000, seconds: 3 };

export interface BenchContext {
  readonly effort: Effort;
  /** On a real disk; each benchmark makes a folder of its own in it. */
  readonly folder: string;
  /** One row is done. */
  readonly add: (result: Result) => void;
  readonly say: (line: string) => void;
}

/** One benchmark; `names` are all rows that it makes, so that `--only` can leave it out. */
export interface Bench {
  readonly names: readonly string[];
  readonly run: (context: BenchContext) => Promise<void>;
}

/** Whether `--only` wants this row; each of it is how the name begins, and '' wants all. */
export function wants(only: readonly string[], name: string): boolean {
  return only.some((prefix) => name.startsWith(prefix));
}

/**
 * For a build that may know its benchmarks by their first row only: the same with those rows added. What it measures
 * beyond is left out afterwards.
 */
export function widened(only: readonly string[], benches: readonly Pick<Bench, 'names'>[]): readonly string[] {
  const wanted = benches.filter(({ names }) => names.some((name) => wants(only, name)));
  const first = wanted.flatMap(({ names }) => names.slice(0, 1)).filter((name) => !wants(only, name));
  return [...only, ...first];
}
