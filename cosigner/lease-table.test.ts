import { describe, expect, it } from 'vitest';
import type { LeaseRequest } from '../src/shared/coordination/messages.js';
import { LeaseTable } from './lease-table.js';

const CAP_MS = 1_000;
/** Later than the hold-down of a table started at 0. */
const T0 = 2_000;
const LAST = 2 ** 53 - 1;
const STREAM = {};

type Step = readonly [link: string, term: number, renewal: boolean, atMs: number, granted: boolean, why: string];

const stories: Record<string, readonly Step[]> = {
  'one leader, renewing': [
    ['a', 1, false, T0, true, 'free'],
    ['a', 1, true, T0 + 900, true, 'its own'],
    ['a', 1, true, T0 + 1_800, true, 'its own, prolonged'],
  ],
  'a standby waits for the lease to run out': [
    ['a', 1, false, T0, true, 'free'],
    ['b', 2, false, T0 + 999, false, 'a holds it'],
    ['b', 2, false, T0 + 1_000, true, 'run out'],
    ['a', 1, true, T0 + 1_001, false, 'b holds it'],
    ['a', 3, true, T0 + 1_002, false, 'whatever the term'],
  ],
  'a term belongs to one link': [
    ['a', 1, false, T0, true, 'free'],
    ['b', 1, false, T0 + 1_500, false, 'the term is a’s, although it ran out'],
  ],
  'a holder may raise its own term, by any step, and never lower it': [
    ['a', 1, false, T0, true, 'free'],
    ['a', 7, true, T0 + 10, true, 'its own'],
    ['a', 6, true, T0 + 20, false, 'lower'],
    ['a', LAST, true, T0 + 30, true, 'its own'],
    ['a', LAST - 1, false, T0 + 40, false, 'lower'],
  ],
  'once it has run out any term will do, but the one that another link had': [
    ['a', 5_000_000, false, T0, true, 'free'],
    ['b', 4, true, T0 + 999, false, 'a holds it'],
    ['b', 4, true, T0 + 1_000, true, 'run out'],
    ['c', 3, false, T0 + 1_999, false, 'b holds it'],
    ['c', 4, false, T0 + 2_000, false, 'the term is b’s'],
    ['c', 3, false, T0 + 2_000, true, 'run out'],
    ['b', 4, true, T0 + 2_001, false, 'c holds it'],
    ['c', LAST, true, T0 + 2_002, true, 'its own'],
    ['a', 1, false, T0 + 3_002, true, 'run out: no term comes after the last one'],
  ],
  'just started: prolongs, but grants no candidate': [
    ['b', 6, false, 10, false, 'holding down'],
    ['a', 5, true, 20, true, 'a says it leads'],
    ['b', 6, false, 990, false, 'a holds it'],
  ],
  'just started and nobody leads: grants after the longest lease': [
    ['b', 1, false, 999, false, 'holding down'],
    ['b', 1, false, 1_000, true, 'free'],
  ],
  'just started in an old cluster: takes its term': [['a', 2 ** 50, true, 10, true, 'a says it leads']],
};

