import { describe, expect, it } from 'vitest';
import { describeSince, NodeArbiter } from './node-arbiter.js';

/** At a time in ms, what happens; of what asks, its height and whether it is served. */
type Event =
  | readonly [atMs: number, what: 'asks', node: string, height: bigint, served: boolean]
  | readonly [atMs: number, what: 'gone' | 'back' | 'chosen', node: string]
  | readonly [atMs: number, what: 'reset'];
type Row = readonly [name: string, events: readonly Event[], why: string];

function run(arbiter: NodeArbiter, events: readonly Event[]): void {
  for (const event of events) {
    const [atMs, what, node = ''] = event;
    if (what === 'asks') expect([atMs, node, arbiter.mayAsk(node, event[3], atMs)]).toEqual([atMs, node, event[4]]);
    else if (what === 'gone') arbiter.gone(node, atMs);
    else if (what === 'back') arbiter.connected(node);
    else if (what === 'chosen') arbiter.choose(node, atMs);
    else arbiter.reset();
  }
}

/** The served node's heights, a block each `everyMs`. */
const heights = (node: string, count: number, everyMs: number): Event[] =>
  Array.from({ length: count }, (_, at) => [at * everyMs, 'asks', node, BigInt(at + 1), true]);

describe('who is served', () => {
  it.each<Row>([
    [
      'the first to ask, and no other one',
      [
        [0, 'asks', 'a', 5n, true],
        [1, 'asks', 'b', 5n, false],
        [2, 'asks', 'a', 5n, true],
      ],
      'it asked first',
    ],
    [
      'after the lease was lost and won again, whoever asks first',
      [
        [0, 'asks', 'a', 5n, true],
        [1, 'reset'],
        [2, 'asks', 'b', 5n, true],
        [3, 'asks', 'a', 5n, false],
      ],
      'it asked first',
    ],
  ])('%s', (_name, events, why) => {
    const arbiter = new NodeArbiter('active');
    run(arbiter, events);
    expect(arbiter.served && describeSince(arbiter.served.since)).toBe(why);
  });

  it('any: everybody, and none of them by itself', () => {
    const arbiter = new NodeArbiter('any');
    run(arbiter, [
      [0, 'asks', 'a', 5n, true],
      [1, 'asks', 'b', 5n, true],
      [2, 'chosen', 'a'],
      [3, 'asks', 'b', 5n, true],
    ]);
    expect(arbiter.served).toBeUndefined();
  });
});

describe('a node is lost', () => {
  it.each<Row>([
    [
      'when it is gone for 3 s, not before',
      [
        [0, 'asks', 'a', 5n, true],
        [100, 'gone', 'a'],
        [3_099, 'asks', 'b', 5n, false],
        [3_100, 'asks', 'b', 5n, true],
        [3_200, 'back', 'a'],
        [3_300, 'asks', 'a', 6n, false],
      ],
      'a was lost',
    ],
    [
      'not when it is back by then, however often that happens',
      [
        [0, 'asks', 'a', 5n, true],
        [100, 'gone', 'a'],
        [2_900, 'back', 'a'],
        [3_000, 'gone', 'a'],
        [3_200, 'asks', 'b', 5n, false],
        [5_900, 'asks', 'a', 5n, true],
        [9_000, 'asks', 'b', 5n, false],
      ],
      'it asked first',
    ],
    [
      'not by what another one does',
      [
        [0, 'asks', 'a', 5n, true],
        [100, 'gone', 'b'],
        [3_200, 'asks', 'b', 5n, false],
      ],
      'it asked first',
    ],
    [
      'gone twice in a row, since the first time',
      [
        [0, 'asks', 'a', 5n, true],
        [100, 'gone', 'a'],
        [3_000, 'gone', 'a'],
        [3_100, 'asks', 'b', 5n, true],
      ],
      'a was lost',
    ],
    [
      'and of two that ask, the one that lags does not follow',
      [
        [0, 'asks', 'a', 5n, true],
        [100, 'gone', 'a'],
        [1_000, 'asks', 'c', 7n, false],
        [3_200, 'asks', 'b', 3n, false],
        [3_300, 'asks', 'c', 7n, true],
      ],
      'a was lost',
    ],
    [
      'and the one that lags does follow when the other is gone or asks no more',
      [
        [0, 'asks', 'a', 5n, true],
        [100, 'gone', 'a'],
        [1_000, 'asks', 'c', 7n, false],
        [6_000, 'asks', 'b', 3n, true],
      ],
      'a was lost',
    ],
  ])('%s', (_name, events, why) => {
    const arbiter = new NodeArbiter('active');
    run(arbiter, events);
    expect(arbiter.served && describeSince(arbiter.served.since)).toBe(why);
  });

  it('after the time that is configured', () => {
    run(new NodeArbiter('active', { lostMs: 500, stillMs: 5_000 }), [
      [0, 'asks', 'a', 5n, true],
      [0, 'gone', 'a'],
      [499, 'asks', 'b', 5n, false],
      [500, 'asks', 'b', 5n, true],
    ]);
  });
});

