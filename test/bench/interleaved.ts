import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { messageOf } from '../../src/shared/errors.js';
import { wants, type Bench } from './bench.js';
import type { BenchCluster } from './cluster.js';
import type { Side } from './pairs.js';
import { resultOf, type Result } from './result.js';
import type { Tree } from './trees.js';

/** What is asked of one build before the other one has its turn: long enough for a median, too short for the weather to change. */
const VOTES = 60;
const SLOW_VOTES = 20;
const WARM_UP = 1_500;
const SLOW_WARM_UP = 150;
const PACE_MS = 10;
/** Two clusters of one build differ by a tenth and more for as long as they run: then both are started anew. */
const SITTING_ROUNDS = 10;
const PART_EFFORT = { quick: true, warmUp: 40, votes: 120, seconds: 0 };
const PART_WARM_UP = { ...PART_EFFORT, warmUp: 1_500 };

/** The modules of a build that is measured; both sides have their own, in this one process. */
interface Modules {
  readonly cluster: typeof import('./cluster.js');
  readonly parts: typeof import('./parts-bench.js');
}

/** One turn of one build. */
type Turn = () => Promise<readonly Result[]>;

export interface Interleaving {
  readonly trees: Readonly<Record<Side, Tree>>;
  readonly only: readonly string[];
  readonly rounds: number;
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
  /** Both sides of one round of one benchmark, in the order in which they were measured. */
  readonly add: (round: number, side: Side, results: readonly Result[]) => void;
}

interface Rounds {
  readonly from: number;
  readonly to: number;
}

interface Shape {
  readonly name: string;
  readonly threshold: number;
  readonly cosigners: number;
  readonly delayMs?: number;
  readonly paced?: true;
}

const SHAPES: readonly Shape[] = [
  { name: 'vote/2of3/loopback', threshold: 2, cosigners: 3 },
  { name: 'vote/2of3/loopback/paced', threshold: 2, cosigners: 3, paced: true },
  { name: 'vote/2of3/rtt20ms', threshold: 2, cosigners: 3, delayMs: 10 },
  { name: 'vote/3of5/loopback', threshold: 3, cosigners: 5 },
  { name: 'vote/5of9/loopback', threshold: 5, cosigners: 9 },
  { name: 'vote/7of13/loopback', threshold: 7, cosigners: 13 },
];

/**
 * Both builds up at once and asked in turns of a tenth of a second: what the machine does meanwhile meets both alike, so
 * that a few per cent show on a busy machine too. Only for rows that can be asked in such short turns: votes and parts.
 * Returns what failed, in words; the rest is measured all the same.
 */
export async function interleave(options: Interleaving, parts: Bench): Promise<readonly string[]> {
  const modules = { old: await modulesOf(options.trees.old), new: await modulesOf(options.trees.new) };
  const benches = [
    ...SHAPES.map((shape) => ({ names: [shape.name], run: () => bothClusters(options, modules, shape) })),
    { names: parts.names, run: () => bothParts(options, modules) },
  ];
  const failures: string[] = [];
  for (const { names, run } of benches) {
    const wanted = names.filter((name) => wants(options.only, name));
    if (wanted.length === 0) continue;
    options.say(`measuring ${wanted.join(', ')} …`);
    try {
      await run();
    } catch (error) {
      options.signal.throwIfAborted();
      failures.push(`${wanted.join(', ')}: ${messageOf(error)}`);
    }
  }
  return failures;
}

async function bothClusters(options: Interleaving, modules: Record<Side, Modules>, shape: Shape): Promise<void> {
  for (let from = 1; from <= options.rounds; from += SITTING_ROUNDS) {
    const to = Math.min(options.rounds, from + SITTING_ROUNDS - 1);
    await sitting(options, modules, shape, { from, to });
  }
}

/** Two new clusters, of which each build's starts first in every other sitting. */
async function sitting(
  options: Interleaving,
  modules: Record<Side, Modules>,
  shape: Shape,
  rounds: Rounds,
): Promise<void> {
  const { threshold, cosigners, delayMs } = shape;
  const within = (side: Side, use: (cluster: BenchCluster) => Promise<void>): Promise<void> => {
    const name = `${side}-${shape.name.replaceAll('/', '-')}-${rounds.from}`;
    const delay = delayMs !== undefined && { delayMs };
    return modules[side].cluster.withCluster({ folder: options.folder, name, threshold, cosigners, ...delay }, use);
  };
  const isEven = Math.floor(rounds.from / SITTING_ROUNDS) % 2 === 0;
  const [first, second] = isEven ? (['old', 'new'] as const) : (['new', 'old'] as const);
  await within(first, (one) =>
    within(second, async (other) => {
      for (const { voter } of [one, other]) await voter.votes(delayMs === undefined ? WARM_UP : SLOW_WARM_UP);
      const [old, ours] = isEven ? [one, other] : [other, one];
      await inTurns(options, { old: () => votes(old, shape), new: () => votes(ours, shape) }, rounds);
    }),
  );
}

async function votes({ voter }: BenchCluster, { name, delayMs, paced }: Shape): Promise<readonly Result[]> {
  const slow = delayMs !== undefined || paced === true;
  const count = slow ? SLOW_VOTES : VOTES;
  const samples = paced === true ? await voter.paced(count, PACE_MS) : await voter.backToBack(count);
  const row = resultOf({ name, unit: 'ms', samples });
  if (slow) return [row];
  const only = (odd: number): readonly number[] => samples.filter((_, i) => i % 2 === odd);
  return [
    row,
    resultOf({ name: `${name}/prevote`, unit: 'ms', samples: only(0) }),
    resultOf({ name: `${name}/precommit`, unit: 'ms', samples: only(1) }),
  ];
}

async function bothParts(options: Interleaving, modules: Record<Side, Modules>): Promise<void> {
  let turn = 0;
  const run = async (side: Side, effort: typeof PART_EFFORT): Promise<readonly Result[]> => {
    const results: Result[] = [];
    const folder = join(options.folder, `parts-${++turn}`);
    mkdirSync(folder);
    await modules[side].parts.parts.run({ effort, folder, add: (one) => void results.push(one), say: options.say });
    return results;
  };
  await run('old', PART_WARM_UP);
  await run('new', PART_WARM_UP);
  const turns = { old: () => run('old', PART_EFFORT), new: () => run('new', PART_EFFORT) };
  await inTurns(options, turns, { from: 1, to: options.rounds });
}

async function inTurns(
  { signal, add }: Interleaving,
  turns: Readonly<Record<Side, Turn>>,
  { from, to }: Rounds,
): Promise<void> {
  for (let round = from; round <= to; round++) {
    const sides: readonly Side[] = round % 2 === 1 ? ['old', 'new'] : ['new', 'old'];
    for (const side of sides) {
      signal.throwIfAborted();
      add(round, side, await turns[side]());
    }
  }
}

async function modulesOf({ folder }: Tree): Promise<Modules> {
  const load = (name: string): Promise<unknown> =>
    import(pathToFileURL(join(folder, 'dist', 'test', 'bench', name)).href);
  return {
    cluster: (await load('cluster.js')) as Modules['cluster'],
    parts: (await load('parts-bench.js')) as Modules['parts'],
  };
}
