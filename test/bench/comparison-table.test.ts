import { describe, expect, it } from 'vitest';
import { differences, loadLine, pairedTable, savedTable } from './comparison-table.js';
import type { SavedRow, SavedRun } from './saved-run.js';

const machine: SavedRun['machine'] = {
  ...{ node: 'v20.20.2', cores: 2, cpu: 'a cpu', memoryGb: 8, platform: 'linux x64', load: 0.5 },
  disk: '/tmp/one (file system type 0xef53)',
};
const vote: SavedRow = { name: 'vote', unit: 'ms', n: 1000, p50: 2.9, p99: 9 };
const rate: SavedRow = { name: 'rate', unit: 'votes/s', n: 3, p50: 1234.4, p99: 1300 };

function run(results: readonly SavedRow[], other: Partial<SavedRun['machine']> = {}): SavedRun {
  return { machine: { ...machine, ...other }, results: [...results] };
}

describe('pairedTable', () => {
  it('shows median, range and count of slower pairs', () => {
    const text = pairedTable({
      rows: [
        {
          ...{ name: 'vote/2of3', unit: 'ms', oldP50: 2.9, newP50: 2.935 },
          p50: { median: 1.012, min: 0.97, max: 1.05, worse: 3, pairs: 5 },
          p99: { median: 2, min: 1, max: 11.5, worse: 4, pairs: 5 },
        },
        {
          ...{ name: 'rate', unit: 'votes/s', oldP50: 1234.4, newP50: 300 },
          p50: { median: 4.115, min: 4.115, max: 4.115, worse: 1, pairs: 1 },
          p99: undefined,
        },
      ],
      onlyOld: ['gone'],
      onlyNew: ['added', 'added/too'],
      without: [{ name: 'rss/growth', why: 'no ratio' }],
    });
    expect(text.split('\n').slice(3)).toEqual([
      'row        unit     old p50  new p50  slower by      (min … max)  slower in  p99 slower by       (min … max)  slower in',
      'vote/2of3  ms         2.900    2.935      1.012  (0.970 … 1.050)     3 of 5          2.000  (1.000 … 11.500)     4 of 5',
      'rate       votes/s     1234    300.0      4.115  (4.115 … 4.115)     1 of 1',
      ...['', 'Only in the old tree', '  gone'],
      ...['', 'Only in the new tree', '  added', '  added/too'],
      ...['', 'Not compared', '  rss/growth: no ratio'],
    ]);
  });

  it('says that above 1 is worse', () => {
    expect(pairedTable({ rows: [], onlyOld: [], onlyNew: [], without: [] })).toContain('above 1 is always worse');
  });

  it('says that there is nothing to compare', () => {
    expect(pairedTable({ rows: [], onlyOld: [], onlyNew: ['a'], without: [] })).toContain('No row to compare.');
  });
});

describe('loadLine', () => {
  it.each([
    ['a quiet machine', 2, [0.5, 1.9, 1.2], /^load average before a run: 0.5 … 1.9$/],
    ['a busy one', 2, [0.5, 2.1], /^load average before a run: 0.5 … 2.1\nWARNING: 2 cores are too few/],
    ['with more cores', 4, [2.1], /2.1 … 2.1$/],
  ])('%s', (_, cores, loads, expected) => expect(loadLine(cores, loads)).toMatch(expected));
});

describe('savedTable', () => {
  it('shows both runs side by side', () => {
    const before = run([vote, rate, { ...vote, name: 'gone' }, { ...vote, name: 'share', p50: null }]);
    const after = run([
      { ...vote, p50: 3.48, p99: 4.5 },
      { ...rate, p50: 617.2 },
      { ...vote, name: 'added' },
      { ...vote, name: 'share', unit: 'MB' },
    ]);
    const text = savedTable(before, after);
    expect(text.split('\n').slice(6)).toEqual([
      'row    unit     old p50  new p50  slower by  old p99  new p99  slower by',
      'vote   ms         2.900    3.480      1.200    9.000    4.500      0.500',
      'rate   votes/s     1234    617.2      2.000     1300     1300      1.000',
      'share  ms, MB      none    2.900               9.000    9.000',
      ...['', 'Only in the old run', '  gone'],
      ...['', 'Only in the new run', '  added'],
    ]);
    expect(text).toMatch(/^old: Node v20.20.2, 2 cores \(a cpu\), 8 GB.*\nnew: Node v20.20.2, 2 cores/);
    expect(text).not.toContain('WARNING');
  });

  it('warns above the table', () => {
    const text = savedTable(run([vote]), run([vote], { node: 'v22.1.0' }));
    expect(text).toContain('\nWARNING: another Node version: v20.20.2, then v22.1.0\n');
  });
});

describe('differences', () => {
  const quick = { ...vote, n: 300 };
  it.each([
    ['the same machine', run([vote]), run([vote]), []],
    ['another folder, another load', run([]), run([], { disk: '/tmp/two (file system type 0xef53)', load: 7 }), []],
    ['Node', run([]), run([], { node: 'v22' }), ['another Node version: v20.20.2, then v22']],
    [
      ...(['cores', run([]), run([], { cores: 4 })] as const),
      ['another machine: 2 cores (a cpu), 8 GB, linux x64, then 4 cores (a cpu), 8 GB, linux x64'],
    ],
    [
      ...(['disk', run([]), run([], { disk: '/tmp/x (file system type 0x1021994)' })] as const),
      ['another file system: type 0xef53, then type 0x1021994'],
    ],
    [
      ...(['a quick run', run([vote, rate]), run([quick, rate])] as const),
      ['another number of samples (one with --quick?): vote'],
    ],
  ])('%s', (_, before, after, expected) => expect(differences(before, after)).toEqual(expected));
});
