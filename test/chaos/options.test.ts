import { describe, expect, it } from 'vitest';
import { parseOptions } from './options.js';

const run = {
  ...{ kind: 'run', minutes: undefined, only: undefined, short: false, seed: undefined, json: false, heights: 300 },
};

describe('parseOptions', () => {
  it.each([
    ['', run],
    ['--minutes 60', { ...run, minutes: 60 }],
    ['--only asked/kill --only real/', { ...run, only: ['asked/kill', 'real/'] }],
    ['--seed 0 --json', { ...run, seed: 0, json: true }],
    ['--seed 4294967295 --short', { ...run, seed: 4_294_967_295, short: true }],
    ['--list', { ...run, kind: 'list' }],
    ['--help', { ...run, kind: 'help' }],
    ['-h --list', { ...run, kind: 'help' }],
    ['--evidence', { ...run, kind: 'evidence' }],
    ['--evidence --heights 1000 --seed 1 --json', { ...run, kind: 'evidence', heights: 1_000, seed: 1, json: true }],
  ])('%s', (line, expected) => expect(parseOptions(words(line))).toEqual(expected));

  it.each([
    ['--fast', '--fast'],
    ['asked/kill', "'asked/kill' belongs to no option"],
    ['--minutes', '--minutes'],
    ['--minutes 0', "from 1 to 1440, not '0'"],
    ['--minutes 1.5', "not '1.5'"],
    ['--minutes 1441', "not '1441'"],
    ['--minutes=-3', "not '-3'"],
    ['--seed many', "from 0 to 4294967295, not 'many'"],
    ['--seed 4294967296', "not '4294967296'"],
    ['--only=', 'the beginning of a name'],
    ['--heights 300', '--heights goes with --evidence only'],
    ['--evidence --heights 9', "from 10 to 100000, not '9'"],
    ['--evidence --minutes 5', '--evidence goes without'],
    ['--evidence --only four/', '--evidence goes without'],
  ])('%s is refused', (line, problem) => {
    expect(parseOptions(words(line))).toEqual({ kind: 'wrong', problem: expect.stringContaining(problem) as string });
  });
});

function words(line: string): readonly string[] {
  return line.split(' ').filter((word) => word !== '');
}
