import { expect, it } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.js';
import { LogLimiter } from './log-limiter.js';

it('one line of a kind per interval, with the number of those left out', () => {
  const clock = new ManualClock();
  const limiter = new LogLimiter(clock, 1_000);
  const lines: unknown[] = [];
  const note = (kind: string): void => limiter.write(kind, (_, fields) => void lines.push(fields), 'refused', { kind });
  for (const kind of ['a', 'a', 'b', 'a']) note(kind);
  clock.advance(1_000);
  note('a');
  note('b');
  clock.advance(999);
  note('a');
  expect(lines).toEqual([{ kind: 'a' }, { kind: 'b' }, { kind: 'a', repeated: 2 }, { kind: 'b' }]);
});
