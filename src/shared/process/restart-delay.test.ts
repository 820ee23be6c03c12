import { expect, it } from 'vitest';
import { RestartDelay } from './restart-delay.js';

it.each<[name: string, ranMs: readonly number[], delaysMs: readonly number[]]>([
  ['the first time', [5_000], [0]],
  ['again and again', Array<number>(8).fill(1_500), [0, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]],
  ['after a minute without it', [1_500, 1_500, 60_000, 59_999], [0, 1_000, 0, 1_000]],
])('%s', (_name, ranMs, delaysMs) => {
  const delay = new RestartDelay();
  expect(ranMs.map((ms) => delay.next(ms))).toEqual(delaysMs);
});
