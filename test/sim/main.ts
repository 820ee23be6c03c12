import { availableParallelism } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import { BREAK_NAMES, BREAKS, type Break } from './breaks.js';
import { Coverage } from './coverage.js';
import { EXPECTED } from './expected-coverage.js';
import { DEFAULT_FAULTS, type FaultName } from './faults.js';
import type { SeedResult } from './run.js';
import { runSeeds } from './seed-pool.js';

/** A run of so many seeds, as CI's, has to reach everything that can be reached. */
const SEEDS_THAT_REACH_ALL = 2_000;

interface Options {
  readonly seeds: number;
  readonly minutes?: number;
  readonly seed?: number;
  readonly first: number;
  readonly jobs: number;
  readonly faults: readonly FaultName[];
  readonly break?: Break | 'all';
  readonly goOn?: boolean;
  readonly coverage?: boolean;
  readonly json?: boolean;
}

const wholeNumber = (text: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('a whole number, please');
  return Number(text);
};

const oneBreak = (text: string): Break | 'all' => {
  const found = [...BREAK_NAMES, 'all' as const].find((name) => name === text);
  if (found === undefined) throw new InvalidArgumentError(`all, or one of ${BREAK_NAMES.join(', ')}`);
  return found;
};

const someFaults = (text: string): readonly FaultName[] => {
  if (text === 'all') return DEFAULT_FAULTS;
  if (text === 'none') return [];
  return text.split(',').map((one) => {
    const found = DEFAULT_FAULTS.find((name) => name === one);
    if (found === undefined)
      throw new InvalidArgumentError(`all, none, or some of ${[...new Set(DEFAULT_FAULTS)].join()}`);
    return found;
  });
};

const program = new Command('sim')
  .description(
    'Runs production code of cosigners and sentry-links under a virtual clock, network and disk, with faults.',
  )
  .option('--seeds <n>', 'how many seeds to run', wholeNumber, 500)
  .option('--minutes <n>', 'run for so long instead', wholeNumber)
  .option('--first <n>', 'the first of them', wholeNumber, 1)
  .option('--jobs <n>', 'processes that run them', wholeNumber, availableParallelism())
  .option('--seed <n>', 'run this one only, and print its trace', wholeNumber)
  .option('--faults <names>', 'all, none, or names with commas between them', someFaults, DEFAULT_FAULTS)
  .option('--break <rule>', `switch a rule off, which must be caught: all, ${BREAK_NAMES.join(', ')}`, oneBreak)
  .option('--go-on', 'after a seed that failed, too')
  .option('--coverage', 'print how often everything was reached')
  .option('--json', 'one JSON object as the last line')
  .addHelpText(
    'after',
    '\nExample:\n  npm run sim -- --seeds 2000\n  npm run sim -- --seed 17\n  npm run sim -- --break quorum',
  );

interface Ran {
  readonly failed: SeedResult | undefined;
  readonly seeds: number;
  readonly signatures: number;
  readonly coverage: Coverage;
  readonly last: SeedResult | undefined;
}

async function runAll(options: Options, broken: Break | undefined, jobs: number): Promise<Ran> {
  const first = options.seed ?? options.first;
  const untilMs = options.minutes === undefined ? undefined : Date.now() + options.minutes * 60_000;
  const most = options.seed === undefined ? options.seeds : 1;
  const coverage = new Coverage();
  let [seeds, signatures] = [0, 0];
  let last: SeedResult | undefined;
  const failed = await runSeeds({
    ...{ faults: options.faults, broken, first, jobs: untilMs === undefined ? Math.min(jobs, most) : jobs },
    goOn: options.goOn,
    enough: (begun) => (untilMs === undefined ? begun >= most : Date.now() >= untilMs),
    done: (result) => {
      seeds++;
      signatures += result.signatures;
      coverage.add(result.counts);
      last = result;
      if (options.goOn === true && result.failure !== undefined)
        console.log(`seed ${result.seed}: ${result.failure.message}`);
      if (seeds % 500 === 0 && options.json !== true && broken === undefined)
        console.log(`${seeds} seeds, ${signatures} signatures`);
    },
  });
  return { failed, seeds, signatures, coverage, last };
}

/** One rule in each process at a time. */
async function breakAll(options: Options): Promise<number> {
  const waiting = [...BREAK_NAMES];
  const caught = new Map<Break, string | undefined>();
  await Promise.all(
    Array.from({ length: options.jobs }, async () => {
      for (let broken = waiting.shift(); broken !== undefined; broken = waiting.shift()) {
        const { failed } = await runAll(options, broken, 1);
        const how = failed?.failure && `${failed.seed - options.first + 1} seeds, as ${failed.failure.rule}`;
        caught.set(broken, how);
        if (options.json !== true) console.log(`--break ${broken}: ${how ?? `NOT caught in ${options.seeds} seeds`}`);
      }
    }),
  );
  const missed = BREAK_NAMES.filter((broken) => caught.get(broken) === undefined);
  if (options.json === true) console.log(JSON.stringify({ breaks: Object.fromEntries(caught), missed }));
  else console.log(`${caught.size - missed.length} of ${caught.size} rules were noticed to be off`);
  return missed.length === 0 ? 0 : 1;
}

async function breakOne(options: Options, broken: Break): Promise<number> {
  const { failed, seeds, last } = await runAll(options, broken, options.jobs);
  if (options.seed !== undefined) console.log(last?.trace.join('\n'));
  const found = failed?.failure && { seed: failed.seed, ...failed.failure };
  if (options.json === true) console.log(JSON.stringify({ seeds, break: broken, failure: found ?? null }));
  else {
    console.log(`--break ${broken}: ${BREAKS[broken].what}`);
    if (found === undefined) console.log(`NOT caught in ${seeds} seeds`);
    else console.log(`caught by seed ${found.seed}, as ${found.message}`);
  }
  return found === undefined ? 1 : 0;
}

async function hold(options: Options): Promise<number> {
  const { failed, seeds, signatures, coverage, last } = await runAll(options, undefined, options.jobs);
  const found = failed?.failure && { seed: failed.seed, ...failed.failure };
  const shown = options.seed === undefined ? failed : last;
  if (shown !== undefined && options.json !== true) console.log(shown.trace.join('\n'));
  const wanted = options.faults === DEFAULT_FAULTS && seeds >= SEEDS_THAT_REACH_ALL ? EXPECTED : [];
  const missing = coverage.missing(wanted);
  const good = found === undefined && missing.length === 0;
  if (options.json === true) {
    console.log(JSON.stringify({ seeds, signatures, failure: found ?? null, missing, coverage: coverage.counts() }));
    return good ? 0 : 1;
  }
  if (options.coverage === true)
    for (const [what, times] of Object.entries(coverage.counts())) console.log(`${String(times).padStart(9)} ${what}`);
  if (found !== undefined) {
    console.log(`seed ${found.seed}: ${found.message}`);
    console.log(`replay: npm run sim -- --seed ${found.seed}`);
  }
  for (const what of missing) console.log(`never reached: ${what}`);
  console.log(`${seeds} seeds, ${signatures} signatures: ${good ? 'every rule held' : 'FAILED'}`);
  return good ? 0 : 1;
}

program.parse();
const options = program.opts<Options>();
if (options.break === 'all') process.exitCode = await breakAll(options);
else if (options.break !== undefined) process.exitCode = await breakOne(options, options.break);
else process.exitCode = await hold(options);
