import { describe, expect, it } from 'vitest';
import { DEFAULT_NODE_PATIENCE, NodeArbiter, type AllowedRequest } from '../../sentry-link/node/node-arbiter.js';
import type { ErrorCode } from '../../src/shared/error-codes.js';
import { Prng } from './prng.js';
import { ServedJudge, type JudgedAsk } from './served-judge.js';

const HISTORIES = 1_500;
const EVENTS = 300;

/** At a time in ms, what a link did: whom it served, with which outcome, and whom not. */
type Event =
  | readonly [atMs: number, what: 'signs' | 'refuses', node: string, height: bigint, code?: ErrorCode]
  | readonly [atMs: number, what: 'gone' | 'back' | 'chosen', node: string];

function judged(events: readonly Event[]): readonly string[] {
  const wrong: string[] = [];
  const judge = new ServedJudge({
    patience: DEFAULT_NODE_PATIENCE,
    noteCoverage: () => undefined,
    demand: (holds, why) => void (holds || wrong.push(why)),
  });
  for (const [atMs, what, node, height = 0n, code] of events) {
    if (what === 'signs') judge.answered(judge.served(node, height, 0, atMs), code, atMs);
    else if (what === 'refuses') judge.notServed(node, height, 0, atMs);
    else if (what === 'gone') judge.gone(node, atMs);
    else if (what === 'back') judge.connected(node);
    else judge.chosen(node, atMs);
  }
  return wrong;
}

describe('what the judge of the served node calls wrong', () => {
  it.each<readonly [name: string, events: readonly Event[], why: RegExp]>([
    [
      'a second node is served',
      [
        [0, 'signs', 'a', 5n],
        [1, 'signs', 'b', 5n],
      ],
      /b at 5\/0 is served, though a is neither lost/,
    ],
    [
      'one is given up that was gone for a short time',
      [
        [0, 'signs', 'a', 5n],
        [1, 'gone', 'a'],
        [2_900, 'signs', 'b', 6n],
      ],
      /b at 6\/0 is served, though a is neither lost/,
    ],
    [
      'one is given up that goes on',
      [
        [0, 'signs', 'a', 5n],
        [1_000, 'refuses', 'b', 6n],
        [3_000, 'signs', 'a', 6n],
        [6_000, 'signs', 'b', 7n],
      ],
      /b at 7\/0 is served, though a is neither lost/,
    ],
    [
      'one is given up for one that is no further',
      [
        [0, 'signs', 'a', 5n],
        [1_000, 'refuses', 'b', 5n],
        [9_000, 'signs', 'b', 5n],
      ],
      /b at 5\/0 is served, though a is neither lost/,
    ],
    [
      'one that is lost is kept',
      [
        [0, 'signs', 'a', 5n],
        [1, 'gone', 'a'],
        [4_000, 'refuses', 'b', 5n],
      ],
      /though a is gone for 3999 ms/,
    ],
    [
      'one that stands still is kept',
      [
        [0, 'signs', 'a', 5n],
        [1_000, 'refuses', 'b', 6n],
        [5_200, 'refuses', 'b', 7n],
      ],
      /though a stands still/,
    ],
    [
      'one is kept for heights that are refused',
      [
        [0, 'signs', 'a', 5n],
        [1_000, 'refuses', 'b', 6n],
        [4_000, 'signs', 'a', 90_000n, 'HEIGHT_JUMP'],
        [5_200, 'refuses', 'b', 7n],
      ],
      /though a stands still/,
    ],
    [
      'one that is served is refused',
      [
        [0, 'signs', 'a', 5n],
        [1, 'refuses', 'a', 6n],
      ],
      /a at 6\/0 is not served, though it was neither/,
    ],
    [
      'a choice holds at once',
      [
        [0, 'signs', 'a', 5n],
        [1, 'chosen', 'b'],
        [2, 'signs', 'b', 5n],
      ],
      /b at 5\/0 is served, and the one before has signatures for height 5/,
    ],
    [
      'what was begun is not finished',
      [
        [0, 'signs', 'a', 5n],
        [1, 'chosen', 'b'],
        [2, 'refuses', 'a', 5n],
      ],
      /a at 5\/0 is not served, where it was when b was chosen/,
    ],
    [
      'a choice never holds',
      [
        [0, 'signs', 'a', 5n],
        [1, 'chosen', 'b'],
        [2, 'signs', 'a', 6n],
      ],
      /a at 6\/0 is served, though b is neither lost/,
    ],
  ])('%s', (_name, events, why) => {
    expect(judged(events)).toEqual([expect.stringMatching(why)]);
  });

  it(`nothing of what the arbiter says in ${HISTORIES} histories`, () => {
    const covered = new Set<string>();
    for (let seed = 1; seed <= HISTORIES; seed++) {
      const wrong = history(new Prng(seed), (what) => covered.add(what));
      expect({ seed, wrong }).toEqual({ seed, wrong: [] });
    }
    expect([...covered].sort()).toEqual(['chosen', 'finishes its height', 'lost', 'still']);
  });
});

