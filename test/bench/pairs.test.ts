import { describe, expect, it } from 'vitest';
import { comparePairs, orderOfRuns, spreadOf, type Pair } from './pairs.js';
import type { SavedRun } from './saved-run.js';

const machine = { node: 'v20', cores: 2, cpu: 'a cpu', memoryGb: 8, platform: 'linux x64', disk: '/tmp', load: 0 };

/** `row`: name, unit, p50, p99. */
type Row = readonly [string, string, number | null, number];

function run(...rows: readonly Row[]): SavedRun {
  return { machine, results: rows.map(([name, unit, p50, p99]) => ({ name, unit, n: 100, p50, p99 })) };
}

function pair(before: readonly Row[], after: readonly Row[]): Pair {
  return { old: run(...before), new: run(...after) };
}

const all = (): boolean => true;

describe('orderOfRuns', () => {
  it.each([
    [1, ['1 old', '1 new']],
    [2, ['1 old', '1 new', '2 new', '2 old']],
    [5, ['1 old', '1 new', '2 new', '2 old', '3 old', '3 new', '4 new', '4 old', '5 old', '5 new']],
  ])('of %i pairs', (pairs, expected) => {
    expect(orderOfRuns(pairs).map(({ pair: number, side }) => `${number} ${side}`)).toEqual(expected);
  });
});

describe('spreadOf', () => {
  it.each([
    ['one', [1.1], { median: 1.1, min: 1.1, max: 1.1, worse: 1, pairs: 1 }],
    ['an odd count, in any order', [1.05, 0.97, 1.01], { median: 1.01, min: 0.97, max: 1.05, worse: 2, pairs: 3 }],
    ['an even count', [0.5, 2, 4, 8], { median: Math.sqrt(8), min: 0.5, max: 8, worse: 3, pairs: 4 }],
    ['equal is not worse', [1, 1, 1], { median: 1, min: 1, max: 1, worse: 0, pairs: 3 }],
    ['one that was disturbed', [1.01, 1.02, 1.0, 9, 1.01], { median: 1.01, min: 1, max: 9, worse: 4, pairs: 5 }],
    ['none', [], undefined],
  ])('%s', (_, ratios, expected) => expect(spreadOf(ratios)).toEqual(expected));
});

describe('comparePairs', () => {
  it('is of ratios within each pair, not of all runs together', () => {
    // The machine is three times slower in the second pair; the code always by the same tenth.
    const pairs = [1, 3, 2].map((slow) =>
      pair([['vote', 'ms', slow, 4 * slow]], [['vote', 'ms', 1.1 * slow, 8 * slow]]),
    );
    const { rows } = comparePairs(pairs, all);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ name: 'vote', unit: 'ms', oldP50: 2, newP50: 2.2 });
    expect(rows[0]?.p50.min).toBeCloseTo(1.1);
    expect(rows[0]?.p50.max).toBeCloseTo(1.1);
    expect(rows[0]?.p50).toMatchObject({ worse: 3, pairs: 3 });
    expect(rows[0]?.p99).toEqual({ median: 2, min: 2, max: 2, worse: 3, pairs: 3 });
  });

  it('turns a row round where more is better', () => {
    const { rows } = comparePairs([pair([['rate', 'votes/s', 500, 600]], [['rate', 'votes/s', 400, 300]])], all);
    expect(rows[0]).toMatchObject({ p50: { median: 1.25, worse: 1 }, p99: { median: 2 } });
  });

  it.each<[string, readonly Pair[], object]>([
    [
      'a row of one side only',
      [
        pair(
          [
            ['a', 'ms', 1, 1],
            ['gone', 'ms', 1, 1],
          ],
          [
            ['a', 'ms', 1, 1],
            ['added', 'ms', 1, 1],
          ],
        ),
      ],
      { rows: ['a of 1'], onlyOld: ['gone'], onlyNew: ['added'], without: [] },
    ],
    [
      'a row that failed once',
      [
        pair(
          [
            ['a', 'ms', 1, 1],
            ['b', 'ms', 1, 1],
          ],
          [['a', 'ms', 1, 1]],
        ),
        pair(
          [
            ['a', 'ms', 1, 1],
            ['b', 'ms', 1, 1],
          ],
          [
            ['a', 'ms', 1, 1],
            ['b', 'ms', 1, 1],
          ],
        ),
      ],
      { rows: ['a of 2', 'b of 1'], onlyOld: [], onlyNew: [], without: [] },
    ],
    [
      'a row that each side has in another pair',
      [pair([['a', 'ms', 1, 1]], []), pair([], [['a', 'ms', 1, 1]])],
      { rows: [], onlyOld: [], onlyNew: [], without: ['a: never in both runs of a pair'] },
    ],
    [
      'a unit that changed',
      [pair([['a', 'MB', 1, 1]], [['a', 'ms', 1, 1]])],
      { rows: [], onlyOld: [], onlyNew: [], without: ['a: MB in the old tree, ms in the new one'] },
    ],
    [
      'a unit that nobody knows',
      [pair([['a', 'furlongs', 1, 1]], [['a', 'furlongs', 1, 1]])],
      { rows: [], onlyOld: [], onlyNew: [], without: ['a: nobody knows whether more furlongs are better'] },
    ],
    [
      'what is not above zero',
      [pair([['rss/growth', 'MB', -0.5, 1]], [['rss/growth', 'MB', 2, 1]])],
      {
        ...{ rows: [], onlyOld: [], onlyNew: [] },
        without: ['rss/growth: no ratio: p50 is -0.5 in the old tree, 2 in the new one'],
      },
    ],
    ['no pair', [], { rows: [], onlyOld: [], onlyNew: [], without: [] }],
  ])('%s', (_, pairs, expected) => {
    const { rows, onlyOld, onlyNew, without } = comparePairs(pairs, all);
    expect({
      rows: rows.map(({ name, p50 }) => `${name} of ${p50.pairs}`),
      ...{ onlyOld, onlyNew },
      without: without.map(({ name, why }) => `${name}: ${why}`),
    }).toEqual(expected);
  });

  it('leaves out what nobody asked for', () => {
    const rows: readonly Row[] = [
      ['part/disk', 'ms', 1, 1],
      ['vote', 'ms', 1, 1],
    ];
    const compared = comparePairs([pair(rows, rows)], (name) => name.startsWith('part/'));
    expect(compared.rows.map(({ name }) => name)).toEqual(['part/disk']);
    expect(comparePairs([pair(rows, [])], (name) => name === 'vote').onlyOld).toEqual(['vote']);
  });
});
