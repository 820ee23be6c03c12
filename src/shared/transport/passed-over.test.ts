import { expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.js';
import { silentLog, type LogFields } from '../ports/log.js';
import { PassedOver } from './passed-over.js';

it('a flood is counted for each peer, and costs a line in ten minutes', () => {
  const clock = new ManualClock();
  const lines: LogFields[] = [];
  const log = { ...silentLog, info: (_event: string, fields: LogFields = {}) => void lines.push(fields) };
  const passedOver = new PassedOver(clock, log);
  for (let times = 0; times < 10_000; times++) {
    passedOver.note('cosigner-1', 1);
    if (times % 2 === 0) passedOver.note('cosigner-2', 3);
  }
  expect(['cosigner-1', 'cosigner-2', 'cosigner-3'].map((name) => passedOver.count(name))).toEqual([10_000, 15_000, 0]);
  expect(lines).toEqual([
    { peer: 'cosigner-1', count: 1 },
    { peer: 'cosigner-2', count: 3 },
  ]);
  clock.advance(600_000);
  passedOver.note('cosigner-1', 1);
  expect(lines.slice(2)).toEqual([{ peer: 'cosigner-1', count: 10_001, repeated: 9_999 }]);
});
