import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import {
  INT32_MAX,
  type BlockId,
  type Canonical,
  type CanonicalProposal,
  type SignStep,
  type Timestamp,
} from '../privval/canonical.js';
import { isLaterTimestampOfSameVote, SignBytes } from '../privval/sign-bytes.js';
import { decide as decideWithin, DEFAULT_MAX_HEIGHT_JUMP, type Decision, type SigningRequest } from './rules.js';
import { compareHrs, floorAtHeight, neverSigned, type Watermark } from './watermark.js';

const block = (fill: number): BlockId => ({
  hash: new Uint8Array(32).fill(fill),
  partsTotal: 1,
  partsHash: new Uint8Array(32).fill(fill + 1),
});
const A = block(0xa0);
const B = block(0xb0);
const time = (nanos: number): Timestamp => ({ seconds: 1_700_000_000n, nanos });

interface Spec {
  readonly at: readonly [height: number, round: number, step: SignStep];
  readonly block?: BlockId | 'nil';
  readonly nanos?: number;
  readonly polRound?: bigint;
  readonly chainId?: string;
  readonly settle?: boolean;
}

function canonical({
  at: [height, round, step],
  block = A,
  nanos = 5,
  polRound = -1n,
  chainId = 'test-1',
}: Spec): Canonical {
  const blockId = block === 'nil' ? undefined : block;
  const common = { chainId, height: BigInt(height), round, blockId, timestamp: time(nanos) };
  return step === 1 ? ({ ...common, step, polRound } satisfies CanonicalProposal) : { ...common, step };
}

function request(spec: Spec): SigningRequest {
  return { signBytes: SignBytes.encode(canonical(spec)), settle: spec.settle ?? false };
}

const decide = (stored: Watermark, asked: SigningRequest): Decision =>
  decideWithin(stored, asked, DEFAULT_MAX_HEIGHT_JUMP);

function watermark(spec: Spec): Watermark {
  const { signBytes } = request(spec);
  const { height, round, step } = signBytes.says;
  return { height, round, step, signBytes, fresh: false };
}

/** `sign` persists the request's bytes, `again` persists nothing; anything else is its kind or refusal code. */
function outcome(decision: Decision, asked: SigningRequest): string {
  if (decision.kind === 'refuse') return decision.code;
  if (decision.kind === 'stored') return 'stored';
  if (decision.next === undefined) return 'again';
  const { height, round, step } = asked.signBytes.says;
  expect(decision.next).toEqual({ height, round, step, signBytes: asked.signBytes, fresh: false });
  return 'sign';
}

const PREVOTE: Spec = { at: [7, 2, 2], nanos: 500 };
const PRECOMMIT: Spec = { at: [7, 2, 3], nanos: 500 };
const PROPOSAL: Spec = { at: [7, 2, 1], nanos: 500 };
const NIL: Spec = { at: [7, 2, 3], block: 'nil', nanos: 500 };

