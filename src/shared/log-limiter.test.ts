import { expect, it } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.js';
import { LogLimiter, type LogLimits } from './log-limiter.js';

/** `a`: a line of that kind; `+a`: one that is not counted when it is left out; a number: milliseconds pass. */
type Step = string | number;

it.each<[name: string, againMs: number, limits: LogLimits, steps: readonly Step[], told: readonly string[]]>([
  [
    'a kind is told once per interval, with the number of those left out',
    1_000,
    {},
    ['a', 'a', 'b', 'a', 1_000, 'a', 'b', 999, 'a', 1, 'a'],
    ['a', 'b', 'a 2', 'b', 'a 1'],
  ],
  ['what is told once is not told again, nor counted', Infinity, {}, ['a', 'a', 1e9, 'a', 'b'], ['a', 'b']],
  [
    'with one kind remembered every change is told, with the number left out since the last line',
    1_000,
    { remembered: 1 },
    ['a', 'a', 'a', 'b', 'a', 'a', 1_000, 'a'],
    ['a', 'b 2', 'a', 'a 1'],
  ],
  [
    'new kinds are told up to their number a minute, and the rest is counted',
    Infinity,
    { newPerMinute: 2 },
    ['a', 'b', 'c', 'd', 'a', 59_999, 'e', 1, 'e', 'f', 'c'],
    ['a', 'b', 'e 3', 'f'],
  ],
  [
    'a kind that is due again takes nothing from the new ones',
    1_000,
    { newPerMinute: 2 },
    ['a', 1_000, 'a', 1_000, 'a', 'b', 'c'],
    ['a', 'a', 'a', 'b'],
  ],
  [
    'the kind that was told least recently is forgotten first, and what it counted is not',
    1_000,
    { remembered: 2 },
    ['a', 'b', 1_000, 'a', 'b', 'b', 'a', 'c', 'b', 'a'],
    ['a', 'b', 'a', 'b', 'c 1', 'a 2'],
  ],
  [
    'a line that is not counted passes as any other, and carries no count',
    1_000,
    { remembered: 1 },
    ['a', 'a', '+b', '+b', 'a', '+b', 'b'],
    ['a', 'b', 'a 1', 'b'],
  ],
])('%s', (_name, againMs, limits, steps, told) => {
  const clock = new ManualClock();
  const limiter = new LogLimiter(clock, againMs, limits);
  const lines: string[] = [];
  for (const step of steps) {
    if (typeof step === 'number') clock.advance(step);
    else if (step.startsWith('+')) {
      if (limiter.passes(step.slice(1))) lines.push(step.slice(1));
    } else
      limiter.write(
        step,
        (event, { repeated }) => lines.push(repeated === undefined ? event : `${event} ${repeated.toString()}`),
        step,
        {},
      );
  }
  expect(lines).toEqual(told);
});
