import { describe, expect, it } from 'vitest';
import { told } from './cluster.js';
import { TakeoverScene } from './takeover-scene.js';
import { vote, type VoteSpec } from './votes.js';

// A leader dies, or its node goes, at every point between a request and the node's having its answer; then the next link is asked,
// with these or other cosigners. What must come of it follows from two things only: who has the vote on its disk, and what is
// asked. The checker of the simulator looks on: two blocks, or two times of one proposal, fail here whatever the answer says.

interface Point {
  readonly name: string;
  /** Who has the vote on its disk when the next link is asked. */
  readonly stored: readonly number[];
  readonly reach: (scene: TakeoverScene, asked: VoteSpec) => Promise<void>;
}

/** Bytes of a write that was cut short: none, within the first copy of the record, within the second one. */
const CUT_SHORT = [
  ['before a byte of it is there', 0, false],
  ['within the first copy', 100, false],
  ['within the second copy', 700, true],
] as const;

/** Every point, for a round of which the first `t` of `n` are the signers. */
function points(t: number, n: number): readonly Point[] {
  const all = Array.from({ length: n }, (_, i) => i + 1);
  const signers = all.slice(0, t);
  const some = Array.from({ length: t + 1 }, (_, k) => ({ first: signers.slice(0, k), rest: signers.slice(k) }));
  const lost = async (scene: TakeoverScene, asked: VoteSpec): Promise<void> => {
    void scene.ask(vote(asked));
    await scene.soon();
  };
  return [
    {
      name: 'the request is read, and too few have commitments there to be asked',
      stored: [],
      reach: async (scene, asked) => {
        await scene.cluster.onlyAlive('a', signers.slice(1));
        await lost(scene, asked);
      },
    },
    ...some.map(({ first, rest }) => ({
      name: `the sign request has reached ${first.length} of ${t}`,
      stored: first,
      reach: async (scene: TakeoverScene, asked: VoteSpec) => {
        scene.holdRequests(rest);
        scene.holdReplies(first);
        await lost(scene, asked);
      },
    })),
    ...some.slice(1).map(({ first, rest }) => ({
      name: `the disks of ${first.length} of ${t} are at it, and done when the link is gone`,
      stored: first,
      reach: async (scene: TakeoverScene, asked: VoteSpec) => {
        scene.holdRequests(rest);
        scene.slowDisks(first, 50);
        await lost(scene, asked);
        scene.killOld();
        expect(scene.stored(vote(asked).signBytes)).toEqual([]);
      },
    })),
    ...CUT_SHORT.flatMap(([where, keptBytes, counts]) =>
      some.slice(1).map(({ first, rest }) => ({
        name: `${first.length} of ${t} die with the link while they write, ${where}`,
        stored: counts ? signers : rest,
        reach: async (scene: TakeoverScene, asked: VoteSpec) => {
          scene.holdReplies(rest);
          await scene.dieWriting(first, keptBytes, () => lost(scene, asked));
        },
      })),
    ),
    ...some.slice(0, -1).map(({ first, rest }) => ({
      name: `the shares of ${first.length} of ${t} have come, the others' are lost`,
      stored: signers,
      reach: async (scene: TakeoverScene, asked: VoteSpec) => {
        scene.holdReplies(rest);
        await lost(scene, asked);
      },
    })),
    {
      name: 'all shares are lost, and the signers are started again',
      stored: signers,
      reach: async (scene, asked) => {
        scene.holdReplies(signers);
        await lost(scene, asked);
        scene.killOld();
        await scene.restart(signers);
      },
    },
    {
      name: 'the signature is made, nobody has heard of it, and the node has no answer',
      stored: signers,
      reach: async (scene, asked) => {
        let outcome = '';
        void scene.ask(vote(asked)).then((signed) => {
          outcome = told(signed);
          scene.killOld();
        });
        await scene.soon();
        expect(outcome).toBe('signed 500');
      },
    },
    {
      name: 'the node has its answer, the other cosigners have not heard of it',
      stored: signers,
      reach: async (scene, asked) => {
        expect(told(await scene.cluster.ask('a', vote(asked)))).toBe('signed 500');
        await scene.soon();
      },
    },
    {
      name: 'the node has its answer, and every cosigner has heard of it',
      stored: all,
      reach: async (scene, asked) => {
        expect(told(await scene.cluster.ask('a', vote(asked)))).toBe('signed 500');
        await scene.cluster.onlyAlive('a', all);
        await scene.soon();
      },
    },
    {
      name: 'the node is gone before its answer, and back at the same link',
      stored: signers,
      reach: async (scene, asked) => {
        scene.next = 'a';
        void scene.ask(vote(asked));
        await scene.soon();
      },
    },
    {
      name: 'the node is gone while the shares are on their way, and back at the same link',
      stored: signers,
      reach: async (scene, asked) => {
        scene.next = 'a';
        for (const id of signers) scene.cluster.wire('a', id).lateMs = 30;
        await lost(scene, asked);
      },
    },
  ];
}

