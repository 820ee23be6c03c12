import { expect, it } from 'vitest';
import { cleanupAfterEach } from '../support/cleanup.js';
import { groundMissing, GROUND_NAMES } from './grounds.js';
import { SCENARIOS } from './plan.js';
import { resultsOf, table, type Outcome } from './report.js';
import { runChaos } from './run.js';

// Real processes, real proxies, real faults, in the order of one seed; `npm run chaos` has all of them, and any order. What is
// asserted holds however slow the machine is: no double signature, no vote missed that the scenario does not allow.
const SEED = 1;
const cleanup = cleanupAfterEach();

it.for(GROUND_NAMES.filter((ground) => SCENARIOS.some((one) => one.ground === ground && one.short === true)))(
  'ground %s: nothing is signed twice, and nothing missed',
  async (ground, context) => {
    const missing = groundMissing(ground);
    if (missing !== undefined) {
      if (process.env['CI'] !== undefined) throw new Error(missing);
      context.skip(missing);
    }
    const scenarios = SCENARIOS.filter((one) => one.ground === ground && one.short === true);
    const outcomes: Outcome[] = [];
    const onOutcome = (outcome: Outcome): void => void outcomes.push(outcome);
    await runChaos({ scenarios, seed: SEED, minutes: undefined, say: () => undefined, onOutcome, cleanup });
    const results = resultsOf(outcomes);
    console.log(table(results));
    expect(results.flatMap(({ name, problems }) => problems.map((problem) => `${name}: ${problem}`))).toEqual([]);
    expect(results).toHaveLength(scenarios.length);
    for (const { name, asked } of results) expect(asked, name).toBeGreaterThan(0);
  },
);
