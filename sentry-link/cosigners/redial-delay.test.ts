import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.js';
import { Prng } from '../../test/sim/prng.js';
import type { ErrorCode } from '../../src/shared/error-codes.js';
import { RedialDelay } from './redial-delay.js';

const always = (byte: number) => (length: number) => new Uint8Array(length).fill(byte);
type End = readonly [code: ErrorCode, openMs?: number];
const times = (count: number, end: End): readonly End[] => Array<End>(count).fill(end);

describe('the wait before a cosigner is dialled again', () => {
  it.each<[name: string, ends: readonly End[], leastMs: number]>([
    ['its process is not there', [['PEER_REFUSED']], 100],
    ['and still is not: it is wanted the moment that it is', times(50, ['PEER_REFUSED']), 100],
    ['a host that does not answer', times(50, ['PEER_TIMEOUT']), 100],
    ['a stream is lost', [['PEER_CLOSED', 60_000]], 10],
    ['something answers, and no stream comes of it', [['PEER_CLOSED']], 100],
    ['lost again at once', times(2, ['PEER_CLOSED', 50]), 200],
    ['lost at once ever again', times(50, ['PEER_DROPPED', 50]), 400],
    ['it is another one than is pinned', [['TLS_WRONG_PEER']], 100],
    ['and stays so', times(50, ['TLS_WRONG_PEER']), 2_000],
    ['refused for its certificate ever again', times(50, ['TLS_REFUSED']), 2_000],
    ['its pin was mended, and it is lost', [...times(9, ['TLS_REFUSED']), ['PEER_CLOSED', 60_000]], 10],
    ['a name that nobody can be asked for', times(50, ['PEER_DNS_TIMEOUT']), 100],
    ['lost at once, then after ten seconds', [...times(9, ['PEER_CLOSED', 50]), ['PEER_CLOSED', 10_000]], 10],
    ['its release, or ours, is too old', [['PROTOCOL_OLD']], 1_000],
    ['and stays so', times(50, ['PROTOCOL_OLD', 50]), 4_000],
    ['it was upgraded, and is lost', [...times(9, ['PROTOCOL_OLD']), ['PEER_CLOSED', 60_000]], 10],
    ['another process has our identity', [['LINK_REPLACED', 50]], 1_000],
    ['and comes back', times(3, ['LINK_REPLACED', 3_000]), 4_000],
    ['and stays', times(50, ['LINK_REPLACED', 100_000]), 60_000],
    [
      'it is replaced, a restart between',
      [...times(4, ['LINK_REPLACED']), ['PEER_REFUSED'], ['LINK_REPLACED']],
      16_000,
    ],
    ['it was gone for three minutes', [...times(9, ['LINK_REPLACED', 50]), ['LINK_REPLACED', 180_000]], 1_000],
  ])('%s', (_name, ends, leastMs) => {
    for (const [byte, expected] of [
      [0, leastMs],
      [255, 2.5 * leastMs],
    ] as const) {
      const delay = new RedialDelay(always(byte));
      expect(ends.map(([code, openMs = 0]) => delay.next(code, openMs)).at(-1)).toBe(expected);
    }
  });

  it.each([1, 2, 3, 4, 5])('two processes with one identity come to rest, seed %i', (seed) => {
    const clock = new ManualClock();
    const random = new Prng(seed).bytes;
    let replaced = 0;
    let open: { readonly who: number; readonly sinceMs: number } | undefined;
    const delays = [new RedialDelay(random), new RedialDelay(random)];
    const dial = (who: number): void => {
      if (open !== undefined) {
        replaced++;
        const loser = open.who;
        const delayMs = delays[loser]!.next('LINK_REPLACED', clock.nowMs() - open.sinceMs);
        clock.schedule(delayMs, () => dial(loser));
      }
      open = { who, sinceMs: clock.nowMs() };
    };
    dial(0);
    dial(1);
    clock.advance(600_000);
    const inTheFirstTenMinutes = replaced;
    clock.advance(3_600_000);
    expect(inTheFirstTenMinutes).toBeLessThan(24);
    expect(replaced - inTheFirstTenMinutes).toBeLessThan(60);
  });
});
