import { describe, expect, it } from 'vitest';
import { LATE_MS, sumOf, VoteTally, type VoteCounts } from './vote-tally.js';

describe('VoteTally', () => {
  it.each<[name: string, tell: (tally: VoteTally) => void, nowMs: number, expected: Partial<VoteCounts>]>([
    ['nothing for a second', () => undefined, 1_000, { asked: 0, signed: 0, missed: 0, longestGapMs: 1_000 }],
    [
      'three, signed in time',
      (tally) => {
        for (const [vote, ms] of [
          ['a', 0],
          ['b', 50],
          ['c', 100],
        ] as const) {
          tally.asked(vote, ms);
          tally.wasSigned(vote, ms + 5);
        }
      },
      110,
      { asked: 3, signed: 3, late: 0, missed: 0, longestGapMs: 50 },
    ],
    [
      'one that took a second and more, asked again and again',
      (tally) => {
        for (const ms of [0, 400, 800]) {
          tally.asked('a', ms);
          tally.wasLost();
        }
        tally.wasSigned('a', LATE_MS + 1);
      },
      LATE_MS + 1,
      { asked: 1, signed: 1, late: 1, missed: 0, lost: 3, longestGapMs: LATE_MS + 1 },
    ],
    [
      'one that was refused',
      (tally) => {
        tally.asked('a', 0);
        tally.wasMissed('a');
        tally.asked('b', 50);
        tally.wasSigned('b', 60);
      },
      60,
      { asked: 2, signed: 1, missed: 1 },
    ],
    [
      'refused, asked again by a node that restarted, signed',
      (tally) => {
        tally.asked('a', 0);
        tally.wasMissed('a');
        tally.asked('a', 3_000);
        tally.wasSigned('a', 3_001);
      },
      3_001,
      { asked: 1, signed: 1, missed: 0 },
    ],
    [
      'never answered',
      (tally) => {
        tally.asked('a', 0);
      },
      9_000,
      { asked: 1, signed: 0, missed: 1, longestGapMs: 9_000 },
    ],
    [
      'being answered just now',
      (tally) => {
        tally.asked('a', 0);
        tally.wasSigned('a', 5);
        tally.asked('b', 10);
      },
      15,
      { asked: 1, signed: 1, missed: 0 },
    ],
    [
      'asked for another block where one had its signature: nobody’s vote',
      (tally) => {
        tally.asked('a', 0);
        tally.forget('a');
        tally.asked('b', 0);
        tally.wasSigned('b', 1);
        tally.forget('b');
      },
      1,
      { asked: 1, signed: 1, missed: 0 },
    ],
    [
      'asked by a node that is gone',
      (tally) => {
        tally.asked('a', 0);
        tally.forgetOpen();
      },
      10,
      { asked: 0, missed: 0 },
    ],
    [
      'asked before this count began: it ends the gap, and is nobody’s vote',
      (tally) => {
        tally.wasSigned('before', 300);
        tally.asked('a', 310);
        tally.wasSigned('a', 320);
      },
      330,
      { asked: 1, signed: 1, longestGapMs: 300 },
    ],
    [
      'signed twice, by two nodes',
      (tally) => {
        tally.asked('a', 0);
        tally.wasSigned('a', 10);
        tally.wasSigned('a', 20);
      },
      20,
      { asked: 1, signed: 1 },
    ],
  ])('%s', (_name, tell, nowMs, expected) => {
    const tally = new VoteTally(0);
    tell(tally);
    expect(tally.counts(nowMs)).toMatchObject(expected);
  });
});

it('sums are sums, but for the longest gap', () => {
  const one = { asked: 1, signed: 2, late: 3, missed: 4, lost: 5, longestGapMs: 60 };
  const two = { asked: 10, signed: 20, late: 30, missed: 40, lost: 50, longestGapMs: 6 };
  expect(sumOf(one, two)).toEqual({ asked: 11, signed: 22, late: 33, missed: 44, lost: 55, longestGapMs: 60 });
});