/** What the first link was asked for. */
const VOTES: readonly (readonly [name: string, spec: Omit<VoteSpec, 'at'> & { readonly step: 1 | 2 | 3 }])[] = [
  ['a proposal', { step: 1 }],
  ['a proposal of a block that was locked', { step: 1, polRound: 0n }],
  ['a prevote', { step: 2 }],
  ['a prevote for nil', { step: 2, block: 'nil' }],
  ['a precommit without extension', { step: 3 }],
  ['a precommit with an empty extension', { step: 3, extension: '' }],
  ['a precommit with an extension', { step: 3, extension: 'one' }],
  ['a precommit for nil', { step: 3, block: 'nil' }],
];

interface Asked {
  readonly name: string;
  readonly spec: VoteSpec;
  /** Who has the first one stored may not sign this one, and says so. */
  readonly refusedAs: 'DOUBLE_SIGN' | 'PROPOSAL_TIMESTAMP' | undefined;
  readonly otherBlock: boolean;
}

/** What the next link is asked for: the same, the same at another time, anything else. */
function askedNext(first: VoteSpec): readonly Asked[] {
  const isProposal = first.at[2] === 1;
  const later = isProposal ? 'PROPOSAL_TIMESTAMP' : undefined;
  const same = (name: string, spec: VoteSpec): Asked => ({
    ...{ name, spec, otherBlock: false, refusedAs: (spec.nanos ?? 500) === 500 ? undefined : later },
  });
  const other = (name: string, change: Partial<VoteSpec>): Asked => ({
    ...{ name, spec: without({ ...first, nanos: 900, ...change }), otherBlock: true, refusedAs: 'DOUBLE_SIGN' },
  });
  return [
    same('the same', first),
    same('the same, later', { ...first, nanos: 900 }),
    same('the same, earlier', { ...first, nanos: 100 }),
    ...(first.extension === undefined
      ? []
      : [same('the same, later, with another extension', { ...first, nanos: 900, extension: 'another' })]),
    other('another block', { block: 'B' }),
    ...(isProposal ? [other('another POL round', { polRound: 1n, nanos: 500 })] : []),
    ...(isProposal || first.block === 'nil' ? [] : [other('nil', { block: 'nil' })]),
  ];
}

/** Nil has no extension. */
function without({ extension, ...spec }: VoteSpec): VoteSpec {
  return extension === undefined || spec.block === 'nil' ? spec : { ...spec, extension };
}

/** By who has what on its disk, and by nothing else. */
function expected(
  { refusedAs, otherBlock, spec }: Asked,
  stored: readonly number[],
  alive: readonly number[],
  { t, n }: Shape,
): RegExp {
  const mayNot = refusedAs === undefined ? [] : alive.filter((id) => stored.includes(id));
  // Where it may still come out otherwise when somebody is back, the answer takes until the deadline.
  if (alive.length - mayNot.length < t) return n - mayNot.length < t ? RegExp(`^${refusedAs}$`) : /^QUORUM_LOST$/;
  const { nanos = 500 } = spec;
  const know = alive.filter((id) => stored.includes(id));
  if (otherBlock || refusedAs !== undefined || know.length === 0) return RegExp(`^signed ${nanos}$`);
  if (know.length === alive.length) return /^signed 500$/;
  // One that has nothing may have signed for the time of now when the other one says what it has; then that adopts the later one.
  return RegExp(`^signed (500${nanos > 500 ? `|${nanos}` : ''})$`);
}

