import { describe, expect, it } from 'vitest';
import { parseOptions } from './options.js';

const measure = { kind: 'measure', only: [''], quick: false, json: false, profile: undefined };
const against = { kind: 'against', ref: 'HEAD~3', pairs: 5, interleaved: false, only: [''], quick: false, json: false };

describe('parseOptions', () => {
  it.each([
    ['', measure],
    ['--quick --json', { ...measure, quick: true, json: true }],
    ['--only part/ --only rss --profile out', { ...measure, only: ['part/', 'rss'], profile: 'out' }],
    ['--against HEAD~3', against],
    [
      '--against HEAD~3 --pairs 7 --only vote/ --quick --json',
      {
        ...{ ...against, pairs: 7, only: ['vote/'], quick: true, json: true },
      },
    ],
    ['--against HEAD~3 --interleaved', { ...against, pairs: 100, interleaved: true }],
    ['--against HEAD~3 --interleaved --pairs 1000', { ...against, pairs: 1000, interleaved: true }],
    ['--compare a.json b.json', { kind: 'compare', oldFile: 'a.json', newFile: 'b.json' }],
  ])('%s', (line, expected) => expect(parseOptions(words(line))).toEqual(expected));

  it.each([
    ['--fast', '--fast'],
    ['vote/2of3', "'vote/2of3' belongs to no option"],
    ['--pairs 5', '--pairs goes with --against only'],
    ['--against', '--against'],
    ['--against=', 'wants a branch'],
    ['--against --quick', '--against'],
    ['--against main --pairs 4', "from 5 to 100, not '4'"],
    ['--against main --pairs 101', "not '101'"],
    ['--against main --pairs many', "not 'many'"],
    ['--against main --pairs 5.5', "not '5.5'"],
    ['--against main --interleaved --pairs 1001', "from 5 to 1000, not '1001'"],
    ['--against main --interleaved --quick', '--quick does not belong to it'],
    ['--interleaved', '--interleaved goes with --against only'],
    ['--against main --profile out', 'goes without --profile'],
    ['--compare a.json', 'two files, not 1'],
    ['--compare a b c', 'two files, not 3'],
    ['--compare a b --quick', '--compare goes without --quick'],
  ])('%s is refused', (line, problem) => {
    expect(parseOptions(words(line))).toEqual({ kind: 'wrong', problem: expect.stringContaining(problem) as string });
  });
});

function words(line: string): readonly string[] {
  return line.split(' ').filter((word) => word !== '');
}
