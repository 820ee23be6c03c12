import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/shared/error-codes.js';
import { describeSince, NodeArbiter, type AllowedRequest } from './node-arbiter.js';

/** Height, or height and round. */
type Place = bigint | readonly [height: bigint, round: number];
/** Whether it is served, and then signed; served, and then refused with that code; or served and not answered yet. */
type Said = boolean | ErrorCode | 'pending';
/** At a time in ms, what happens. */
type Event =
  | readonly [atMs: number, what: 'asks', node: string, place: Place, said: Said]
  | readonly [atMs: number, what: 'answered', node: string, code?: ErrorCode]
  | readonly [atMs: number, what: 'gone' | 'back' | 'chosen', node: string]
  | readonly [atMs: number, what: 'reset'];
type Row = readonly [name: string, events: readonly Event[], why: string];

function run(arbiter: NodeArbiter, events: readonly Event[]): void {
  const pending = new Map<string, AllowedRequest>();
  for (const event of events) {
    const [atMs, what, node = ''] = event;
    if (what === 'asks') {
      const [, , , place, said] = event;
      const [height, round] = typeof place === 'bigint' ? [place, 0] : place;
      const request = arbiter.ask(node, { height, round }, atMs);
      expect([atMs, node, request !== undefined]).toEqual([atMs, node, said !== false]);
      if (request === undefined) continue;
      if (said === 'pending') pending.set(node, request);
      else arbiter.answered(request, typeof said === 'boolean' ? undefined : said);
    } else if (what === 'answered')
      arbiter.answered(pending.get(node) ?? expect.fail(`${node} asked nothing`), event[3]);
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
      'when it asks on for one place',
      [
        [0, 'asks', 'a', [5n, 1], true],
        [1_000, 'asks', 'b', 6n, false],
        [4_500, 'asks', 'a', [5n, 1], true],
        [4_600, 'asks', 'a', [5n, 0], 'ROUND_REGRESSION'],
        [5_000, 'asks', 'b', 6n, true],
      ],
      'a stood still',
    ],
    [
      'not while it goes through rounds, and soon not when the chain has just left them',
      [
        [0, 'asks', 'a', 5n, true],
        [20_000, 'asks', 'a', [5n, 1], true],
        [39_900, 'asks', 'a', [5n, 2], true],
        [40_000, 'asks', 'b', 6n, false],
        [42_000, 'asks', 'a', [5n, 3], true],
        [44_900, 'asks', 'b', 6n, false],
        [46_000, 'asks', 'a', 6n, true],
        [52_000, 'asks', 'b', 6n, false],
      ],
      'it asked first',
    ],
    [
      'when it goes through rounds for ever that the chain has left long ago',
      [
        [0, 'asks', 'a', 5n, true],
        [1_000, 'asks', 'b', 6n, false],
        [3_000, 'asks', 'a', [5n, 1], true],
        [5_000, 'asks', 'b', 7n, false],
        [5_900, 'asks', 'a', [5n, 2], true],
        [6_000, 'asks', 'a', [5n, 3], true],
        [9_000, 'asks', 'a', [5n, 4], true],
        [10_800, 'asks', 'b', 9n, false],
        [10_850, 'asks', 'a', [5n, 5], true],
        [10_900, 'asks', 'b', 9n, true],
      ],
      'a stood still',
    ],
    [
      'after an absurd round too, which is nothing new when it comes again',
      [
        [0, 'asks', 'a', [5n, 2_147_483_647], true],
        [1_000, 'asks', 'b', 6n, false],
        [4_000, 'asks', 'a', [5n, 2_147_483_647], true],
        [5_000, 'asks', 'b', 6n, true],
      ],
      'a stood still',
    ],
    [
      'not because another one asks for absurd rounds, which is no higher height',
      [
        [0, 'asks', 'a', 5n, true],
        [1_000, 'asks', 'b', [5n, 2_147_483_647], false],
        [60_000, 'asks', 'b', [5n, 2_147_483_647], false],
      ],
      'it asked first',
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
    [
      'not for what another one asked before it was put back to an older state',
      [
        [0, 'asks', 'a', 5n, true],
        [1_000, 'asks', 'b', 900n, false],
        [2_000, 'asks', 'b', 3n, false],
        [9_000, 'asks', 'b', 4n, false],
        [9_100, 'asks', 'b', 6n, false],
        [11_500, 'asks', 'b', 6n, false],
        [11_600, 'asks', 'b', 7n, true],
      ],
      'a stood still',
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

describe('a height that is refused counts for nothing', () => {
  it.each<Row>([
    ...(['HEIGHT_JUMP', 'HEIGHT_PACE', 'HEIGHT_REGRESSION'] as const).map((code): Row => [
      `${code}: one that asks for such heights stands still`,
      [
        [0, 'asks', 'a', 50n, true],
        [1_000, 'asks', 'b', 51n, false],
        [2_000, 'asks', 'a', code === 'HEIGHT_REGRESSION' ? 8n : 90_000n, code],
        [4_000, 'asks', 'a', code === 'HEIGHT_REGRESSION' ? 9n : 90_001n, code],
        [4_900, 'asks', 'b', 51n, false],
        [5_000, 'asks', 'b', 51n, true],
      ],
      'a stood still',
    ]),
    ...(['QUORUM_LOST', 'DOUBLE_SIGN', 'STEP_REGRESSION', 'BUSY'] as const).map((code): Row => [
      `${code} says nothing about the height`,
      [
        [0, 'asks', 'a', 50n, true],
        [1_000, 'asks', 'b', 51n, false],
        [4_000, 'asks', 'a', 51n, code],
        [8_000, 'asks', 'b', 52n, false],
      ],
      'it asked first',
    ]),
    [
      'what has no answer yet is something new until it has',
      [
        [0, 'asks', 'a', 5n, true],
        [1_000, 'asks', 'b', 6n, false],
        [4_000, 'asks', 'a', 6n, 'pending'],
        [5_000, 'asks', 'b', 7n, false],
        [5_100, 'answered', 'a', 'HEIGHT_JUMP'],
        [5_200, 'asks', 'b', 7n, true],
      ],
      'a stood still',
    ],
    [
      'also when it was answered otherwise before',
      [
        [0, 'asks', 'a', 5n, true],
        [1_000, 'asks', 'a', 90_000n, 'QUORUM_LOST'],
        [2_000, 'asks', 'b', 6n, false],
        [8_000, 'asks', 'b', 6n, false],
        [8_100, 'asks', 'a', 90_000n, 'HEIGHT_JUMP'],
        [8_200, 'asks', 'b', 6n, false],
        [10_700, 'asks', 'b', 6n, true],
      ],
      'a stood still',
    ],
    [
      'nor does one that it has left again, whatever was said of it',
      [
        [0, 'asks', 'a', 5n, true],
        [1_000, 'asks', 'a', 90_000n, 'QUORUM_LOST'],
        [2_000, 'asks', 'a', 6n, true],
        [3_000, 'asks', 'b', 7n, false],
        [6_900, 'asks', 'b', 7n, false],
        [7_000, 'asks', 'b', 8n, true],
      ],
      'a stood still',
    ],
    [
      'from the first request on',
      [
        [0, 'asks', 'a', 90_000n, 'HEIGHT_JUMP'],
        [1_000, 'asks', 'b', 5n, false],
        [5_000, 'asks', 'b', 5n, true],
      ],
      'a stood still',
    ],
    [
      'one that asked for such a height does not come before others a second time',
      [
        [0, 'asks', 'a', 5n, true],
        [0, 'gone', 'a'],
        [3_000, 'asks', 'c', 90_000n, 'HEIGHT_JUMP'],
        [3_100, 'asks', 'b', 6n, false],
        [8_000, 'asks', 'b', 6n, true],
        [8_100, 'asks', 'c', 90_000n, false],
        [12_000, 'asks', 'c', 90_001n, false],
        [13_000, 'asks', 'c', 90_002n, false],
        [13_000, 'gone', 'b'],
        [15_900, 'asks', 'c', 90_002n, false],
        [16_000, 'asks', 'a', 6n, true],
      ],
      'b was lost',
    ],
    [
      'unless something was signed there: then those that refuse it lag behind',
      [
        [0, 'asks', 'a', 60n, true],
        [1_000, 'asks', 'b', 61n, false],
        [2_000, 'asks', 'a', 60n, 'HEIGHT_PACE'],
        [3_000, 'asks', 'a', [60n, 1], true],
        [7_900, 'asks', 'b', 62n, false],
      ],
      'it asked first',
    ],
    [
      'until one of that height is signed',
      [
        [0, 'asks', 'c', 60n, 'HEIGHT_PACE'],
        [1_000, 'asks', 'a', 50n, false],
        [5_000, 'asks', 'a', 51n, true],
        [6_000, 'asks', 'a', 60n, true],
        [8_000, 'asks', 'c', 61n, false],
        [11_000, 'asks', 'c', 62n, true],
      ],
      'a stood still',
    ],
    [
      'nor is what lies behind the chain ahead of a node that has asked for less',
      [
        [0, 'asks', 'a', 50n, true],
        [100, 'gone', 'a'],
        [3_100, 'asks', 'b', 8n, 'HEIGHT_REGRESSION'],
        [4_000, 'asks', 'c', 9n, false],
        [9_000, 'asks', 'c', 10n, false],
      ],
      'a was lost',
    ],
  ])('%s', (_name, events, why) => {
    const arbiter = new NodeArbiter('active');
    run(arbiter, events);
    expect(arbiter.served && describeSince(arbiter.served.since)).toBe(why);
  });

  it('and teaches nothing about the time of a block', () => {
    const arbiter = new NodeArbiter('active');
    run(arbiter, heights('a', 20, 10_000));
    run(arbiter, [
      [200_000, 'asks', 'a', 90_000n, 'HEIGHT_JUMP'],
      [200_001, 'asks', 'a', 80_000n, 'HEIGHT_JUMP'],
      [200_002, 'asks', 'a', 70_000n, 'HEIGHT_JUMP'],
    ]);
    expect(arbiter.stillMs).toBe(20_000);
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
      'and served from the next height on, the other one no more',
      [
        [0, 'asks', 'a', 5n, true],
        [100, 'chosen', 'b'],
        [101, 'asks', 'b', 5n, false],
        [102, 'asks', 'a', 5n, true],
        [103, 'asks', 'a', 6n, false],
        [104, 'asks', 'b', 6n, true],
        [105, 'asks', 'a', 6n, false],
      ],
      'it was chosen with `hekate node use`',
    ],
    [
      'the one before finishes its height, however many rounds that takes',
      [
        [0, 'asks', 'a', 5n, true],
        [100, 'chosen', 'b'],
        [9_000, 'asks', 'a', [5n, 1], true],
        [18_000, 'asks', 'a', [5n, 2], true],
        [18_100, 'asks', 'c', 6n, false],
        [20_700, 'asks', 'c', 6n, false],
        [20_800, 'asks', 'b', 6n, true],
      ],
      'it was chosen with `hekate node use`',
    ],
    [
      'also the height that it asks for at that moment, unless it is refused',
      [
        [0, 'asks', 'a', 5n, true],
        [90, 'asks', 'a', 6n, 'pending'],
        [100, 'chosen', 'b'],
        [101, 'asks', 'b', 6n, false],
        [102, 'answered', 'a', 'QUORUM_LOST'],
        [103, 'asks', 'b', 5n, false],
        [104, 'asks', 'b', 6n, true],
        [105, 'asks', 'a', 5n, false],
      ],
      'it was chosen with `hekate node use`',
    ],
    [
      'at once where nothing was signed for the other one, whatever it asked for',
      [
        [0, 'asks', 'a', 90_000n, 'QUORUM_LOST'],
        [100, 'chosen', 'b'],
        [101, 'asks', 'b', 5n, true],
      ],
      'it was chosen with `hekate node use`',
    ],
    [
      'and at the same height when the one before is lost',
      [
        [0, 'asks', 'a', 5n, true],
        [100, 'chosen', 'b'],
        [200, 'gone', 'a'],
        [3_199, 'asks', 'b', 5n, false],
        [3_200, 'asks', 'b', 5n, true],
        [3_300, 'back', 'a'],
        [3_400, 'asks', 'a', 5n, false],
        [3_500, 'asks', 'b', [5n, 1], true],
      ],
      'it was chosen with `hekate node use`',
    ],
    [
      'not when that one is back in time',
      [
        [0, 'asks', 'a', 5n, true],
        [100, 'chosen', 'b'],
        [200, 'gone', 'a'],
        [3_000, 'back', 'a'],
        [9_000, 'asks', 'b', 5n, false],
        [9_100, 'asks', 'a', 5n, true],
      ],
      'it was chosen with `hekate node use`',
    ],
    [
      'then a third one: the first still finishes its height',
      [
        [0, 'asks', 'a', 5n, true],
        [100, 'chosen', 'b'],
        [200, 'chosen', 'c'],
        [201, 'asks', 'c', 5n, false],
        [202, 'asks', 'b', 6n, false],
        [203, 'asks', 'a', 5n, true],
        [204, 'asks', 'c', 6n, true],
      ],
      'it was chosen with `hekate node use`',
    ],
    [
      'and back again before the next height: nothing is lost',
      [
        [0, 'asks', 'a', 5n, true],
        [100, 'chosen', 'b'],
        [200, 'chosen', 'a'],
        [201, 'asks', 'b', 5n, false],
        [202, 'asks', 'a', 5n, true],
        [203, 'asks', 'a', 6n, true],
        [204, 'asks', 'b', 7n, false],
      ],
      'it was chosen with `hekate node use`',
    ],
    [
      'and asks for an absurd height: that holds nothing at which another one has begun',
      [
        [0, 'asks', 'a', 5n, true],
        [100, 'chosen', 'b'],
        [101, 'asks', 'b', 90_000n, 'pending'],
        [102, 'chosen', 'a'],
        [103, 'asks', 'b', 5n, false],
        [104, 'asks', 'a', 5n, true],
        [105, 'asks', 'a', 6n, false],
        [106, 'answered', 'b', 'HEIGHT_JUMP'],
        [107, 'asks', 'a', 6n, true],
      ],
      'it was chosen with `hekate node use`',
    ],
    [
      'when it is lost, the one before still finishes its height, and no third one',
      [
        [0, 'asks', 'a', 5n, true],
        [100, 'chosen', 'b'],
        [200, 'gone', 'b'],
        [3_300, 'asks', 'c', 5n, false],
        [3_400, 'asks', 'a', 5n, true],
        [3_500, 'asks', 'c', 6n, true],
        [3_600, 'asks', 'a', 5n, false],
      ],
      'b was lost',
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
        [3_200, 'asks', 'a', 6n, true],
      ],
      'b was lost',
    ],
  ])('%s', (_name, events, why) => {
    const arbiter = new NodeArbiter('active');
    run(arbiter, events);
    expect(arbiter.served && describeSince(arbiter.served.since)).toBe(why);
  });

  it('it is told that the other one finishes this height, and nobody else is', () => {
    const arbiter = new NodeArbiter('active');
    run(arbiter, [
      [0, 'asks', 'a', 5n, true],
      [100, 'chosen', 'b'],
    ]);
    const told = (node: string, height: bigint): string | undefined => arbiter.finishing(node, height, 200);
    expect([told('b', 5n), told('b', 6n), told('a', 6n), told('c', 5n)]).toEqual([
      'a',
      undefined,
      undefined,
      undefined,
    ]);
  });
});
