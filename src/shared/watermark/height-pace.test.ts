import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { SignBytes } from '../privval/sign-bytes.js';
import { fullPace, takeHeights } from './height-pace.js';
import { floorAtHeight, neverSigned, type HeightPace, type Watermark } from './watermark.js';

const NOW = 1_700_000_000;
const DAY = 86_400;

function says(height: number, atSecond = NOW) {
  const timestamp = { seconds: BigInt(atSecond), nanos: 0 };
  return { chainId: 'test-1', height: BigInt(height), round: 0, step: 2, blockId: undefined, timestamp } as const;
}
const at = (height: number, pace?: HeightPace): Watermark => ({
  ...says(height),
  signBytes: SignBytes.encode(says(height)),
  fresh: false,
  pace,
});

type Rises = readonly (readonly [heights: number, afterSeconds: number])[];

/** y and n for each rise that is asked for, one after the other. */
function ask(perSecond: number, pace: HeightPace | undefined, rises: Rises): string {
  let [now, stored, answers] = [NOW, at(100, pace), ''];
  for (const [heights, afterSeconds] of rises) {
    now += afterSeconds;
    const height = Number(stored.height) + heights;
    const result = takeHeights(perSecond, stored, says(height), now);
    if (result.kind === 'taken') stored = at(height, result.pace);
    answers += result.kind === 'taken' ? 'y' : 'n';
  }
  return answers;
}
const times = (count: number, rise: Rises[number]): Rises => Array<Rises[number]>(count).fill(rise);

describe('takeHeights', () => {
  const empty = { left: 0, atSecond: NOW };
  it.each<[name: string, pace: HeightPace | undefined, rises: Rises, expected: string]>([
    ['as the chain makes them', fullPace(NOW), times(5_000, [1, 1]), 'y'.repeat(5_000)],
    ['from empty, as the chain makes them', empty, times(5_000, [1, 1]), 'y'.repeat(5_000)],
    ['a thousand at once', fullPace(NOW), [[1_000, 0]], 'y'],
    ['more at once', fullPace(NOW), [[1_001, 0]], 'n'],
    ['a thousand in steps, and no more', fullPace(NOW), times(11, [100, 0]), 'yyyyyyyyyyn'],
    [
      'then the rate',
      { left: 0, atSecond: NOW },
      [
        [3, 0],
        [2, 1],
        [1, 0],
        [2, 1],
      ],
      'nyny',
    ],
    ['an outage of two days is jumped over', empty, [[2 * DAY, 2 * DAY]], 'y'],
    ['not by more than there was time for', empty, [[2 * DAY * 2 + 1, 2 * DAY]], 'n'],
    [
      'and leaves a thousand',
      empty,
      [
        [1, 2 * DAY],
        [1_000, 0],
        [1, 0],
      ],
      'yyn',
    ],
    [
      'asked in vain costs nothing',
      fullPace(NOW),
      [
        [5_000, 0],
        [1_000, 0],
      ],
      'ny',
    ],
    ['rounds and steps of one height cost nothing', empty, times(3, [0, 0]), 'yyy'],
    [
      'a clock that goes back gives nothing',
      empty,
      [
        [1, -DAY],
        [1, 1],
      ],
      'nn',
    ],
    [
      'and is what counts after a rise',
      fullPace(NOW),
      [
        [1_000, -DAY],
        [2, 1],
      ],
      'yy',
    ],
    ['the last signature is known, of a state of another signer', undefined, [[1_000 + 2 * DAY, DAY]], 'y'],
  ])('%s', (_name, pace, rises, expected) => {
    expect(ask(2, pace, rises)).toBe(expected);
  });

  it('0 is no limit', () => {
    expect(ask(0, { left: 0, atSecond: NOW }, [[90_000, 0]])).toBe('y');
  });

  it('lets any first height of a key that never signed through, and of no other', () => {
    expect(takeHeights(2, neverSigned(), says(30_000_000), NOW)).toEqual({ kind: 'taken', pace: fullPace(NOW) });
    expect(takeHeights(2, floorAtHeight(5n), says(1_006), NOW)).toMatchObject({ code: 'HEIGHT_PACE' });
  });

  it('says what was asked, where it stands and what the limit is', () => {
    expect(takeHeights(2, at(5, { left: 10_500, atSecond: NOW }), says(50), NOW)).toMatchObject({
      code: 'HEIGHT_PACE',
      message:
        'height 50, round 0, prevote is 45 heights up, and 2 per second leave 10 now; the watermark is height 5, round 0, prevote',
    });
  });

  it('never lets more through than a thousand and the pace allow together', () => {
    const rises = fc.array(fc.tuple(fc.nat(600), fc.nat(300)), { maxLength: 80 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), rises, (perSecond, run) => {
        let [now, stored] = [NOW, at(1, fullPace(NOW))];
        for (const [heights, afterSeconds] of run) {
          now += afterSeconds;
          const height = Number(stored.height) + heights;
          const result = takeHeights(perSecond, stored, says(height), now);
          if (result.kind === 'taken') stored = at(height, result.pace);
          expect(Number(stored.height)).toBeLessThanOrEqual(1_001 + perSecond * (now - NOW));
        }
      }),
    );
  });
});
