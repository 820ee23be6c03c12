import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { wants, widened, type Bench } from './bench.js';
import { lastWords, runChild } from './child.js';
import { loadLine, pairedTable } from './comparison-table.js';
import { interleave } from './interleaved.js';
import { describeMachine, makeFolder } from './machine.js';
import type { Against } from './options.js';
import { comparePairs, orderOfRuns, type Pair, type Side } from './pairs.js';
import { parts } from './parts-bench.js';
import { progressLine } from './progress.js';
import { parseRun, type SavedRun } from './saved-run.js';
import { machineLine } from './table.js';
import { buildOf, CannotCompare, KEPT, short, treeOf, workingTree, type Tree } from './trees.js';

const SIDE_PROGRAM = fileURLToPath(new URL('./side-main.js', import.meta.url));
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Somebody wants it to end. */
class Interrupted extends Error {
  constructor(signal: NodeJS.Signals) {
    super(`interrupted by ${signal}`);
  }
}

/** One finished run, as it is kept. */
interface Run {
  readonly side: Side;
  readonly pair: number;
  readonly seconds: number;
  /** Rows that it could not measure, in its own words. */
  readonly failures: readonly string[];
  readonly run: SavedRun;
}

type Trees = Readonly<Record<Side, Tree>>;

/** Runs both trees in pairs and prints how they compare. Returns the exit code: 1 when there is less than was asked for. */
export async function compareAgainst(options: Against, benches: readonly Bench[]): Promise<number> {
  const stop = new AbortController();
  const interrupt = (signal: NodeJS.Signals): void => stop.abort(new Interrupted(signal));
  for (const signal of SIGNALS) process.on(signal, interrupt);
  const { path: folder, remove } = makeFolder();
  const comparing = new Comparing(options, benches, folder, stop.signal);
  try {
    await comparing.run();
  } catch (error) {
    if (!(error instanceof CannotCompare || error instanceof Interrupted)) throw error;
    comparing.report();
    say(`failed: ${error.message}`);
    return 1;
  } finally {
    remove();
    for (const signal of SIGNALS) process.off(signal, interrupt);
  }
  comparing.report();
  return comparing.complete ? 0 : 1;
}

class Comparing {
  readonly #runs: Run[] = [];
  #interleavedFailures: readonly string[] = [];
  #trees: Trees | undefined;
  #file = '';

  constructor(
    private readonly options: Against,
    private readonly benches: readonly Bench[],
    /** Where the runs have their files, so that nothing is left of one that was killed. */
    private readonly folder: string,
    private readonly signal: AbortSignal,
  ) {}

  /** False when the new tree failed in a row. */
  get complete(): boolean {
    return (
      this.#interleavedFailures.length === 0 &&
      this.#runs.every(({ side, failures }) => side === 'old' || failures.length === 0)
    );
  }

  async run(): Promise<void> {
    const context = { signal: this.signal, say };
    const trees = { new: await workingTree(context), old: await treeOf(this.options.ref, context) };
    this.#trees = trees;
    this.#file = newFile(short(trees.old.commit));
    say(`old: ${trees.old.name}\nnew: ${trees.new.name}\nevery run is kept in ${this.#file}`);
    if (this.options.interleaved) return this.#interleaved(trees);
    return this.#inTurn(trees);
  }

