import { describe, expect, it } from 'vitest';
import { failed, jsonLine, resultsOf, table, type Outcome } from './report.js';
import type { Scenario } from './scenario.js';
import { NO_VOTES, type VoteCounts } from './vote-tally.js';

const scenario: Scenario = {
  ...{
    name: 'kill/it',
    ground: 'asked',
    what: 'kill -9 of it',
    goal: { gapMs: 1_000, lateOrMissed: 1, missed: 1 },
    mayMiss: 1,
    faults: 2,
  },
  run: async () => undefined,
};
const quorumLost: Scenario = {
  ...scenario,
  name: 'kill/all',
  goal: { missed: Infinity },
  mayMiss: Infinity,
  faults: 1,
};
const outcome = (counts: Partial<VoteCounts>, more: Partial<Outcome> = {}): Outcome => ({
  ...{ scenario, doubles: [], counts: { ...NO_VOTES, asked: 100, signed: 100, longestGapMs: 900, ...counts } },
  ...more,
});

describe('a row', () => {
  it.each<[name: string, outcomes: readonly Outcome[], met: boolean | null, problems: readonly string[]]>([
    ['all is well', [outcome({})], true, []],
    ['a vote is missed that the scenario allows', [outcome({ signed: 99, missed: 1 })], true, []],
    ['one is late', [outcome({ late: 1 })], true, []],
    ['one is late and one missed: the goal is missed, and nothing fails', [outcome({ late: 1, missed: 1 })], false, []],
    ['one a fault, twice', [outcome({ missed: 1 }), outcome({ missed: 1 })], true, []],
    ['one more', [outcome({}), outcome({ missed: 2 })], false, ['2 votes missed, 1 allowed']],
    ['too slow: the goal is missed, and nothing fails', [outcome({ longestGapMs: 1_001 })], false, []],
    ['a double', [outcome({}, { doubles: ['x'] })], false, ['double: x']],
    ['signing does not go on', [outcome({}, { failure: 'no 9 in a row' })], false, ['no 9 in a row']],
    ['no quorum', [outcome({ missed: 50 }, { scenario: quorumLost })], null, []],
  ])('%s', (_name, outcomes, met, problems) => {
    const [row, ...more] = resultsOf(outcomes);
    expect(more).toEqual([]);
    expect(row).toMatchObject({ met, problems });
    expect(failed(resultsOf(outcomes))).toBe(problems.length > 0);
  });

  it('sums the runs of its scenario', () => {
    const runs = [
      outcome({ missed: 1, late: 2 }),
      outcome({ asked: 7, signed: 7, longestGapMs: 40 }, { doubles: ['x', 'y'] }),
    ];
    expect(resultsOf(runs)).toMatchObject([
      { name: 'asked/kill/it', faults: 4, asked: 107, signed: 107, late: 2, missed: 1, longestGapMs: 900, doubles: 2 },
    ]);
  });
});

const results = resultsOf([
  outcome({ missed: 2, signed: 98 }),
  outcome({}, { scenario: quorumLost, doubles: ['a and b'] }),
]);

it('the table has a line for each scenario, the sums, and what went wrong', () => {
  const lines = table(results).split('\n');
  expect(lines[0]).toMatch(/^scenario +faults +asked +signed +late +missed +lost +longest gap +doubles +goal +what$/);
  expect(lines[1]).toMatch(
    /^asked\/kill\/it +2 +100 +98 +0 +2 +0 +0\.90 s +0 +<= 1 s, <= 1 late or missed +FAILED +kill -9 of it$/,
  );
  expect(lines[2]).toMatch(/^asked\/kill\/all +1 +100 +100 +0 +0 +0 +0\.90 s +1 +FAILED +kill -9 of it$/);
  expect(lines.slice(3)).toEqual([
    '',
    '3 faults, 200 votes asked, 198 signed, 0 late, 2 missed, 1 doubles; 1 goals missed',
    '',
    'Problems',
    '  asked/kill/it: 2 votes missed, 1 allowed',
    '  asked/kill/all: double: a and b',
  ]);
});

it('the JSON is one line, with what scripts look for first', () => {
  const line = jsonLine(results, { seed: 5, minutes: 0 });
  expect(line).not.toContain('\n');
  const { results: rows, seed } = JSON.parse(line) as { results: Record<string, unknown>[]; seed: number };
  expect(seed).toBe(5);
  expect(Object.keys(rows[0] ?? {}).slice(0, 7)).toEqual([
    ...['name', 'asked', 'signed', 'late', 'missed', 'longestGapMs', 'doubles'],
  ]);
  expect(rows[0]).toMatchObject({
    name: 'asked/kill/it',
    asked: 100,
    signed: 98,
    missed: 2,
    longestGapMs: 900,
    doubles: 0,
  });
});