const nanosOf = (outcome: string): number => Number(outcome.split(' ')[1]);

/** What may be answered where this was, the times of these tests being what they are. */
function stays(nanos: number, step: number): RegExp {
  const times = step === 1 ? [nanos] : [100, 500, 900].filter((one) => one >= nanos);
  return RegExp(`^signed (${[...new Set([nanos, ...times])].join('|')})$`);
}

interface Shape {
  readonly t: number;
  readonly n: number;
}

/** Runs every combination at a height of its own; returns what came out otherwise. */
async function failures(shape: Shape, point: Point, alive: readonly (readonly number[])[]): Promise<readonly string[]> {
  const scene = await TakeoverScene.start(shape.t, shape.n);
  const { cluster, all } = scene;
  const wrong: string[] = [];
  let height = 10;
  for (const [i, [votes, { step, ...rest }]] of VOTES.entries())
    for (const j of askedNext({ at: [1, 0, step], ...rest }).keys())
      // Every other set in turn: each vote meets all of them, and each question does.
      for (const living of alive.filter((_set, k) => (i + j + k) % 2 === 0)) {
        const first: VoteSpec = { at: [++height, 0, step], ...rest };
        const next = askedNext(first)[j]!;
        const what = `${votes}, asked next for ${next.name}, by ${living.join()}`;
        await scene.renew();
        await point.reach(scene, first);
        await scene.takeOver();
        const { signBytes } = vote(first);
        const atPoint = scene.stored(signBytes);
        if (atPoint.join() !== point.stored.join()) wrong.push(`${what}: stored by ${atPoint.join()}`);

        // Whoever connects to a link that has made the signature is shown it.
        await scene.leave(living);
        const stored = scene.stored(signBytes);
        const outcome = await scene.answer(next.spec);
        if (!expected(next, stored, living, shape).test(outcome)) wrong.push(`${what}: ${outcome}`);
        const isSigned = outcome.startsWith('signed');

        // With everybody back what can be finished is, for the one block. A time that somebody had stored may be later than the
        // one that was signed, and takes its place; an earlier one never does.
        await scene.leave(all);
        const block = isSigned && next.otherBlock ? next.spec : first;
        const nanos = isSigned ? nanosOf(outcome) : 500;
        const later = { ...block, nanos: step === 1 ? nanos : 950 };
        const finished = await scene.answer(later);
        const goes = isSigned ? stays(nanos, step) : step === 1 ? /^signed 500$/ : /^signed (500|950)$/;
        if (!goes.test(finished)) wrong.push(`${what}: ${outcome}, and then ${finished}`);
        const again = await scene.answer(later);
        if (!stays(nanosOf(finished), step).test(again)) wrong.push(`${what}: ${finished}, and then ${again}`);
        const against = await scene.answer({ at: [height, 0, step], block: 'C' });
        if (against !== 'DOUBLE_SIGN') wrong.push(`${what}: a third block: ${against}`);
        // The chain goes on.
        const onward = await scene.answer({ at: [height, 1, step], block: 'B' });
        if (onward !== 'signed 500') wrong.push(`${what}: the next round: ${onward}`);
      }
  expect(cluster.faults).toEqual([]);
  return wrong;
}

describe('2 of 3: the next link, with every set of cosigners', () => {
  const shape = { t: 2, n: 3 };
  it.each(points(2, 3).map((point) => [point.name, point] as const))('%s', async (_name, point) => {
    const alive = [
      [1, 2, 3],
      [1, 2],
      [1, 3],
      [2, 3],
    ];
    expect(await failures(shape, point, alive)).toEqual([]);
  });
});

describe('3 of 5: the next link, with the same ones, with others, and with all', () => {
  const shape = { t: 3, n: 5 };
  it.each(points(3, 5).map((point) => [point.name, point] as const))('%s', async (_name, point) => {
    const alive = [
      [1, 2, 3],
      [3, 4, 5],
      [1, 2, 3, 4, 5],
    ];
    expect(await failures(shape, point, alive)).toEqual([]);
  });
});
