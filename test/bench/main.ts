/** `npm run bench [-- --json] [-- --quick] [-- --only NAME] [-- --profile FOLDER]`; README.md says what is measured. */
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { FULL, QUICK, type Bench } from './bench.js';
import { PROFILE_VARIABLE } from './cluster.js';
import { coldStart } from './cold-start-bench.js';
import { realNode } from './comet-bench.js';
import { describeMachine, makeFolder } from './machine.js';
import { overload } from './overload-bench.js';
import { parts } from './parts-bench.js';
import type { Result } from './result.js';
import { machineLine, table } from './table.js';
import { manyChains, oneChain } from './throughput-bench.js';
import { voteBenches } from './vote-bench.js';

const BENCHES: readonly Bench[] = [...voteBenches, oneChain, manyChains, overload, realNode, coldStart, parts];

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    /** Only the benchmarks with a row whose name begins like this. */
    only: { type: 'string', multiple: true, default: [''] },
    /** A CPU profile of each hekate process goes here. */
    profile: { type: 'string' },
  },
});

if (options.profile !== undefined) {
  mkdirSync(options.profile, { recursive: true });
  process.env[PROFILE_VARIABLE] = resolve(options.profile);
}
const { path: folder, remove } = makeFolder();
const say = (line: string): void => void process.stderr.write(`${line}\n`);
const results: Result[] = [];
let failed = false;
try {
  const machine = describeMachine(folder);
  say(machineLine(machine));
  for (const bench of BENCHES) {
    if (!bench.names.some((name) => options.only.some((prefix) => name.startsWith(prefix)))) continue;
    say(`measuring ${bench.names.join(', ')} …`);
    const effort = options.quick ? QUICK : FULL;
    const add = (result: Result): void => void results.push(result);
    try {
      await bench.run({ effort, folder, add, say });
    } catch (error) {
      failed = true;
      say(`failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    }
  }
  console.log(`\n${machineLine(machine)}\n\n${table(results)}`);
  if (options.json) console.log(JSON.stringify({ machine, results }));
} finally {
  remove();
}
// A missed goal is no failure: what is measured depends on the machine.
process.exit(failed ? 1 : 0);