describe('decide', () => {
  it.each<[name: string, stored: Spec, asked: Spec, expected: string]>([
    // Horcrux #296, #299: a vote that some cosigners stored and no one finished, asked for again with the time of now.
    ['half-finished vote, asked again later', PRECOMMIT, { ...PRECOMMIT, nanos: 900 }, 'stored'],
    [
      'half-finished vote, the newest of the stored ones',
      PRECOMMIT,
      { ...PRECOMMIT, nanos: 900, settle: true },
      'sign',
    ],

    ['higher height', PREVOTE, { at: [8, 0, 1] }, 'sign'],
    ['higher height, other block', PRECOMMIT, { at: [8, 0, 2], block: B }, 'sign'],
    ['higher round', PRECOMMIT, { at: [7, 3, 1], block: B }, 'sign'],
    ['higher step', PREVOTE, { at: [7, 2, 3] }, 'sign'],
    ['higher step, another block: no rule across steps', PREVOTE, { at: [7, 2, 3], block: B }, 'sign'],
    ['higher step, nil after a block', PREVOTE, { at: [7, 2, 3], block: 'nil' }, 'sign'],
    ['higher step, block after a proposal of another', PROPOSAL, { at: [7, 2, 2], block: B }, 'sign'],
    ['higher, settled by others', PREVOTE, { at: [7, 2, 3], settle: true }, 'sign'],

    ['same bytes, prevote', PREVOTE, PREVOTE, 'again'],
    ['same bytes, precommit', PRECOMMIT, PRECOMMIT, 'again'],
    ['same bytes, proposal', PROPOSAL, PROPOSAL, 'again'],
    ['same bytes, nil', NIL, NIL, 'again'],
    ['same bytes, settle', PRECOMMIT, { ...PRECOMMIT, settle: true }, 'again'],

    ['same vote, earlier', PRECOMMIT, { ...PRECOMMIT, nanos: 100 }, 'stored'],
    ['same prevote, later', PREVOTE, { ...PREVOTE, nanos: 900 }, 'stored'],
    ['same nil vote, later', NIL, { ...NIL, nanos: 900 }, 'stored'],
    ['same vote, settle with an earlier time', PRECOMMIT, { ...PRECOMMIT, nanos: 100, settle: true }, 'stored'],
    ['same nil vote, settle with a later time', NIL, { ...NIL, nanos: 900, settle: true }, 'sign'],

    ['same proposal, later', PROPOSAL, { ...PROPOSAL, nanos: 900 }, 'PROPOSAL_TIMESTAMP'],
    ['same proposal, settle', PROPOSAL, { ...PROPOSAL, nanos: 900, settle: true }, 'PROPOSAL_TIMESTAMP'],

    ['other block, prevote', PREVOTE, { ...PREVOTE, block: B }, 'DOUBLE_SIGN'],
    ['other block, precommit', PRECOMMIT, { ...PRECOMMIT, block: B }, 'DOUBLE_SIGN'],
    ['other block, proposal', PROPOSAL, { ...PROPOSAL, block: B }, 'DOUBLE_SIGN'],
    ['other block, settle and later', PRECOMMIT, { ...PRECOMMIT, block: B, nanos: 900, settle: true }, 'DOUBLE_SIGN'],
    ['nil after a block', PRECOMMIT, { ...PRECOMMIT, block: 'nil' }, 'DOUBLE_SIGN'],
    ['a block after nil', NIL, { ...NIL, block: A }, 'DOUBLE_SIGN'],
    ['other part set', PRECOMMIT, { ...PRECOMMIT, block: { ...A, partsTotal: 2 } }, 'DOUBLE_SIGN'],
    ['other parts hash', PRECOMMIT, { ...PRECOMMIT, block: { ...A, partsHash: B.partsHash } }, 'DOUBLE_SIGN'],
    ['other POL round', PROPOSAL, { ...PROPOSAL, polRound: 1n }, 'DOUBLE_SIGN'],
    ['other chain', PRECOMMIT, { ...PRECOMMIT, chainId: 'test-2' }, 'DOUBLE_SIGN'],

    ['lower step', PRECOMMIT, PREVOTE, 'STEP_REGRESSION'],
    ['lower step, settle', PRECOMMIT, { ...PREVOTE, settle: true }, 'STEP_REGRESSION'],
    ['lower round, higher step', PREVOTE, { at: [7, 1, 3] }, 'ROUND_REGRESSION'],
    ['lower height, higher round and step', PREVOTE, { at: [6, 9, 3] }, 'HEIGHT_REGRESSION'],
    ['lower height, settle', PREVOTE, { at: [6, 2, 2], settle: true }, 'HEIGHT_REGRESSION'],
  ])('%s', (_name, stored, asked, expected) => {
    expect(outcome(decide(watermark(stored), request(asked)), request(asked))).toBe(expected);
  });

  it('answers a half-finished vote with exactly the bytes that are stored', () => {
    const stored = watermark(PRECOMMIT);
    const decision = decide(stored, request({ ...PRECOMMIT, nanos: 900 }));
    expect(decision).toEqual({ kind: 'stored', signBytes: stored.signBytes });
  });

  it.each<[name: string, stored: Watermark, asked: Spec, expected: string]>([
    ['never signed, first height', neverSigned(), { at: [1, 0, 1] }, 'sign'],
    ['never signed, a far height', neverSigned(), { at: [30_000_000, 0, 2] }, 'sign'],
    ['floor, at it', floorAtHeight(7n), { at: [7, 0, 1] }, 'ROUND_REGRESSION'],
    ['floor, at its very top', floorAtHeight(7n), { at: [7, INT32_MAX, 3] }, 'DOUBLE_SIGN'],
    ['floor, above it', floorAtHeight(7n), { at: [8, 0, 1] }, 'sign'],
    ['imported without sign bytes, at it', { ...watermark(PREVOTE), signBytes: undefined }, PREVOTE, 'DOUBLE_SIGN'],
    ['imported without sign bytes, above', { ...watermark(PREVOTE), signBytes: undefined }, PRECOMMIT, 'sign'],
    ['imported at step 0', { height: 7n, round: 2, step: 0, signBytes: undefined, fresh: true }, PROPOSAL, 'sign'],
    ['jump, the last allowed', watermark({ at: [7, 0, 3] }), { at: [100_007, 0, 1] }, 'sign'],
    ['jump, one too far', watermark({ at: [7, 0, 3] }), { at: [100_008, 0, 1] }, 'HEIGHT_JUMP'],
    ['jump, fresh', { ...watermark({ at: [7, 0, 3] }), fresh: true }, { at: [900_000, 0, 1] }, 'sign'],
  ])('%s', (_name, stored, asked, expected) => {
    expect(outcome(decide(stored, request(asked)), request(asked))).toBe(expected);
  });

  it.each<[name: string, stored: Spec, asked: Spec, message: string]>([
    [
      'regression',
      PREVOTE,
      { at: [6, 0, 3] },
      'height 6, round 0, precommit would go back in height; the watermark is height 7, round 2, prevote',
    ],
    [
      'jump',
      PREVOTE,
      { at: [200_007, 0, 2] },
      'height 200007, round 0, prevote is 200000 heights up, allowed are 100000; the watermark is height 7, round 2, prevote',
    ],
    [
      'double sign',
      PRECOMMIT,
      { ...PRECOMMIT, block: 'nil' },
      'height 7, round 2, precommit for block nil would double sign: block A0A0A0A0A0:1:A1A1A1A1A1 is signed there; the watermark is height 7, round 2, precommit',
    ],
  ])('says what was asked and where it stands: %s', (_name, stored, asked, message) => {
    expect(decide(watermark(stored), request(asked))).toMatchObject({ kind: 'refuse', message });
  });
});

