import type { Break } from './breaks.js';
import type { Prng } from './prng.js';

/** What can be done to a cluster, by name; the first ones as often as they are named. */
const FAULTS = [
  'kill',
  'kill',
  'crash',
  'crash',
  'crash-all',
  'kill-all',
  'link',
  'end-link',
  'transfer',
  'node',
  'node-away',
  'node-rests',
  'node-use',
  'cut',
  'cut',
  'refuse',
  'pause',
  'pause-host',
  'suspend',
  'rate',
  'wall-clock',
  'operator',
  'old-state',
  'lost-file',
  'rot',
  'lost-writes',
  'lost-writes',
  'put-back',
  'put-back',
  'amnesia',
  'amnesia',
  'amnesia',
  'recover',
  'other-folder',
  'plot',
] as const;

export type FaultName = (typeof FAULTS)[number];
export const DEFAULT_FAULTS: readonly FaultName[] = FAULTS;

const NODE_FAULTS: readonly FaultName[] = ['node', 'node-away', 'node-rests', 'node-use'];

/** What one run does to its cluster; drawn from the seed. */
export interface Plan {
  readonly threshold: number;
  readonly count: number;
  readonly chains: number;
  readonly links: number;
  readonly nodesPerChain: number;
  /** Links have watchers. */
  readonly watched: boolean;
  /** Nodes follow one head of their chain, and nothing but nodes is away, of no use or chosen. */
  readonly nodesFollow: boolean;
  /** How many cosigners, and links more than `links`, are not ours any more. */
  readonly lyingCosigners: number;
  readonly lyingLinks: number;
  readonly faults: readonly FaultName[];
  /** The lying link plots (plot.ts). */
  readonly plots: boolean;
  readonly loss: number;
  readonly duplicate: number;
  readonly straggle: number;
  readonly writeFailure: number;
  readonly slowWrite: number;
  readonly readFailure: number;
  /** Mean time between crashes, partitions and restarts. */
  readonly faultEveryMs: number;
  readonly faultyMs: number;
  /** All links are told that every cosigner granted them the lease, and every cosigner serves all of them. */
  readonly twoLeaders: boolean;
  readonly maxHeightsPerSecond: number;
  readonly maxHeightJump: bigint;
}

type Topology = readonly [threshold: number, count: number];
/** As often as they are named. */
const TOPOLOGIES: readonly Topology[] = [
  ...Array.from({ length: 8 }, (): Topology => [2, 3]),
  ...([
    [2, 2],
    [3, 4],
    [3, 4],
    [3, 4],
    [3, 5],
    [3, 5],
    [4, 5],
    [4, 6],
    [5, 7],
    [5, 9],
  ] as const),
];

export function drawPlan(random: Prng, broken: Break | undefined, faults: readonly FaultName[]): Plan {
  const [threshold, count] = broken === 'quorum' ? ([2, 4] as const) : random.pick(TOPOLOGIES);
  const lossy = random.chance(0.4);
  const lyingLinks = random.chance(0.35) ? 1 : 0;
  const mostLiars = Math.max(0, 2 * threshold - count - 1);
  const lyingCosigners = mostLiars > 0 && random.chance(0.5) ? 1 + random.below(mostLiars) : 0;
  const drawn = faults.filter(() => random.chance(0.6));
  const plots = drawn.includes('plot') && lyingLinks > 0 && lyingCosigners === 0;
  const nodesPerChain = random.pick([1, 1, 2]);
  const nodesFollow = nodesPerChain > 1 && !plots && random.chance(0.5);
  const often = broken === 'quorum' ? 1 : plots ? 1 : lyingLinks > 0 ? 0.6 : 0.25;
  return {
    threshold,
    count,
    // What a larger cluster of several chains would show, a smaller one does as well, and sooner.
    chains: count > 4 ? 1 : random.pick([1, 1, 1, 2, 2, 3]),
    links: count > 5 ? 2 : random.pick([2, 2, 3]),
    watched: random.chance(0.5),
    nodesPerChain,
    nodesFollow,
    lyingCosigners,
    lyingLinks,
    // Often nothing else gets in the way of a plot.
    faults: plots && random.chance(0.5) ? [] : drawn.filter((fault) => isPossible(fault, nodesPerChain, nodesFollow)),
    plots,
    loss: lossy ? random.between(0, 0.05) : 0,
    duplicate: random.chance(0.4) ? random.between(0, 0.1) : 0,
    straggle: random.chance(0.4) ? random.between(0, 0.05) : 0,
    writeFailure: random.chance(0.25) ? 0.01 : 0,
    slowWrite: random.chance(0.3) ? 0.02 : 0,
    readFailure: random.chance(0.15) ? 0.1 : 0,
    faultEveryMs: nodesFollow ? random.between(1_500, 4_000) : random.between(150, 2_000),
    faultyMs: random.between(2_000, 6_000) + (plots ? 3_000 : 0) + (nodesFollow ? 16_000 : 0),
    twoLeaders: broken !== 'lease-close' && random.chance(often),
    maxHeightsPerSecond: random.pick([0, 3, 3]),
    maxHeightJump: random.pick([50n, 1_500n, 100_000n]),
  };
}

function isPossible(fault: FaultName, nodesPerChain: number, nodesFollow: boolean): boolean {
  if (nodesFollow) return NODE_FAULTS.includes(fault);
  return fault !== 'plot' && (nodesPerChain > 1 || fault !== 'node-use');
}
