import { describe, expect, it } from 'vitest';
import { Cluster, told } from './cluster.js';
import { RawLink } from './raw-link.js';
import { vote, type VoteSpec } from './votes.js';

/** Every way in which fewer than t cosigners each can hold one or the other unfinished vote. `-`: nothing. */
function storedStates(count: number, threshold: number, kinds: readonly string[]): string[][] {
  let states: string[][] = [[]];
  for (let i = 0; i < count; i++) states = states.flatMap((state) => ['-', ...kinds].map((kind) => [...state, kind]));
  return states.filter((state) => kinds.every((kind) => state.filter((one) => one === kind).length < threshold));
}

/** Every set of at least t that are alive. */
function aliveSets(count: number, threshold: number): number[][] {
  const sets = Array.from({ length: 2 ** count }, (_, bits) =>
    Array.from({ length: count }, (_unused, i) => i + 1).filter((id) => bits & (1 << (id - 1))),
  );
  return sets.filter((set) => set.length >= threshold);
}

const STORED: Readonly<Record<string, Omit<VoteSpec, 'at'>>> = {
  old: { nanos: 500 },
  new: { nanos: 600 },
  B: { block: 'B', nanos: 500 },
};

interface Case {
  readonly states: readonly string[][];
  readonly alive: readonly number[][];
  readonly asked: readonly number[];
  readonly delays: readonly (readonly number[])[];
  /** What is asked for and stored; default: a precommit without extension. */
  readonly as?: Partial<VoteSpec> & { readonly step: 1 | 2 | 3 };
}

/** Another block, or a proposal with another time: a node drops the answer that it gets for the time that is stored. */
function refuses(stored: string, step: number, nanos: number): boolean {
  if (stored === '-') return false;
  return stored === 'B' || (step === 1 && STORED[stored]?.nanos !== nanos);
}

/** Runs all combinations through one cluster, each at a height of its own; returns what went wrong. */
async function failures(
  threshold: number,
  count: number,
  { states, alive, asked, delays, as = { step: 3 } }: Case,
): Promise<string[]> {
  const cluster = await Cluster.start({ threshold, count });
  const dead = new RawLink(cluster);
  const wrong: string[] = [];
  const { step, ...like } = as;
  let height = 10;
  for (const living of alive) {
    await cluster.onlyAlive('a', living);
    for (const delay of delays) {
      for (const id of living) cluster.wire('a', id).delayMs = delay[id - 1]!;
      for (const state of states)
        for (const nanos of asked) {
          const at = [++height, 0, step] as const;
          for (const kind of Object.keys(STORED)) {
            const ids = state.flatMap((one, i) => (one === kind ? [i + 1] : []));
            if (ids.length > 0) await dead.ask(ids, vote({ at, ...like, ...STORED[kind] }), { quorum: threshold });
          }
          const outcome = told(await cluster.ask('a', vote({ at, ...like, nanos })));
          const mayNot = living.filter((id) => refuses(state[id - 1]!, step, nanos)).length;
          const maySign = living.length - mayNot >= threshold;
          // Below t that may sign it is refused, at once when that is certain, at the deadline when somebody is away.
          const certain = count - mayNot < threshold;
          const expected = maySign
            ? /^signed (400|500|550|600|900)$/
            : certain
              ? /^(DOUBLE_SIGN|PROPOSAL_TIMESTAMP)$/
              : /^QUORUM_LOST$/;
          if (!expected.test(outcome)) wrong.push(`${state.join()} alive ${living.join()} asked ${nanos}: ${outcome}`);
        }
    }
  }
  expect(cluster.faults).toEqual([]);
  return wrong;
}

describe('half-finished votes, whoever is alive', () => {
  it('2 of 3: every state, every quorum, every order of answers', async () => {
    const wrong = await failures(2, 3, {
      states: storedStates(3, 2, ['old', 'new']),
      alive: aliveSets(3, 2),
      asked: [400, 500, 600, 900],
      delays: [
        [1, 1, 1],
        [1, 4, 9],
        [9, 4, 1],
      ],
    });
    expect(wrong).toEqual([]);
  });

  it('2 of 3, some of them for another block', async () => {
    const wrong = await failures(2, 3, {
      states: storedStates(3, 2, ['old', 'B']),
      alive: [
        [1, 2, 3],
        [2, 3],
      ],
      asked: [900],
      delays: [[1, 4, 2]],
    });
    expect(wrong).toEqual([]);
  });

  it('3 of 5: every state with just a quorum alive, and with all alive', async () => {
    const wrong = await failures(3, 5, {
      states: storedStates(5, 3, ['old', 'new']),
      alive: [
        [1, 2, 3],
        [1, 3, 5],
        [1, 2, 3, 4, 5],
      ],
      asked: [900],
      delays: [[1, 2, 3, 4, 5]],
    });
    expect(wrong).toEqual([]);
  });

  it('3 of 5: every set that is alive', async () => {
    const wrong = await failures(3, 5, {
      states: [
        ['old', 'new', '-', '-', '-'],
        ['old', 'old', 'new', 'new', '-'],
        ['-', 'new', 'old', 'new', 'old'],
      ],
      alive: aliveSets(5, 3),
      asked: [400, 550],
      delays: [[5, 1, 4, 2, 3]],
    });
    expect(wrong).toEqual([]);
  });

  it.each<[name: string, as: NonNullable<Case['as']>]>([
    ['a prevote', { step: 2 }],
    ['a prevote for nil', { step: 2, block: 'nil' }],
    ['a precommit for nil', { step: 3, block: 'nil' }],
    ['a precommit with an empty extension', { step: 3, extension: '' }],
    ['a precommit with an extension', { step: 3, extension: 'one' }],
    ['a proposal', { step: 1 }],
    ['a proposal of a block that was locked', { step: 1, polRound: 0n }],
  ])('2 of 3, %s: every state, every quorum', async (_name, as) => {
    const states = storedStates(3, 2, ['old', 'new']);
    const alive = aliveSets(3, 2);
    expect(await failures(2, 3, { states, alive, asked: [500, 550, 900], delays: [[1, 4, 9]], as })).toEqual([]);
  });
});
