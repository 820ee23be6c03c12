import { Prng } from '../sim/prng.js';
import { GROUND_NAMES, type GroundName } from './grounds.js';
import { HOST_SCENARIOS } from './host-scenarios.js';
import { NETWORK_SCENARIOS } from './network-scenarios.js';
import { NODE_SCENARIOS } from './node-scenarios.js';
import { PROCESS_SCENARIOS } from './process-scenarios.js';
import { fullName, type Scenario } from './scenario.js';

export const SCENARIOS: readonly Scenario[] = [
  ...PROCESS_SCENARIOS,
  ...NETWORK_SCENARIOS,
  ...HOST_SCENARIOS,
  ...NODE_SCENARIOS,
];

/** Scenarios that share a ground, in order, and the seed of each of them. */
export interface Turn {
  readonly ground: GroundName;
  readonly steps: readonly { readonly scenario: Scenario; readonly seed: number }[];
}

/** Those whose full name begins with `only`; undefined: all. */
export function chosen(only: readonly string[] | undefined, scenarios = SCENARIOS): readonly Scenario[] {
  if (only === undefined) return scenarios;
  return scenarios.filter((scenario) => only.some((prefix) => fullName(scenario).startsWith(prefix)));
}

/**
 * Turns without an end: one round after the other of every ground, and on each ground all of its scenarios in an order that is
 * another one each time. The same seed gives the same turns, and each step the same random draws.
 */
export function* turnsOf(scenarios: readonly Scenario[], seed: number): Generator<Turn, never> {
  const random = new Prng(seed);
  if (scenarios.length === 0) throw new Error('turns of no scenarios');
  for (;;) {
    for (const ground of shuffled(GROUND_NAMES, random)) {
      const own = scenarios.filter((scenario) => scenario.ground === ground);
      const steps = shuffled(own, random).map((scenario) => ({ scenario, seed: random.uint32() }));
      if (steps.length > 0) yield { ground, steps };
    }
  }
}

/** How many turns make a round: each scenario once. */
export function turnsInRound(scenarios: readonly Scenario[]): number {
  return new Set(scenarios.map(({ ground }) => ground)).size;
}

function shuffled<T>(items: readonly T[], random: Prng): readonly T[] {
  const left = [...items];
  return items.map(() => left.splice(random.below(left.length), 1)[0]!);
}