describe('a node stands still', () => {
  it.each<Row>([
    [
      'when it only pings for 5 s while another one asks for higher heights',
      [
        [0, 'asks', 'a', 5n, true],
        [1_000, 'asks', 'b', 6n, false],
        [4_900, 'asks', 'b', 9n, false],
        [5_000, 'asks', 'b', 10n, true],
        [5_100, 'asks', 'a', 6n, false],
      ],
      'a stood still',
    ],
    [
      'when it asks on for one height, in ever higher rounds',
      [
        [0, 'asks', 'a', 5n, true],
        [1_000, 'asks', 'b', 6n, false],
        [4_500, 'asks', 'a', 5n, true],
        [5_000, 'asks', 'b', 6n, true],
      ],
      'a stood still',
    ],
    [
      'not while it asks for new heights, though another one is ahead',
      [
        [0, 'asks', 'a', 5n, true],
        [1_000, 'asks', 'b', 8n, false],
        [4_000, 'asks', 'a', 6n, true],
        [6_000, 'asks', 'b', 9n, false],
        [8_000, 'asks', 'a', 7n, true],
        [12_000, 'asks', 'b', 9n, false],
      ],
      'it asked first',
    ],
    [
      'not while the others ask for no more than it did: then the chain stands still',
      [
        [0, 'asks', 'a', 5n, true],
        [60_000, 'asks', 'b', 5n, false],
        [120_000, 'asks', 'c', 4n, false],
      ],
      'it asked first',
    ],
    [
      'not because another one is the first to ask for the next height of a chain that is slow',
      [
        [0, 'asks', 'a', 5n, true],
        [9_900, 'asks', 'b', 6n, false],
        [10_000, 'asks', 'a', 6n, true],
        [19_900, 'asks', 'b', 7n, false],
        [20_000, 'asks', 'a', 7n, true],
      ],
      'it asked first',
    ],
    [
      'from when it was chosen on, for what it asked before is no part of its turn',
      [
        [0, 'asks', 'a', 5n, true],
        [1_000, 'asks', 'b', 5n, false],
        [2_000, 'chosen', 'b'],
        [2_100, 'asks', 'a', 6n, false],
        [6_900, 'asks', 'a', 8n, false],
        [7_000, 'asks', 'a', 8n, true],
      ],
      'b stood still',
    ],
  ])('%s', (_name, events, why) => {
    const arbiter = new NodeArbiter('active');
    run(arbiter, events);
    expect(arbiter.served && describeSince(arbiter.served.since)).toBe(why);
  });

  it('no sooner than it would be lost, while it is gone', () => {
    run(new NodeArbiter('active', { lostMs: 10_000, stillMs: 1_000 }), [
      [0, 'asks', 'a', 5n, true],
      [100, 'gone', 'a'],
      [500, 'asks', 'b', 6n, false],
      [5_000, 'asks', 'b', 7n, false],
      [9_999, 'asks', 'b', 8n, false],
      [10_000, 'asks', 'b', 8n, true],
    ]);
  });

  it('also when it comes back ever again and never asks', () => {
    run(new NodeArbiter('active'), [
      [0, 'asks', 'a', 5n, true],
      [1_000, 'gone', 'a'],
      [2_000, 'asks', 'b', 6n, false],
      [3_000, 'back', 'a'],
      [3_100, 'gone', 'a'],
      [4_900, 'asks', 'b', 7n, false],
      [5_000, 'asks', 'b', 7n, true],
    ]);
  });

  it('after the time that is configured', () => {
    run(new NodeArbiter('active', { lostMs: 3_000, stillMs: 1_000 }), [
      [0, 'asks', 'a', 5n, true],
      [500, 'asks', 'b', 6n, false],
      [999, 'asks', 'b', 6n, false],
      [1_000, 'asks', 'b', 6n, true],
    ]);
  });
});

