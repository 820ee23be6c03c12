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
export const QUICK: Effort = { quick: true, warmUp: 600, votes: 300, seconds: 3 };

export interface BenchContext {
  readonly effort: Effort;
  /** On a real disk; each benchmark makes a folder of its own in it. */
  readonly folder: string;
  /** One row is done. */
  readonly add: (result: Result) => void;
  readonly say: (line: string) => void;
}

/** One benchmark; `names` are the rows that it makes, so that `--only` can leave it out. */
export interface Bench {
  readonly names: readonly string[];
  readonly run: (context: BenchContext) => Promise<void>;
}
