import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/shared/bytes.js';
import { must } from '../../src/shared/invariant.js';
import type { Canonical } from '../../src/shared/privval/canonical.js';
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
  /** Who has heard of that place, and not of what is signed there; default: nobody. */
  readonly floors?: readonly number[];
  readonly reach: (scene: TakeoverScene, asked: VoteSpec) => Promise<void>;
}

/** Bytes of a write that was cut short: none, within the first copy of the record, within the second one. */
const CUT_SHORT = [
  ['before a byte of it is there', 0, false],
  ['within the first copy', 100, false],
  ['within the second copy', 700, true],
] as const;

/** Every point, for a round of which the first `t` of `n` are the signers. */
function points(t: number, n: number, cuts: readonly (typeof CUT_SHORT)[number][] = CUT_SHORT): readonly Point[] {
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
    ...cuts.flatMap(([where, keptBytes, counts]) =>
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
      name: 'all shares are lost, and the hosts of the signers are rebooted',
      stored: signers,
      reach: async (scene, asked) => {
        scene.holdReplies(signers);
        await lost(scene, asked);
        scene.killOld();
        await scene.reboot(signers);
      },
    },
    // What these hear of the first is a place without a block: they sign nothing there.
    ...some.slice(1, -1).map(({ first, rest }) => ({
      name: `the sign request has reached ${first.length} of ${t}, and the hosts of the others are rebooted`,
      stored: first,
      floors: rest,
      reach: async (scene: TakeoverScene, asked: VoteSpec) => {
        scene.holdRequests(rest);
        scene.holdReplies(first);
        await lost(scene, asked);
        scene.killOld();
        await scene.reboot(rest);
      },
    })),
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
}

/** What the next link is asked for: the same, the same at another time, anything else. */
function askedNext(first: VoteSpec): readonly Asked[] {
  const isProposal = first.at[2] === 1;
  const other = (change: Partial<VoteSpec>): VoteSpec => without({ ...first, nanos: 900, ...change });
  const asked: readonly (readonly [name: string, spec: VoteSpec | false])[] = [
    ['the same', first],
    ['the same, later', { ...first, nanos: 900 }],
    ['the same, earlier', { ...first, nanos: 100 }],
    [
      'the same, later, with another extension',
      first.extension !== undefined && { ...first, nanos: 900, extension: 'another' },
    ],
    ['another block', other({ block: 'B' })],
    ['another POL round', isProposal && other({ polRound: 1n, nanos: 500 })],
    ['nil', !isProposal && first.block !== 'nil' && other({ block: 'nil' })],
  ];
  return asked.flatMap(([name, spec]) => (spec === false ? [] : [{ name, spec }]));
}

/** For JSON, which knows no bigint. */
const text = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);

/** Nil has no extension. */
function without({ extension, ...spec }: VoteSpec): VoteSpec {
  return extension === undefined || spec.block === 'nil' ? spec : { ...spec, extension };
}

/** By what these have on their disks, and by nothing else. */
function expected(scene: TakeoverScene, spec: VoteSpec, alive: readonly number[]): RegExp {
  const { signBytes } = vote(spec);
  const asked = signBytes.says;
  const isProposal = asked.step === 1;
  const [stored, floors] = [scene.stored(signBytes), scene.floors(signBytes)];
  const says = (id: number): Canonical => must(scene.durable(id).signBytes, 'it is stored').says;
  const timeOf = (id: number): number => says(id).timestamp.nanos;
  const isSame = (id: number): boolean =>
    blockOf(says(id)) === blockOf(asked) && (!isProposal || timeOf(id) === asked.timestamp.nanos);
  const mayNot = alive.filter((id) => floors.includes(id) || (stored.includes(id) && !isSame(id)));
  const able = alive.filter((id) => !mayNot.includes(id));
  // Where it may still come out otherwise when somebody is back, the answer takes until the deadline.
  if (able.length < scene.signers.length) {
    if (scene.all.length - mayNot.length >= scene.signers.length) return /^QUORUM_LOST$/;
    const isTimeAlone = (id: number): boolean => !floors.includes(id) && blockOf(says(id)) === blockOf(asked);
    const codes = mayNot.map((id) => (isTimeAlone(id) ? 'PROPOSAL_TIMESTAMP' : 'DOUBLE_SIGN'));
    return RegExp(`^(${codes.join('|')})$`);
  }
  const { nanos } = asked.timestamp;
  const times = able.filter((id) => stored.includes(id)).map(timeOf);
  const free = able.length - times.length;
  // One that has nothing may have signed for what is asked when another says what it has; then that adopts the later one.
  const mayBeAsked = free >= scene.signers.length || (free > 0 && nanos > Math.min(...times));
  return RegExp(`^signed (${[...times, ...(mayBeAsked ? [nanos] : [])].join('|')})$`);
}

