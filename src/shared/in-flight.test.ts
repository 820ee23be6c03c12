import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.js';
import { InFlight } from './in-flight.js';

describe('waiting for what is under way', () => {
  it.each<[name: string, endsAtMs: number | undefined, fails: boolean, waitsMs: number, none: boolean]>([
    ['nothing is', undefined, false, 0, true],
    ['it ends in time', 400, false, 400, true],
    ['it fails in time', 400, true, 400, true],
    ['it does not end', Infinity, false, 1_500, false],
  ])('%s', async (_name, endsAtMs, fails, waitsMs, none) => {
    const clock = new ManualClock();
    const inFlight = new InFlight();
    if (endsAtMs !== undefined)
      void inFlight
        .during(
          () =>
            new Promise<void>((resolve, reject) => {
              if (endsAtMs !== Infinity)
                clock.schedule(endsAtMs - 1, () => (fails ? reject(new Error('failed')) : resolve()));
            }),
        )
        .catch(() => undefined);
    const from = clock.nowMs();
    let result: readonly [number, boolean] | undefined;
    void inFlight.untilNone(clock, 1_500).then((ended) => (result = [clock.nowMs() - from, ended]));
    for (let ms = 0; ms <= 1_600 && result === undefined; ms++) {
      clock.advance(ms === 0 ? 0 : 1);
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    }
    expect(result).toEqual([waitsMs, none]);
  });
});
