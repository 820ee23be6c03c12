/** `npm run bench`; README.md says what is measured and how two builds are compared. */
import { compareAgainst } from './against.js';
import { wants, type Bench } from './bench.js';
import { coldStart } from './cold-start-bench.js';
import { realNode } from './comet-bench.js';
import { savedTable } from './comparison-table.js';
import { failoverBenches } from './failover-bench.js';
import { measure } from './measure.js';
import { parseOptions, USAGE, type Compare } from './options.js';
import { overload } from './overload-bench.js';
import { parts } from './parts-bench.js';
import { readRun } from './saved-run.js';
import { manyChains, oneChain } from './throughput-bench.js';
import { makeRunFolder } from '../support/run-folder.js';
import { voteBenches } from './vote-bench.js';

const BENCHES: readonly Bench[] = [
  ...voteBenches,
  ...[oneChain, manyChains, overload, realNode, coldStart, parts],
  ...failoverBenches,
];
const ROWS = BENCHES.flatMap(({ names }) => names);
const WRONG_USAGE = 2;

async function run(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  if (options.kind === 'wrong') return refuse(`${options.problem}\n${USAGE}`);
  if (options.kind === 'compare') return compareSaved(options);
  const unknown = options.only.filter((prefix) => !ROWS.some((name) => wants([prefix], name)));
  for (const prefix of unknown) console.error(`no row begins with '${prefix}'`);
  const nothing = unknown.length === options.only.length;
  if (nothing) console.error(`rows: ${ROWS.join(', ')}`);
  if (options.kind === 'against') return nothing ? WRONG_USAGE : compareAgainst(options, BENCHES);
  // Also with no row: a newer build that compares itself with this one reads its result.
  const code = await measure(options, BENCHES);
  return nothing ? WRONG_USAGE : code;
}

function compareSaved({ oldFile, newFile }: Compare): number {
  const [before, after] = [readRun(oldFile), readRun(newFile)];
  if (typeof before === 'string') return refuse(unreadable(oldFile, before));
  if (typeof after === 'string') return refuse(unreadable(newFile, after));
  console.log(savedTable(before, after));
  return 0;
}

function unreadable(file: string, problem: string): string {
  return `${file} is no saved run: ${problem}. 'npm run bench -- --json > FILE' writes one`;
}

function refuse(problem: string): number {
  console.error(problem);
  return WRONG_USAGE;
}

process.on('exit', makeRunFolder().remove);
process.exit(await run(process.argv.slice(2)));
