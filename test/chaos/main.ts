/** `npm run chaos`; README.md says what is broken and what is counted. */
import { randomInt } from 'node:crypto';
import { messageOf } from '../../src/shared/errors.js';
import { Cleanup } from '../support/cleanup-tasks.js';
import { guardAgainstLeftFolder } from '../support/orphan-guard.js';
import { makeRunFolder } from '../support/run-folder.js';
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
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const missing = missingGrounds(all);
  for (const [ground, reason] of missing) say(`ground '${ground}' is left out: ${reason}`);
  const scenarios = all.filter(({ ground }) => !missing.has(ground));
  if (scenarios.length === 0 || (missing.size > 0 && process.env['CI'] !== undefined)) return NOT_HERE;
  const length = minutes === undefined ? 'each once' : `${minutes} min`;
  say(`${scenarios.length} scenarios, ${length}, seed ${seed}: '--seed ${seed}' repeats the order and all draws`);

  const outcomes: Outcome[] = [];
  const cleanup = new Cleanup();
  const signalled = new Promise<'signalled'>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => resolve('signalled'));
  });
  const running = runChaos({ scenarios, seed, minutes, say, cleanup, onOutcome: (one) => void outcomes.push(one) });
  running.catch(() => undefined);
  let broken: string | undefined;
  const end = await Promise.race([running, signalled]).catch((error: unknown) => {
    broken = messageOf(error);
  });
  await cleanup.run(false).catch((error: unknown) => say(messageOf(error)));
  const results = resultsOf(outcomes);
  console.log(`\n${table(results)}`);
  if (broken !== undefined) say(`the run ended: ${broken}`);
  if (json) console.log(jsonLine(results, { seed, minutes: minutes ?? 0 }));
  if (failed(results) || broken !== undefined) return FAILED;
  return end === 'signalled' ? SIGNALLED : 0;
}

function refuse(problem: string): number {
  console.error(problem);
  return WRONG_USAGE;
}

const runFolder = makeRunFolder();
guardAgainstLeftFolder(runFolder.path);
process.on('exit', runFolder.remove);
process.exit(await main(process.argv.slice(2)));
