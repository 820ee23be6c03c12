import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import type { Canonical } from '../privval/canonical.js';
import { heightPaceLimit, startHeightPace, takeHeights } from './height-pace.js';
import { neverSigned, type Watermark } from './watermark.js';

const at = (height: number): Watermark & Canonical => ({
  chainId: 'test-1',
  height: BigInt(height),
  round: 0,
  step: 2,
  blockId: undefined,
  timestamp: { seconds: 0n, nanos: 0 },
  signBytes: undefined,
  fresh: false,
});

describe('takeHeights', () => {
  it.each<[name: string, rises: readonly (readonly [heights: number, afterMs: number])[], expected: string]>([
    [
      'one height at a time, at the pace',
      [
        [1, 0],
        [1, 500],
        [1, 500],
        [1, 500],
      ],
      'yyyy',
    ],
    ['the burst at once', [[10, 0]], 'y'],
    ['more than the burst', [[11, 0]], 'n'],
    [
      'more than the burst, however long it waits',
      [
        [11, 0],
        [11, 1_000_000],
      ],
      'nn',
    ],
    [
      'a burst, then too soon, then in time',
      [
        [10, 0],
        [1, 499],
        [1, 1],
      ],
      'yny',
    ],
    [
      'in steps, too fast',
      [
        [5, 0],
        [5, 0],
        [5, 0],
      ],
      'yyn',
    ],
    [
      'rounds and steps of one height cost nothing',
      [
        [10, 0],
        [0, 0],
        [0, 0],
      ],
      'yyy',
    ],
    [
      'a clock that goes back gives nothing',
      [
        [10, 0],
        [1, -5_000],
      ],
      'yn',
    ],
  ])('%s', (_name, rises, expected) => {
    const limit = heightPaceLimit(2, 10);
    let [pace, now, height, answers] = [startHeightPace(limit, 1_000), 1_000, 100, ''];
    for (const [heights, afterMs] of rises) {
      now += afterMs;
      const result = takeHeights(limit, pace, at(height), at(height + heights), now);
      pace = result.pace;
      if (result.refusal === undefined) height += heights;
      answers += result.refusal === undefined ? 'y' : 'n';
    }
    expect(answers).toBe(expected);
  });

  it('lets the first signature on a fresh watermark through', () => {
    const limit = heightPaceLimit(2, 10);
    const result = takeHeights(limit, startHeightPace(limit, 0), neverSigned(), at(30_000_000), 0);
    expect(result).toEqual({ pace: { tokens: 10, atMs: 0 }, refusal: undefined });
  });

  it('says what was asked, where it stands and what the limit is', () => {
    const limit = heightPaceLimit(2, 10);
    const { refusal } = takeHeights(limit, startHeightPace(limit, 0), at(5), at(50), 0);
    expect(refusal).toMatchObject({
      code: 'HEIGHT_PACE',
      message:
        'height 50, round 0, prevote is 45 heights up, and 2 per second leave 10 now; the watermark is height 5, round 0, prevote',
    });
  });

  it('never lets more through than the burst and the pace allow together', () => {
    const rises = fc.array(fc.tuple(fc.nat(20), fc.nat(3_000)), { maxLength: 80 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 30 }), rises, (perSecond, burst, run) => {
        const limit = heightPaceLimit(perSecond, burst);
        let [pace, now, height] = [startHeightPace(limit, 0), 0, 0];
        for (const [heights, afterMs] of run) {
          now += afterMs;
          const result = takeHeights(limit, pace, at(height), at(height + heights), now);
          pace = result.pace;
          if (result.refusal === undefined) height += heights;
          expect(height).toBeLessThanOrEqual(burst + (perSecond * now) / 1000 + 1e-6);
        }
      }),
    );
  });
});
