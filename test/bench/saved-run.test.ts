import { writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { TestFolder } from '../support/project.js';
import { parseRun, readRun } from './saved-run.js';

const machine = { node: 'v20.20.2', cores: 2, cpu: 'a cpu', memoryGb: 8, platform: 'linux x64', disk: '/tmp', load: 0 };
const row = { name: 'vote', unit: 'ms', n: 300, p50: 2.5, p99: 9 };
const run = { machine, results: [row] };
const more = {
  machine: { ...machine, kernel: '6.1' },
  results: [{ ...row, p90: 3, max: 11, goal: null, met: null }],
};

describe('parseRun', () => {
  it.each([
    ['the whole content', JSON.stringify(run, null, 2)],
    ['the last line', `> hekate bench\n\nfigure unit\n${JSON.stringify(run)}\n`],
    ['the last line that is not empty', `table\n${JSON.stringify(run)}\n\n  \n`],
  ])('%s', (_, text) => expect(parseRun(text)).toEqual(run));

  it('what says more, which is kept', () => expect(parseRun(JSON.stringify(more))).toEqual(more));

  it('a figure that is none', () => {
    const text = JSON.stringify({ machine, results: [{ ...row, p50: NaN }] });
    expect(parseRun(text)).toEqual({ machine, results: [{ ...row, p50: null }] });
  });

  it.each([
    ['nothing', '', 'neither'],
    ['a table', 'figure unit n', 'neither'],
    ['a run that was cut', JSON.stringify(run).slice(0, -5), 'neither'],
    ['another JSON', '{"seeds": 5}', 'no run of the benchmark: machine'],
    ['a number', '7', 'no run of the benchmark'],
    ['a row without a figure', JSON.stringify({ machine, results: [{ ...row, p50: undefined }] }), 'results.0.p50'],
  ])('%s', (_, text, problem) => expect(parseRun(text)).toContain(problem));
});

describe('readRun', () => {
  const folder = new TestFolder('saved-run');
  afterAll(() => folder.remove());
  const written = (name: string, text: string): string => {
    writeFileSync(folder.file(name), text);
    return folder.file(name);
  };

  it('a file', () => expect(readRun(written('run.json', JSON.stringify(run)))).toEqual(run));

  it.each([
    ['no file', () => folder.file('nothing'), 'ENOENT'],
    ['a folder', () => folder.path, 'it is no file'],
    ['what never ends', () => '/dev/zero', 'it is no file'],
    ['too much', () => written('long.json', ' '.repeat(5 * 1024 * 1024)), 'bytes'],
  ])('%s', (_, path, problem) => expect(readRun(path())).toContain(problem));
});
