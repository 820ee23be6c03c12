import { expect, it } from 'vitest';
import { StandStill } from './stand-still.js';

/** Looks every 100 ms from 0 to `untilMs`, but for `away`; the times at which it was found to stand still. */
function found(
  beats: readonly number[],
  untilMs: number,
  away: readonly [from: number, to: number] = [0, 0],
): number[] {
  const still = new StandStill(0);
  const times: number[] = [];
  for (let nowMs = 0; nowMs <= untilMs; nowMs += 100) {
    // Beats of a watcher that was stopped are read when it goes on.
    if (nowMs > away[0] && nowMs < away[1]) continue;
    for (const beatMs of beats) if (beatMs <= nowMs && beatMs > nowMs - 100) still.beat(beatMs);
    if (still.look(nowMs) !== undefined) times.push(nowMs);
  }
  return times;
}

const every200 = (fromMs: number, toMs: number): number[] =>
  Array.from({ length: (toMs - fromMs) / 200 + 1 }, (_, i) => fromMs + 200 * i);

it.each<[name: string, beats: readonly number[], away: readonly [number, number], first: number | undefined]>([
  ['a loop that turns', every200(100, 9_900), [0, 0], undefined],
  ['no beat yet: a start that takes long', [], [0, 0], undefined],
  ['a beat, and no more', [500], [0, 0], 1_500],
  [
    'slow, but it turns',
    [500, 1_400, 2_300, 3_200, 4_100, 5_000, 5_900, 6_800, 7_700, 8_600, 9_500],
    [0, 0],
    undefined,
  ],
  ['stands still after a while', every200(100, 4_100), [0, 0], 5_100],
  ['both were stopped, both go on', [...every200(100, 2_100), ...every200(8_000, 9_800)], [2_150, 8_000], undefined],
  ['both were stopped, one goes on', every200(100, 2_100), [2_150, 8_000], 9_000],
  ['the watcher was late for a moment', every200(100, 1_100), [1_300, 1_600], 2_600],
])('%s', (_name, beats, away, first) => {
  expect(found(beats, 10_000, away)[0]).toBe(first);
});
