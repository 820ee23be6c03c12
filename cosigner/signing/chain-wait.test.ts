import { beforeEach, describe, expect, it } from 'vitest';
import type { LogFields } from '../../src/shared/ports/log.js';
import { silentLog } from '../../src/shared/ports/log.js';
import { fullPace } from '../../src/shared/watermark/height-pace.js';
import { floorAtHeight, neverSigned, type Place, type Watermark } from '../../src/shared/watermark/watermark.js';
import { vote } from '../../test/protocol/votes.js';
import { ManualClock } from '../../test/support/manual-clock.js';
import { ChainWait } from './chain-wait.js';
import type { WatermarkPort } from './watermark-port.js';

const NOW = 1_700_000_000;
const at = (height: number, round = 0, step = 3): Place => ({ height: BigInt(height), round, step });
const stored = (height: number): Watermark => {
  const { signBytes } = vote({ at: [height, 0, 3] });
  return { height: BigInt(height), round: 0, step: 3, signBytes, fresh: false, pace: fullPace(NOW) };
};

/** A watermark whose writes are done at once. */
class QuickWatermark implements WatermarkPort {
  current: Watermark = stored(5);
  sequence = 2n;
  halted = undefined;
  waiting = true;
  readonly written: Watermark[] = [];

  async advance(next: Watermark): Promise<void> {
    this.written.push(next);
    this.current = next;
  }

  async endWait(next: Watermark): Promise<void> {
    this.waiting = false;
    return this.advance(next);
  }
}

