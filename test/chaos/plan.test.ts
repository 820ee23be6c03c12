import { describe, expect, it } from 'vitest';
import { GROUND_NAMES } from './grounds.js';
import { chosen, SCENARIOS, turnsInRound, turnsOf, type Turn } from './plan.js';
import { fullName } from './scenario.js';

function take(seed: number, count: number, scenarios = SCENARIOS): readonly Turn[] {
  const turns = turnsOf(scenarios, seed);
  return Array.from({ length: count }, () => turns.next().value);
}

const namesOf = (turns: readonly Turn[]): readonly string[] =>
  turns.flatMap(({ steps }) => steps.map(({ scenario, seed }) => `${fullName(scenario)} ${seed}`));

describe('scenarios', () => {
  it('have names of their own, and every ground has some', () => {
    const names = SCENARIOS.map(fullName);
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(SCENARIOS.map(({ ground }) => ground))).toEqual(new Set(GROUND_NAMES));
  });

  it.each(SCENARIOS.map((scenario) => [fullName(scenario), scenario] as const))(
    '%s may miss no less than its goal',
    (_name, { goal, mayMiss }) => expect(mayMiss).toBeGreaterThanOrEqual(goal.missed),
  );

  it.each([
    [undefined, SCENARIOS.length],
    [['asked/kill/leader'], 3],
    [['four/', 'hosts/clock/'], 8],
    [['nothing'], 0],
  ])('chosen by %j: %i', (only, count) => expect(chosen(only)).toHaveLength(count));
});

describe('turns', () => {
  it('are the same with the same seed', () => {
    expect(namesOf(take(7, 12))).toEqual(namesOf(take(7, 12)));
  });
  it('are others with another seed', () => {
    expect(namesOf(take(7, 4))).not.toEqual(namesOf(take(8, 4)));
  });
  it('have every scenario once in each round, in another order each time', () => {
    const inRound = turnsInRound(SCENARIOS);
    const turns = take(7, 2 * inRound);
    const rounds = [turns.slice(0, inRound), turns.slice(inRound)].map((round) =>
      round.flatMap(({ steps }) => steps.map(({ scenario }) => fullName(scenario))),
    );
    for (const round of rounds) expect([...round].sort()).toEqual(SCENARIOS.map(fullName).sort());
    expect(rounds[0]).not.toEqual(rounds[1]);
  });
  it('keep to a ground', () => {
    for (const { ground, steps } of take(3, 8))
      expect(new Set(steps.map(({ scenario }) => scenario.ground))).toEqual(new Set([ground]));
  });
  it('leave out grounds without a scenario', () => {
    const only = chosen(['real/']);
    expect(turnsInRound(only)).toBe(1);
    expect(take(1, 3, only).map(({ ground }) => ground)).toEqual(['real', 'real', 'real']);
  });
});
