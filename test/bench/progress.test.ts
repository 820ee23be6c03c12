import { describe, expect, it } from 'vitest';
import { progressLine } from './progress.js';

describe('progressLine', () => {
  it.each([
    ['pair 1 of 5: old', [41], 10, 'pair 1 of 5: old, 41 s, about 6 min left'],
    ['pair 1 of 5: new', [10, 10.4], 10, 'pair 1 of 5: new, 10 s, about 82 s left'],
    ['pair 5 of 5: old', [10, 20], 3, 'pair 5 of 5: old, 20 s, about 15 s left'],
    ['pair 5 of 5: new', [10, 20, 30], 3, 'pair 5 of 5: new, 30 s, done'],
  ])('%s after %j', (what, seconds, runs, expected) => expect(progressLine(what, seconds, runs)).toBe(expected));
});
