import { describe, expect, it } from 'vitest';
import { INT32_MAX, INT64_MAX } from '../privval/canonical.js';
import { compareHrs, floorAtHeight, describePlace, isWholeHeight, neverSigned } from './watermark.js';

const hrs = (height: bigint, round: number, step: 0 | 1 | 2 | 3): Parameters<typeof compareHrs>[0] => ({
  height,
  round,
  step,
});

describe('watermark', () => {
  it.each<[a: Parameters<typeof compareHrs>[0], b: Parameters<typeof compareHrs>[0], sign: number]>([
    [hrs(5n, 0, 1), hrs(5n, 0, 1), 0],
    [hrs(6n, 0, 1), hrs(5n, 9, 3), 1],
    [hrs(5n, 1, 1), hrs(5n, 0, 3), 1],
    [hrs(5n, 1, 2), hrs(5n, 1, 1), 1],
    [hrs(2n ** 62n, 0, 0), hrs(2n ** 62n + 1n, 0, 0), -1],
  ])('%o against %o', (a, b, sign) => {
    expect(Math.sign(compareHrs(a, b))).toBe(sign);
    expect(Math.sign(compareHrs(b, a)) + 0).toBe(-sign + 0);
  });

  it('starts below everything, or above everything of a height', () => {
    expect(neverSigned()).toMatchObject(hrs(0n, 0, 0));
    expect(floorAtHeight(9n)).toMatchObject(hrs(9n, INT32_MAX, 3));
    expect([neverSigned(), floorAtHeight(9n), hrs(9n, INT32_MAX, 2)].map(isWholeHeight)).toEqual([false, true, false]);
  });

  it.each<[ReturnType<typeof hrs>, string]>([
    [hrs(0n, 0, 0), 'no height yet'],
    [hrs(9n, 0, 0), 'the start of height 9, round 0'],
    [hrs(9n, 0, 1), 'height 9, round 0, proposal'],
    [hrs(9n, 2, 2), 'height 9, round 2, prevote'],
    [hrs(4069466n, 0, 3), 'height 4069466, round 0, precommit'],
    [hrs(100_000n, INT32_MAX, 3), 'all of height 100000'],
  ])('%o in words', (place, words) => {
    expect(describePlace(place)).toBe(words);
  });

  it.each([-1n, INT64_MAX + 1n])('refuses a floor at %d', (height) => {
    expect(() => floorAtHeight(height)).toThrowError(`height ${height} is not between`);
  });
});
