/** `npm run chaos`; README.md says what is broken and what is counted. */
import { randomInt } from 'node:crypto';
import { messageOf } from '../../src/shared/errors.js';
import { Cleanup } from '../support/cleanup-tasks.js';
import { guardAgainstLeftFolder } from '../support/orphan-guard.js';
import { makeRunFolder } from '../support/run-folder.js';
import { evidenceProblems, evidenceTable, type EvidenceResult } from './evidence-report.js';
import { runEvidence } from './evidence-run.js';
import { groundMissing } from './grounds.js';
import { parseOptions, USAGE, type ChaosOptions } from './options.js';
import { chosen } from './plan.js';
import { failed, jsonLine, resultsOf, table, type Outcome } from './report.js';
import { missingGrounds, runChaos } from './run.js';
import { fullName, type Scenario } from './scenario.js';

const FAILED = 1;
const WRONG_USAGE = 2;
const NOT_HERE = 3;
const SIGNALLED = 130;

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  if (options.kind === 'wrong') return refuse(`${options.problem}\n${USAGE}`);
  if (options.kind === 'help') {
    console.log(USAGE);
    return 0;
  }
  if (options.kind === 'evidence') return makeEvidence(options);
  const scenarios = chosen(options.only).filter(({ short = false }) => short || !options.short);
  const unknown = options.only?.find((prefix) => chosen([prefix]).length === 0);
  if (unknown !== undefined) return refuse(`no scenario begins with '${unknown}'; --list tells all of them`);
  if (scenarios.length === 0) return refuse('none of these scenarios is in the short run');
  if (options.kind === 'list') {
    for (const scenario of scenarios) console.log(`${fullName(scenario)}: ${scenario.what}`);
    return 0;
  }
  return run(options, scenarios);
}

async function run(
  { minutes, seed = randomInt(2 ** 32), json }: ChaosOptions,
  all: readonly Scenario[],
): Promise<number> {
  const missing = missingGrounds(all);
  for (const [ground, reason] of missing) say(`ground '${ground}' is left out: ${reason}`);
  const scenarios = all.filter(({ ground }) => !missing.has(ground));
  if (scenarios.length === 0 || (missing.size > 0 && process.env['CI'] !== undefined)) return NOT_HERE;
  const length = minutes === undefined ? 'each once' : `${minutes} min`;
  say(`${scenarios.length} scenarios, ${length}, seed ${seed}: '--seed ${seed}' repeats the order and all draws`);

  const outcomes: Outcome[] = [];
  const onOutcome = (one: Outcome): void => void outcomes.push(one);
  const end = await toItsEnd((cleanup) => runChaos({ scenarios, seed, minutes, say, cleanup, onOutcome }));
  const results = resultsOf(outcomes);
  console.log(`\n${table(results)}`);
  if (json) console.log(jsonLine(results, { seed, minutes: minutes ?? 0 }));
  if (failed(results) || end === 'broken') return FAILED;
  return end === 'signalled' ? SIGNALLED : 0;
}

async function makeEvidence({ heights, seed = randomInt(2 ** 32), json }: ChaosOptions): Promise<number> {
  const missing = groundMissing('real');
  if (missing !== undefined) {
    say(missing);
    return NOT_HERE;
  }
  say(`${heights} heights each, seed ${seed}`);
  const results: EvidenceResult[] = [];
  const onResult = (one: EvidenceResult): void => void results.push(one);
  const end = await toItsEnd((cleanup) => runEvidence({ heights, seed, say, cleanup, onResult }));
  console.log(`\n${evidenceTable(results)}`);
  if (json) console.log(JSON.stringify({ evidence: results, seed }));
  if (end === 'signalled') return SIGNALLED;
  const problems = evidenceProblems(results);
  for (const problem of problems) say(problem);
  return problems.length > 0 || end === 'broken' ? FAILED : 0;
}

/** Runs it until it is over or a signal comes, and ends all that it started. */
async function toItsEnd(run: (cleanup: Cleanup) => Promise<void>): Promise<'done' | 'broken' | 'signalled'> {
  const cleanup = new Cleanup();
  const signalled = new Promise<'signalled'>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => resolve('signalled'));
  });
  const running = run(cleanup).then(
    () => 'done' as const,
    (error: unknown) => {
      say(`the run ended: ${messageOf(error)}`);
      return 'broken' as const;
    },
  );
  const end = await Promise.race([running, signalled]);
  await cleanup.run(false).catch((error: unknown) => say(messageOf(error)));
  return end;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

function refuse(problem: string): number {
  console.error(problem);
  return WRONG_USAGE;
}

const runFolder = makeRunFolder();
guardAgainstLeftFolder(runFolder.path);
process.on('exit', runFolder.remove);
process.exit(await main(process.argv.slice(2)));