/** A small world, so that random requests meet. */
const specs = fc.record({
  at: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 0, max: 2 }), fc.constantFrom<SignStep>(1, 2, 3)),
  block: fc.constantFrom<BlockId | 'nil'>(A, B, 'nil'),
  nanos: fc.integer({ min: 0, max: 3 }),
  polRound: fc.constantFrom(-1n, 0n),
  settle: fc.boolean(),
});

describe('decide, over any run of requests', () => {
  it('never lets two blocks at one place be signed, and only ever moves up or to a later time of the same vote', () => {
    fc.assert(
      fc.property(fc.array(specs, { maxLength: 60 }), (run) => {
        let stored = neverSigned();
        const signed = new Map<string, Canonical>();
        for (const spec of run) {
          const asked = request(spec);
          const decision = decide(stored, asked);
          if (decision.kind !== 'sign') continue;
          const key = spec.at.join('/');
          const before = signed.get(key);
          if (before !== undefined && decision.next !== undefined) {
            expect(isLaterTimestampOfSameVote(asked.signBytes.says, before)).toBe(true);
            expect(spec.settle).toBe(true);
          }
          if (decision.next !== undefined) expect(compareHrs(decision.next, stored)).toBeGreaterThanOrEqual(0);
          signed.set(key, asked.signBytes.says);
          stored = decision.next ?? stored;
          expect(stored.signBytes).toEqual(asked.signBytes);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