describe('the wait of a chain', () => {
  let watermark: QuickWatermark;
  let clock: ManualClock;
  let told: LogFields[];
  let drawn: number;

  beforeEach(() => {
    [watermark, clock, told, drawn] = [new QuickWatermark(), new ManualClock(), [], 0];
  });

  function waitOf(threshold: number, others: readonly number[], more: { readonly maxHeightsPerSecond?: number } = {}) {
    const note = (_event: string, fields: LogFields = {}): void => void told.push(fields);
    const wait = new ChainWait(
      {
        ...{ chainId: 'test-1', threshold, others, sitsOut: true },
        ...{ maxHeightJump: 100_000n, maxHeightsPerSecond: 3, ...more },
      },
      {
        ...{ watermark, clock, wallSecond: () => NOW, log: { ...silentLog, warn: note, error: note } },
        publicRandom: (length) => new Uint8Array(length).fill(++drawn),
      },
    );
    const hear = (answerer: number, place: Place, waiting = false): Promise<void> =>
      wait.hear({ answerer, place, waiting, question: wait.ask().question });
    return { wait, hear };
  }

  it.each<[name: string, place: Place, becomes: Partial<Watermark>]>([
    [
      'higher: a floor without sign bytes',
      at(9, 1, 2),
      { height: 9n, round: 1, step: 2, signBytes: undefined, fresh: false },
    ],
    ['the same: the own record keeps its bytes', at(5), stored(5)],
    ['lower', at(4), stored(5)],
  ])('hears a place that is %s', async (_name, place, becomes) => {
    const { wait, hear } = waitOf(2, [2, 3]);
    await hear(2, place);
    expect(watermark.current).toMatchObject(becomes);
    expect(watermark.waiting).toBe(true);
    expect(wait.heard).toEqual([2]);
    expect(wait.describe()).toBe('waiting: heard 1 of 2 others (3 is not within reach)');
    await hear(3, at(1));
    expect(watermark.current).toMatchObject(becomes);
    // The end of a wait is itself a write.
    expect(watermark.written.at(-1)).toMatchObject(becomes);
    expect([watermark.waiting, wait.heard]).toEqual([false, undefined]);
  });

  it.each<[name: string, place: Place, believed: boolean]>([
    ['as far as the bucket goes', at(1_005), true],
    ['further than the bucket goes', at(1_006), false],
    ['2^62', { height: 2n ** 62n, round: 0, step: 3 }, false],
  ])('a cosigner that claims a place %s', async (_name, place, believed) => {
    const { wait, hear } = waitOf(2, [2, 3]);
    await hear(2, place);
    await hear(2, place);
    expect(wait.heard).toEqual(believed ? [2] : []);
    expect(watermark.current.height).toBe(believed ? place.height : 5n);
    expect(told).toMatchObject(
      believed ? [] : [{ code: 'PLACE_NOT_BELIEVED', cosigner: 'cosigner-2', chain: 'test-1' }],
    );
  });

  it('what was heard takes from the bucket: a liar does not get far in steps', async () => {
    const { hear } = waitOf(2, [2, 3]);
    for (let height = 500; height < 5_000; height += 500) await hear(2, at(height));
    expect(watermark.current.height).toBe(1_000n);
  });

  it('a jump is not believed, however full the bucket or with none at all', async () => {
    const { hear } = waitOf(2, [2, 3], { maxHeightsPerSecond: 0 });
    await hear(2, at(100_006));
    expect(watermark.current.height).toBe(5n);
    await hear(2, at(100_005));
    expect(watermark.current.height).toBe(100_005n);
  });

  it.each<[name: string, threshold: number, answers: readonly Place[], becomes: Partial<Watermark>]>([
    ['2 of 3: one is enough', 2, [at(4_000_000)], { height: 4_000_000n, fresh: false, signBytes: undefined }],
    ['3 of 5: one is not', 3, [at(4_000_000)], neverSigned()],
    ['3 of 5: two are', 3, [at(7), at(4_000_000)], { height: 4_000_000n, fresh: false }],
    ['3 of 5: two that never signed either', 3, [at(0, 0, 0), at(0, 0, 0)], neverSigned()],
  ])(
    'a state that never signed believes any place once t-1 others are heard; %s',
    async (_name, threshold, answers, becomes) => {
      watermark.current = neverSigned();
      const { hear } = waitOf(threshold, [2, 3, 4, 5].slice(0, 2 * threshold - 2));
      for (const [i, place] of answers.entries()) await hear(i + 2, place);
      expect(watermark.current).toMatchObject(becomes);
    },
  );

  it('none of them ever signed: the wait ends once enough are heard, and the state stays as it was', async () => {
    watermark.current = neverSigned();
    const { wait, hear } = waitOf(3, [2, 3, 4]);
    for (const id of [2, 3]) await hear(id, at(0, 0, 0), true);
    expect(wait.heard).toEqual([2, 3]);
    await hear(4, at(0, 0, 0), true);
    expect([watermark.waiting, watermark.current]).toEqual([false, neverSigned()]);
  });

  it('an answer to another question is not heard', async () => {
    const { wait } = waitOf(2, [2, 3]);
    for (const question of [new Uint8Array(32), new Uint8Array(31).fill(1)])
      await wait.hear({ answerer: 2, place: at(9), waiting: false, question });
    expect(wait.heard).toEqual([]);
    expect(watermark.written).toEqual([]);
  });

  it('an answer after the end changes nothing', async () => {
    const { wait, hear } = waitOf(2, [2, 3]);
    const { question } = wait.ask();
    for (const id of [2, 3]) await hear(id, at(5));
    const before = watermark.written.length;
    await wait.hear({ answerer: 2, place: at(90), waiting: false, question });
    expect(watermark.written).toHaveLength(before);
  });

  it.each<[name: string, height: bigint, becomes: Partial<Watermark>]>([
    ['above what it has', 8n, floorAtHeight(8n)],
    ['below what it has: never lowered', 3n, stored(5)],
  ])('an operator ends it with a floor %s', async (_name, height, becomes) => {
    const { wait, hear } = waitOf(2, [2, 3]);
    await hear(2, at(5));
    expect(await wait.recover(height)).toMatchObject({ watermark: becomes, unheard: [3] });
    expect(watermark.waiting).toBe(false);
    await expect(wait.recover(height)).rejects.toMatchObject({ code: 'NOT_WAITING' });
  });

  it('a liar among those asked does not raise the floor of an operator', async () => {
    const { wait, hear } = waitOf(2, [2, 3]);
    await hear(2, { height: 2n ** 62n, round: 0, step: 3 });
    expect(await wait.recover(8n)).toMatchObject({ watermark: { height: 8n, step: 3 }, unheard: [2, 3] });
  });

  it('an operator’s floor is never below a place that was heard and not yet believed', async () => {
    watermark.current = neverSigned();
    const { wait, hear } = waitOf(3, [2, 3, 4, 5]);
    await hear(2, at(70));
    expect(await wait.recover(8n)).toMatchObject({ watermark: { height: 70n, step: 3 }, unheard: [3, 4, 5] });
  });
});