  async #inTurn(trees: Trees): Promise<void> {
    const build = buildOf(trees.new);
    const order = orderOfRuns(this.options.pairs);
    for (const { pair, side } of order) {
      if (buildOf(trees.new) !== build)
        throw new CannotCompare('The working tree was built anew meanwhile: half of the runs would be of other code');
      const what = `pair ${pair} of ${this.options.pairs}: ${side}`;
      say(`${what} …`);
      const run = await this.#measure(side, pair, trees[side]);
      this.#runs.push(run);
      this.#keep(run, trees[side]);
      const seconds = this.#runs.map((one) => one.seconds);
      say(progressLine(what, seconds, order.length));
    }
  }

  /** What the finished pairs say; nothing without one. */
  report(): void {
    const pairs = pairsOf(this.#runs);
    const [first] = this.#runs;
    if (this.#trees === undefined || first === undefined || pairs.length === 0) return;
    const { only, pairs: wanted, json, quick } = this.options;
    const { machine } = first.run;
    const comparison = comparePairs(pairs, (name) => wants(only, name));
    const failures = [
      ...this.#interleavedFailures,
      ...this.#runs.flatMap(({ pair, side, failures: all }) =>
        all.map((failure) => `pair ${pair}, ${side}: ${failure}`),
      ),
    ];
    const loads = this.#runs.map(({ run }) => run.machine.load);
    const lines = [
      ...['', machineLine(machine)],
      loadLine(machine.cores, loads),
      ...[`old: ${this.#trees.old.name}`, `new: ${this.#trees.new.name}`],
      `${pairs.length} of ${wanted} pairs${quick ? ', --quick' : ''}`,
      ...['', pairedTable(comparison)],
      ...(failures.length === 0 ? [] : ['', 'Failed', ...failures.map((failure) => `  ${failure}`)]),
      ...['', `every run: ${this.#file}`],
    ];
    console.log(lines.join('\n'));
    if (!json) return;
    const about = ({ commit, name }: Tree): object => ({ commit, name });
    const trees = { old: about(this.#trees.old), new: about(this.#trees.new) };
    console.log(JSON.stringify({ machine, ...trees, pairs: pairs.length, quick, ...comparison, failures }));
  }

  async #interleaved(trees: Trees): Promise<void> {
    const machine = { ...describeMachine(this.folder) };
    const { only, pairs: rounds } = this.options;
    const from = performance.now();
    this.#interleavedFailures = await interleave(
      {
        ...{ trees, only, rounds, folder: this.folder, signal: this.signal, say },
        add: (pair, side, results) => {
          const same = this.#runs.find((run) => run.pair === pair && run.side === side);
          const all = [...(same?.run.results ?? []), ...results.map((row) => ({ ...row }))];
          const seconds = (performance.now() - from) / 1000;
          const run = { side, pair, seconds, failures: [], run: { machine, results: all } };
          if (same === undefined) this.#runs.push(run);
          else this.#runs[this.#runs.indexOf(same)] = run;
        },
      },
      parts,
    );
    for (const run of this.#runs) this.#keep(run, trees[run.side]);
  }

  async #measure(side: Side, pair: number, tree: Tree): Promise<Run> {
    const { only, quick } = this.options;
    const asked = widened(only, this.benches).flatMap((name) => (name === '' ? [] : [`--only=${name}`]));
    const args = [SIDE_PROGRAM, tree.folder, '--json', ...(quick ? ['--quick'] : []), ...asked];
    const from = performance.now();
    const ended = await runChild(process.execPath, args, {
      ...{ cwd: tree.folder, env: { TMPDIR: this.folder }, signal: this.signal },
      onLine: (line) => say(`  ${line}`),
    });
    const run = parseRun(ended.stdout);
    if (typeof run === 'string')
      throw new CannotCompare(
        `the benchmark of the ${side} tree ended with exit code ${ended.code ?? 'none'} and without a result (${run}). ` +
          `Try it by itself: cd ${tree.folder} && npm run bench -- --json. It said:\n${lastWords(ended)}`,
      );
    const failures = ended.stderr.split('\n').filter((line) => line.startsWith('failed: '));
    return { side, pair, seconds: (performance.now() - from) / 1000, failures, run };
  }

  #keep({ run, ...about }: Run, { commit, name }: Tree): void {
    const { only, quick } = this.options;
    appendFileSync(this.#file, `${JSON.stringify({ ...about, commit, tree: name, only, quick, ...run })}\n`);
  }
}

function pairsOf(runs: readonly Run[]): readonly Pair[] {
  const of = (side: Side, pair: number): SavedRun | undefined =>
    runs.find((run) => run.side === side && run.pair === pair)?.run;
  return [...new Set(runs.map(({ pair }) => pair))].flatMap((pair) => {
    const [old, ours] = [of('old', pair), of('new', pair)];
    return old === undefined || ours === undefined ? [] : [{ old, new: ours }];
  });
}

/** The next that nobody has, also when two comparisons begin at once. */
function newFile(commit: string): string {
  mkdirSync(KEPT, { recursive: true });
  for (let number = 1; ; number++) {
    const path = join(KEPT, `against-${commit}-${number}.jsonl`);
    try {
      writeFileSync(path, '', { flag: 'wx' });
      return path;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