/** Two nodes that come, go, ask for all kinds of places and are chosen, as the arbiter has it and the judge sees it. */
function history(random: Prng, noteCoverage: (what: string) => void): readonly string[] {
  const arbiter = new NodeArbiter('active');
  const wrong: string[] = [];
  const patience = DEFAULT_NODE_PATIENCE;
  const judge = new ServedJudge({ patience, noteCoverage, demand: (holds, why) => void (holds || wrong.push(why)) });
  const there = new Set(['a', 'b']);
  const useless = new Map<string, number>();
  const pending: { readonly request: AllowedRequest; readonly ask: JudgedAsk; readonly code: ErrorCode | undefined }[] =
    [];
  let [nowMs, height, round] = [0, 50n, 0];
  const answer = (): void => {
    for (const { request, ask, code } of pending.splice(0, 1 + random.below(2))) {
      judge.answered(ask, code, nowMs);
      arbiter.answered(request, code);
    }
  };
  const ask = (node: string): void => {
    const [place, code] = somePlace(random, height, round, nowMs < (useless.get(node) ?? 0));
    const request = arbiter.ask(node, place, nowMs);
    if (request === undefined) return judge.notServed(node, place.height, place.round, nowMs);
    pending.push({ request, ask: judge.served(node, place.height, place.round, nowMs), code });
    if (random.chance(0.9)) answer();
  };
  for (let i = 0; i < EVENTS && wrong.length === 0; i++) {
    nowMs += random.between(0, 400);
    if (random.chance(0.3)) [height, round] = random.chance(0.7) ? [height + 1n, 0] : [height, round + 1];
    const node = random.pick(['a', 'b']);
    const roll = random.unit();
    if (roll < 0.02) {
      if (!there.delete(node)) continue;
      judge.gone(node, nowMs);
      arbiter.gone(node, nowMs);
    } else if (roll < 0.025) useless.set(node, nowMs + random.between(1_000, 15_000));
    else if (!there.has(node)) {
      if (!random.chance(0.1)) continue;
      there.add(node);
      judge.connected(node);
      arbiter.connected(node);
    } else if (roll < 0.04) {
      judge.chosen(node, nowMs);
      arbiter.choose(node, nowMs);
    } else if (roll < 0.06) answer();
    else if (roll < 0.065) {
      judge.reset();
      arbiter.reset();
    } else ask(node);
  }
  return wrong;
}

/** What a node asks for, and what is said to it: mostly that of its chain, which is mostly signed. */
function somePlace(
  random: Prng,
  height: bigint,
  round: number,
  useless: boolean,
): readonly [place: { readonly height: bigint; readonly round: number }, code: ErrorCode | undefined] {
  if (useless || random.chance(0.06)) {
    return random.pick([
      [{ height: height - 1n - BigInt(random.below(9)), round: random.below(3) }, 'HEIGHT_REGRESSION'],
      [
        { height: height + 90_000n + BigInt(random.below(9)), round: 0 },
        random.pick(['HEIGHT_JUMP', 'HEIGHT_PACE', 'QUORUM_LOST']),
      ],
      [{ height, round: Math.max(0, round - 1) }, 'ROUND_REGRESSION'],
    ] as const);
  }
  return [
    { height, round },
    random.chance(0.85) ? undefined : random.pick(['QUORUM_LOST', 'DOUBLE_SIGN', 'HEIGHT_PACE']),
  ];
}
