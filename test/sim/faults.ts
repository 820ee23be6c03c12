import type { Prng } from './prng.js';

export const BREAKS = ['durable-first', 'watermark', 'nonce-once', 'quorum', 'lease-close'] as const;
export type Break = (typeof BREAKS)[number];

/** What one run does to its cluster; drawn from the seed. */
export interface Plan {
  readonly threshold: number;
  readonly count: number;
  readonly nodes: number;
  readonly loss: number;
  readonly duplicate: number;
  readonly straggle: number;
  readonly writeFailure: number;
  readonly slowWrite: number;
  /** Mean time between crashes, partitions and restarts. */
  readonly faultEveryMs: number;
  readonly faultyMs: number;
  /** Both links are told that every cosigner granted them the lease, and every cosigner serves both. */
  readonly twoLeaders: boolean;
}

export function drawPlan(random: Prng, broken: Break | undefined): Plan {
  const [threshold, count] =
    broken === 'quorum'
      ? ([2, 4] as const)
      : random.pick([
          [2, 3],
          [2, 3],
          [2, 3],
          [3, 4],
          [3, 5],
        ] as const);
  const lossy = random.chance(0.5);
  return {
    threshold,
    count,
    nodes: random.pick([1, 1, 2]),
    loss: lossy ? random.between(0, 0.05) : 0,
    duplicate: random.chance(0.5) ? random.between(0, 0.1) : 0,
    straggle: random.chance(0.5) ? random.between(0, 0.05) : 0,
    writeFailure: random.chance(0.3) ? 0.01 : 0,
    slowWrite: random.chance(0.3) ? 0.02 : 0,
    faultEveryMs: random.between(150, 2_000),
    faultyMs: random.between(4_000, 9_000),
    twoLeaders: broken === 'quorum' || (broken !== 'lease-close' && random.chance(0.3)),
  };
}
