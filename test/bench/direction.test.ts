import { describe, expect, it } from 'vitest';
import { isUnit, slowerBy } from './direction.js';

describe('slowerBy', () => {
  it.each([
    ['a latency that grew', 'ms', 2, 2.5, 1.25],
    ['a latency that shrank', 'ms', 2.5, 2, 0.8],
    ['CPU by vote', 'ms/vote', 1, 1.5, 1.5],
    ['CPU by second is no rate of work', 'ms/s', 10, 20, 2],
    ['memory', 'MB', 80, 60, 0.75],
    ['fewer votes a second', 'votes/s', 500, 400, 1.25],
    ['more blocks a second', 'blocks/s', 4, 5, 0.8],
    ['a smaller share', 'of FilePV', 0.9, 0.6, 1.5],
    ['nothing before', 'ms', 0, 1, undefined],
    ['nothing after', 'votes/s', 300, 0, undefined],
    ['memory that shrank over the run', 'MB', 2, -1, undefined],
    ['no figure', 'ms', null, 1, undefined],
  ] as const)('%s', (_, unit, before, after, expected) => {
    const ratio = slowerBy(unit, before, after);
    if (expected === undefined) expect(ratio).toBeUndefined();
    else expect(ratio).toBeCloseTo(expected, 10);
  });
});

describe('isUnit', () => {
  it.each([
    ['ms', true],
    ['of FilePV', true],
    ['furlongs', false],
    ['toString', false],
  ])('%s: %s', (unit, expected) => expect(isUnit(unit)).toBe(expected));
});
