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
    else if (step === 'good') standing.noteGoodShare();
    else if (step[0] === 'wait') nowMs += step[1];
    else for (let n = 0; n < step[1]; n++) standing.noteGoodShare();
  }
  expect(heard).toEqual(leftOutForMs);
  expect(standing.reason(nowMs)).toBe(now);
});
