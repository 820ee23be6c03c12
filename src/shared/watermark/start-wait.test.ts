import { describe, expect, it } from 'vitest';
import { describeWait, SIT_OUT_AFTER_MS, StartWait } from './start-wait.js';

let drawn = 0;
const random = (length: number): Uint8Array => new Uint8Array(length).fill(++drawn);
const others = (count: number): number[] => Array.from({ length: count - 1 }, (_, i) => i + 2);
const waitOf = (threshold: number, count: number, sitsOut = true): StartWait =>
  new StartWait({ threshold, others: others(count), sitsOut }, 0, random);

// By docs/invariants.md, W1: proven + max(0, waiting - (t-2)) >= n-t+1.
describe.each<[threshold: number, count: number, over: readonly [proven: number, waiting: number][]]>([
  [
    2,
    2,
    [
      [1, 0],
      [0, 1],
    ],
  ],
  [
    2,
    3,
    [
      [2, 0],
      [1, 1],
      [0, 2],
    ],
  ],
  [
    3,
    4,
    [
      [2, 0],
      [1, 2],
      [0, 3],
    ],
  ],
  [
    3,
    5,
    [
      [3, 0],
      [2, 2],
      [1, 3],
      [0, 4],
    ],
  ],
  [
    4,
    6,
    [
      [3, 0],
      [2, 3],
      [1, 4],
      [0, 5],
    ],
  ],
  [
    5,
    9,
    [
      [5, 0],
      [4, 4],
      [3, 5],
      [2, 6],
      [1, 7],
      [0, 8],
    ],
  ],
])('%d of %d', (threshold, count, over) => {
  it.each(over)(
    'goes on once it has heard %d that do not wait and %d that do, and not with one less',
    (proven, waiting) => {
      const all = others(count);
      for (const missing of [undefined, 'proven', 'waiting'] as const) {
        if ((missing === 'proven' && proven === 0) || (missing === 'waiting' && waiting === 0)) continue;
        const wait = waitOf(threshold, count);
        const heard = all.slice(0, proven + waiting);
        heard.forEach((id, i) => {
          const isWaiting = i >= proven;
          const left = missing === 'proven' ? i === 0 : missing === 'waiting' ? i === proven : false;
          if (!left) wait.hear(id, isWaiting);
        });
        expect([missing, wait.over]).toEqual([missing, missing === undefined]);
      }
    },
  );
});

describe('whom it asks', () => {
  it('all, then those that wait themselves again', () => {
    const wait = waitOf(3, 5);
    expect(wait.ask(0).asked).toEqual([2, 3, 4, 5]);
    wait.hear(2, false);
    wait.hear(3, true);
    expect(wait.ask(0).asked).toEqual([3, 4, 5]);
  });

  it('one that did not wait before counts so, whatever it says later', () => {
    const wait = waitOf(3, 5);
    for (const id of [2, 3, 4]) wait.hear(id, false);
    wait.hear(2, true);
    expect(wait.over).toBe(true);
  });

  it.each<[name: string, sitsOut: boolean, heard: readonly number[], ms: number, again: boolean]>([
    ['after 30 s, one of two heard', true, [2], SIT_OUT_AFTER_MS, true],
    ['a moment before', true, [2], SIT_OUT_AFTER_MS - 1, false],
    ['nobody heard', true, [], SIT_OUT_AFTER_MS, false],
    ['the operator decides', false, [2], SIT_OUT_AFTER_MS, false],
  ])('anew, with other bytes: %s', (_name, sitsOut, heard, ms, again) => {
    const wait = waitOf(2, 3, sitsOut);
    const { question } = wait.ask(0);
    for (const id of heard) wait.hear(id, false);
    const next = wait.ask(ms);
    expect(wait.isCurrent(question)).toBe(!again);
    expect(next.asked).toEqual(again ? [2, 3] : others(3).filter((id) => !heard.includes(id)));
    expect(wait.ask(ms).question).toEqual(next.question);
  });
});

describe('sitting out', () => {
  const heardAgain = (): StartWait => {
    const wait = waitOf(2, 3);
    wait.hear(2, false);
    wait.ask(SIT_OUT_AFTER_MS);
    wait.hear(2, false);
    return wait;
  };

  it.each<[name: string, wait: () => StartWait, goesOn: readonly boolean[]]>([
    ['at once', () => waitOf(2, 3), [false, false, false]],
    [
      'when one was not heard once more',
      () => {
        const wait = waitOf(2, 3);
        wait.hear(2, false);
        wait.ask(SIT_OUT_AFTER_MS);
        return wait;
      },
      [false, false, false],
    ],
    ['heard again: the first height is in doubt, the next one is not', heardAgain, [false, false, true]],
  ])('asked for heights 7, 7, 8 %s', (_name, make, goesOn) => {
    const wait = make();
    expect([7n, 7n, 8n].map((height) => wait.goesOn(height, 6n))).toEqual(goesOn);
  });

  it('asked first for a height that it has reached: that one is in doubt, and the next one is not', () => {
    const wait = heardAgain();
    expect([5n, 7n, 8n].map((height) => wait.goesOn(height, 7n))).toEqual([false, false, true]);
    expect(wait.doubtful).toBe(7n);
  });

  it.each<[name: string, first: bigint, reached: bigint, height: bigint, goesOn: boolean]>([
    ['below the first height asked for', 9n, 0n, 8n, false],
    ['at it', 9n, 0n, 9n, false],
    ['above it', 9n, 0n, 10n, true],
    ['not above what it has heard since', 9n, 12n, 12n, false],
    ['above what it has heard since', 9n, 12n, 13n, true],
  ])('%s', (_name, first, reached, height, goesOn) => {
    const wait = heardAgain();
    expect(wait.goesOn(first, 0n)).toBe(false);
    expect(wait.doubtful).toBe(first);
    expect(wait.goesOn(height, reached)).toBe(goesOn);
    expect(wait.doubtful).toBe(first);
  });
});

it.each<[heard: readonly number[], count: number, text: string]>([
  [[], 3, 'heard 0 of 2 others (2, 3 are not within reach)'],
  [[2], 3, 'heard 1 of 2 others (3 is not within reach)'],
  [[2, 3], 3, 'heard 2 of 2 others'],
])('%j of %d: %s', (heard, count, text) => {
  expect(describeWait(heard, others(count))).toBe(text);
});