describe('lease table', () => {
  for (const [name, steps] of Object.entries(stories)) {
    it(name, () => {
      const table = new LeaseTable(0, CAP_MS);
      for (const [link, term, renewal, atMs, granted, why] of steps) {
        expect(table.request(link, { term, leaseMs: CAP_MS, renewal }, atMs).granted, why).toBe(granted);
      }
    });
  }

  it('grants no lease longer than its cap', () => {
    expect(new LeaseTable(0, CAP_MS).request('a', { term: 1, leaseMs: CAP_MS + 1, renewal: false }, T0).granted).toBe(
      false,
    );
  });

  it('a release frees it at once, for the holder and its term only', () => {
    const table = new LeaseTable(0, CAP_MS);
    table.request('a', { term: 4, leaseMs: CAP_MS, renewal: false }, T0);
    table.release('b', 4, T0 + 1);
    table.release('a', 3, T0 + 1);
    expect(table.describe(T0 + 1)).toEqual({ term: 4, holder: 'a', remainingMs: 999 });
    table.release('a', 4, T0 + 1);
    expect(table.describe(T0 + 1)).toEqual({ term: 4, holder: '', remainingMs: 0 });
  });

  it.each([
    ['a', 4, 0, true, 'the holder'],
    ['a', 3, 0, false, 'the holder, in a lower term'],
    ['a', 9, 0, true, 'the holder, which had to raise its term elsewhere'],
    ['b', 4, 0, false, 'the term is another’s'],
    ['b', 3, 600, false, 'lower term'],
    ['b', 5, 0, false, 'a holds a lease, and is heard'],
    ['b', 5, 500, false, 'two heartbeats of a may be lost'],
    ['b', 5, 501, true, 'a newer leader that this cosigner has not met yet: a is not heard'],
    ['b', 2 ** 40, 400, false, 'no term is high enough'],
    ['b', 5, 1_000, true, 'the lease of a ran out'],
    ['b', 4, 1_000, false, 'the term stays another’s'],
  ])('sign request of %s at term %i, %i ms after a was heard: %s (%s)', (link, term, afterMs, admitted) => {
    const table = new LeaseTable(0, CAP_MS);
    table.request('a', { term: 4, leaseMs: CAP_MS, renewal: false }, T0);
    table.hear('a', T0);
    table.hear('b', T0 + afterMs);
    expect(table.admits(link, term, T0 + afterMs)).toBe(admitted);
  });

  it('a shorter lease has shorter heartbeats', () => {
    const table = new LeaseTable(0, CAP_MS);
    table.request('a', { term: 4, leaseMs: 400, renewal: false }, T0);
    table.hear('a', T0);
    expect([200, 201].map((afterMs) => table.admits('b', 5, T0 + afterMs))).toEqual([false, true]);
  });

  it('a holder that gave its lease back keeps nobody away', () => {
    const table = new LeaseTable(0, CAP_MS);
    table.request('a', { term: 4, leaseMs: CAP_MS, renewal: false }, T0);
    table.hear('a', T0);
    table.release('a', 4, T0);
    expect(table.admits('b', 5, T0)).toBe(true);
    expect(table.request('b', renewal(3), T0).granted).toBe(true);
  });

  it.each<[name: string, stream: object, atMs: number, ended: boolean, holder: string]>([
    ['the one that it came on', STREAM, 900, true, ''],
    ['another one', {}, 900, false, 'a'],
    ['the one that it came on, when it has run out', STREAM, 1_000, false, ''],
  ])('a promise and a stream that is closed, %s', (_name, stream, atMs, ended, holder) => {
    const table = new LeaseTable(0, CAP_MS);
    table.request('a', renewal(4), T0, STREAM);
    expect(table.closed(stream, T0 + atMs)).toBe(ended);
    expect(table.describe(T0 + atMs).holder).toBe(holder);
  });

  it('a promise goes on with the stream that it was given again on', () => {
    const table = new LeaseTable(0, CAP_MS);
    table.request('a', renewal(4), T0, STREAM);
    table.request('a', renewal(4), T0 + 10, {});
    expect(table.closed(STREAM, T0 + 20)).toBe(false);
  });

  const ready = (table: LeaseTable, link: string, isReady: boolean): void => {
    table.hear(link, T0);
    table.noteReady(link, isReady);
  };

  it.each<[to: string, asks: string, atMs: number, granted: boolean, why: string]>([
    ['b', 'b', 0, true, 'it was handed over to b'],
    ['b', 'c', 0, false, 'kept for b'],
    ['b', 'a', 0, false, 'who gave it away does not take it back'],
    ['b', 'c', 499, false, 'kept for b'],
    ['b', 'c', 500, true, 'b has not come'],
    ['b', 'a', 500, true, 'b has not come'],
    ['c', 'b', 0, true, 'c is not ready: kept for nobody'],
    ['x', 'b', 0, true, 'x is not here: kept for nobody'],
    ['a', 'b', 0, true, 'a gave it back, whatever else it says'],
    ['', 'c', 0, true, 'given back, to nobody'],
  ])('handed over to "%s", %s asks %i ms later: %s (%s)', (to, asks, atMs, granted) => {
    const table = new LeaseTable(0, CAP_MS);
    ready(table, 'a', true);
    ready(table, 'b', true);
    ready(table, 'c', false);
    table.request('a', renewal(4), T0);
    expect(table.release('a', 4, T0, to)).toBe(true);
    expect(table.request(asks, { term: 5, leaseMs: CAP_MS, renewal: false }, T0 + atMs).granted).toBe(granted);
  });

  it.each<[to: string, turns: readonly number[]]>([
    ['', [2, 0, 1, 3]],
    ['d', [2, 1, 0, 3]],
    ['e', [3, 1, 2, 0]],
  ])('the turns of b, c, d and e, when a hands over to "%s": %j', (to, turns) => {
    const table = new LeaseTable(0, CAP_MS);
    for (const [link, isReady] of [
      ['a', true],
      ['b', false],
      ['c', true],
      ['d', true],
      ['e', to === 'e'],
    ] as const)
      ready(table, link, isReady);
    table.request('a', renewal(4), T0);
    table.release('a', 4, T0, to);
    const links = ['e', 'd', 'c', 'b'];
    expect(['b', 'c', 'd', 'e'].map((link) => table.turn(link, links, T0))).toEqual(turns);
  });

  it('names the holder those that are ready, while they are heard', () => {
    const table = new LeaseTable(0, CAP_MS);
    for (const [link, isReady] of [
      ['a', true],
      ['b', true],
      ['c', false],
    ] as const)
      ready(table, link, isReady);
    table.request('a', renewal(4), T0);
    const named = (link: string, atMs: number) => table.others(link, T0 + atMs).standbys;
    expect([named('a', 999), named('b', 999)]).toEqual([['b'], undefined]);
    table.request('a', renewal(4), T0 + 999);
    expect(named('a', 1_000)).toBeUndefined();
  });

  it.each([
    ['a', LAST, 500, false, 'b holds the lease, and is heard'],
    ['a', LAST, 501, true, 'b is not heard any more'],
    ['a', 2, 501, false, 'lower term'],
    ['b', 3, 501, true, 'the holder'],
  ])(
    'after a term that went down, sign request of %s at term %i, %i ms after b was heard: %s (%s)',
    (link, term, afterMs, admitted) => {
      const table = new LeaseTable(0, CAP_MS);
      table.request('a', renewal(LAST), T0);
      table.release('a', LAST, T0);
      table.request('b', renewal(3), T0);
      table.hear('b', T0);
      expect(table.admits(link, term, T0 + afterMs)).toBe(admitted);
    },
  );

  it.each<[name: string, happens: (table: LeaseTable) => void, renewedTerm: number, otherLink: boolean]>([
    ['nobody else', (table) => table.hear('a', T0), 0, false],
    ['another that is heard', (table) => table.hear('b', T0), 0, true],
    ['another that was heard 3 s ago', (table) => table.hear('b', T0 - 3_000), 0, false],
    ['its own renewal', (table) => table.request('a', renewal(7), T0), 0, false],
    ['a renewal that was granted', (table) => table.request('b', renewal(7), T0), 7, false],
    [
      'renewals that were refused, the highest',
      (table) => {
        table.request('a', renewal(3), T0 - 10);
        for (const [link, term] of Object.entries({ b: 7, c: 9, d: 8 })) table.request(link, renewal(term), T0);
      },
      ...([9, false] as const),
    ],
    ['a renewal of a second ago', (table) => table.request('b', renewal(7), T0 - 1_000), 0, false],
    ['a candidate', (table) => table.request('b', { ...renewal(7), renewal: false }, T0), 0, false],
  ])('what a is told of others: %s', (_name, happens, renewedTerm, otherLink) => {
    const table = new LeaseTable(0, CAP_MS);
    happens(table);
    expect(table.others('a', T0)).toEqual({ renewedTerm, otherLink });
  });
});

function renewal(term: number): LeaseRequest {
  return { term, leaseMs: CAP_MS, renewal: true };
}
