import { describe, expect, it } from 'vitest';
import { INT32_MAX, INT64_MAX } from '../privval/canonical.js';
import { compareHrs, floorAtHeight, formatHrs, neverSigned } from './watermark.js';

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
    expect(formatHrs(neverSigned())).toBe('0/0/0');
    expect(formatHrs(floorAtHeight(9n))).toBe(`9/${INT32_MAX}/3`);
  });

  it.each([-1n, INT64_MAX + 1n])('refuses a floor at %d', (height) => {
    expect(() => floorAtHeight(height)).toThrowError(`height ${height} is not between`);
  });
});