describe('for how long it may stand still', () => {
  it.each<readonly [name: string, events: readonly Event[], stillMs: number]>([
    ['5 s before anything is known', [[0, 'asks', 'a', 5n, true]], 5_000],
    ['5 s where blocks are quick', heights('a', 50, 1_000), 5_000],
    ['twice the block time where they are not', heights('a', 50, 10_000), 20_000],
    [
      'over heights that it left out',
      [
        [0, 'asks', 'a', 5n, true],
        [40_000, 'asks', 'a', 9n, true],
      ],
      20_000,
    ],
    [
      'a chain that stood still for an hour is not slow',
      [...heights('a', 50, 1_000), [3_600_000, 'asks', 'a', 51n, true], [3_601_000, 'asks', 'a', 52n, true]],
      5_000,
    ],
    [
      'nor is the time between two turns a block time',
      [
        [0, 'asks', 'a', 5n, true],
        [0, 'gone', 'a'],
        [50_000, 'asks', 'b', 6n, true],
        [51_000, 'asks', 'b', 7n, true],
      ],
      5_000,
    ],
  ])('%s', (_name, events, stillMs) => {
    const arbiter = new NodeArbiter('active');
    run(arbiter, events);
    expect(arbiter.stillMs).toBeCloseTo(stillMs, -2);
  });

  it('never more than two minutes, and what was learned outlives the turn', () => {
    const arbiter = new NodeArbiter('active');
    run(arbiter, heights('a', 50, 600_000));
    arbiter.reset();
    expect(arbiter.stillMs).toBeLessThanOrEqual(120_000);
    expect(arbiter.stillMs).toBeGreaterThan(60_000);
  });
});

describe('a node is chosen', () => {
  it.each<Row>([
    [
      'and served at once, the other one no more',
      [
        [0, 'asks', 'a', 5n, true],
        [100, 'chosen', 'b'],
        [101, 'asks', 'a', 5n, false],
        [102, 'asks', 'b', 5n, true],
      ],
      'it was chosen with `hekate node use`',
    ],
    [
      'before any has asked',
      [
        [0, 'chosen', 'b'],
        [1, 'asks', 'a', 5n, false],
        [2, 'asks', 'b', 5n, true],
      ],
      'it was chosen with `hekate node use`',
    ],
    [
      'that is served already: nothing changes',
      [
        [0, 'asks', 'a', 5n, true],
        [100, 'chosen', 'a'],
      ],
      'it asked first',
    ],
    [
      'and can be lost like any other',
      [
        [0, 'asks', 'a', 5n, true],
        [100, 'chosen', 'b'],
        [200, 'gone', 'b'],
        [3_200, 'asks', 'a', 5n, true],
      ],
      'b was lost',
    ],
  ])('%s', (_name, events, why) => {
    const arbiter = new NodeArbiter('active');
    run(arbiter, events);
    expect(arbiter.served && describeSince(arbiter.served.since)).toBe(why);
  });
});