/** All of it but the time. */
function blockOf(says: Canonical): string {
  const hash = says.blockId === undefined ? 'nil' : toHex(says.blockId.hash);
  return says.step === 1 ? `${hash} ${says.polRound}` : hash;
}

const nanosOf = (outcome: string): number => Number(outcome.split(' ')[1]);

interface Shape {
  readonly t: number;
  readonly n: number;
  readonly votes: typeof VOTES;
}

/** Runs every combination at a height of its own; returns what came out otherwise. */
async function failures(shape: Shape, point: Point, alive: readonly (readonly number[])[]): Promise<readonly string[]> {
  const scene = await TakeoverScene.start(shape.t, shape.n);
  const { cluster, all } = scene;
  const wrong: string[] = [];
  let height = 10;
  for (const [i, [votes, { step, ...rest }]] of shape.votes.entries())
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
        const floors = scene.floors(signBytes);
        if (floors.join() !== (point.floors ?? []).join()) wrong.push(`${what}: heard of by ${floors.join()}`);

        const ask = async (spec: VoteSpec, by: readonly number[]): Promise<string> => {
          const right = expected(scene, spec, by);
          const outcome = await scene.answer(spec);
          if (!right.test(outcome)) wrong.push(`${what}: ${JSON.stringify(spec, text)} gives ${outcome}, not ${right}`);
          return outcome;
        };
        // Whoever connects to a link that has made the signature is shown it.
        await scene.leave(living);
        const outcome = await ask(next.spec, living);

        // With everybody back what can be finished is. A time that somebody had stored may be later than the one that was signed,
        // and takes its place; an earlier one never does.
        await scene.leave(all);
        const isSigned = outcome.startsWith('signed');
        const block = isSigned ? { ...next.spec, nanos: nanosOf(outcome) } : first;
        const later = step === 1 ? block : { ...block, nanos: 950 };
        const finished = await ask(later, all);
        const again = await ask(later, all);
        const signed = [outcome, finished, again].filter((one) => one.startsWith('signed')).map(nanosOf);
        if (signed.some((time, k) => time < (signed[k - 1] ?? 0))) wrong.push(`${what}: signed ${signed.join()}`);
        if (isSigned && signed.length < 3) wrong.push(`${what}: ${outcome}, ${finished}, ${again}`);
        await ask({ at: [height, 0, step], block: 'C' }, all);
        // The chain goes on.
        const onward = await scene.answer({ at: [height, 1, step], block: 'B' });
        if (onward !== 'signed 500') wrong.push(`${what}: the next round: ${onward}`);
      }
  expect(cluster.faults).toEqual([]);
  return wrong;
}

describe('2 of 3: the next link, with every set of cosigners', () => {
  const shape = { t: 2, n: 3, votes: VOTES };
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
  // What is different about a vote is shown above; here it is who has it.
  const shape = { t: 3, n: 5, votes: VOTES.filter((_vote, i) => i % 3 === 0) };
  it.each(points(3, 5, CUT_SHORT.slice(2)).map((point) => [point.name, point] as const))('%s', async (_name, point) => {
    const alive = [
      [1, 2, 3],
      [3, 4, 5],
      [1, 2, 3, 4, 5],
    ];
    expect(await failures(shape, point, alive)).toEqual([]);
  });
});
