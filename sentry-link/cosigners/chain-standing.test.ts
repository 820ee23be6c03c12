import { expect, it } from 'vitest';
import { ChainStanding } from './chain-standing.js';

const MINUTE = 60_000;
type Step = 'bad' | 'good' | readonly ['good', times: number] | readonly ['wait', ms: number];

it.each<[name: string, steps: readonly Step[], leftOutForMs: readonly (number | undefined)[], now: string | undefined]>(
  [
    ['it did nothing wrong', [], [], undefined],
    ['once', ['bad'], [MINUTE], 'bad 1'],
    ['once, just before its time is over', ['bad', ['wait', MINUTE - 1]], [MINUTE], 'bad 1'],
    ['once, a minute ago', ['bad', ['wait', MINUTE]], [MINUTE], undefined],
    ['again after that', ['bad', ['wait', MINUTE], 'bad'], [MINUTE, 2 * MINUTE], 'bad 2'],
    [
      'ever again: an hour at most',
      Array.from({ length: 10 }, (): Step[] => ['bad', ['wait', 60 * MINUTE]]).flat(),
      [1, 2, 4, 8, 16, 32, 60, 60, 60, 60].map((minutes) => minutes * MINUTE),
      undefined,
    ],
    [
      'again while it is left out',
      ['bad', ['wait', MINUTE - 1], 'bad', ['wait', MINUTE - 1]],
      [MINUTE, undefined],
      'bad 2',
    ],
    ['a good share while it is left out', ['bad', 'good'], [MINUTE], undefined],
    ['too few good shares in between', ['bad', ['good', 99], 'bad'], [MINUTE, 2 * MINUTE], 'bad 2'],
    ['enough good shares in between', ['bad', ['good', 100], 'bad'], [MINUTE, MINUTE], 'bad 2'],
    [
      'good shares do not add up',
      ['bad', ['good', 60], 'bad', ['good', 60], 'bad'],
      [1, 2, 4].map((n) => n * MINUTE),
      'bad 3',
    ],
  ],
)('left out: %s', (_name, steps, leftOutForMs, now) => {
  const standing = new ChainStanding();
  let nowMs = 1;
  const heard: (number | undefined)[] = [];
  for (const step of steps) {
    if (step === 'bad') heard.push(standing.leaveOut(`bad ${heard.length + 1}`, nowMs));
    else if (step === 'good') standing.noteGoodShare(nowMs);
    else if (step[0] === 'wait') nowMs += step[1];
    else for (let n = 0; n < step[1]; n++) standing.noteGoodShare(nowMs);
  }
  expect(heard).toEqual(leftOutForMs);
  expect(standing.reason(nowMs)).toBe(now);
});

const refusingForMs = (standing: ChainStanding, fromMs: number): number => {
  let nowMs = fromMs;
  while (standing.refusing(nowMs)) nowMs += 1_000;
  return nowMs - fromMs;
};

it('one that refuses what the others sign is asked last, longer each time, until it serves when it is not asked last', () => {
  const standing = new ChainStanding();
  let nowMs = 0;
  const refuse = (): number => {
    standing.noteRefused(nowMs);
    const forMs = refusingForMs(standing, nowMs);
    nowMs += forMs;
    return forMs;
  };
  expect([1, 2, 3, 4, 5, 6].map(refuse)).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
  standing.noteRefused(nowMs);
  standing.noteGoodShare(nowMs);
  expect(refusingForMs(standing, nowMs)).toBe(60_000);
  nowMs += 60_000;
  standing.noteGoodShare(nowMs);
  expect(refuse()).toBe(5_000);
});

it('one that does not know its nonces twice without a good share refuses', () => {
  const standing = new ChainStanding();
  const refusing = ['unknown', 'good', 'unknown', 'unknown'].map((what) => {
    if (what === 'good') standing.noteGoodShare(1);
    else standing.noteUnknownNonces(1);
    return standing.refusing(1);
  });
  expect(refusing).toEqual([false, false, false, true]);
});
