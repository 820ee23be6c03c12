import { createPrivateKey, sign } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dealAsHorcrux, pointOfShare, type HorcruxDealing } from '../../../../test/support/horcrux.js';
import { publicKeyOfSeed } from '../../../../test/support/secret-needles.js';
import { PREVOTE, voteSignBytes } from '../../../../test/support/vote-bytes.js';
import { toHex } from '../../../shared/bytes.js';
import { verifySignature } from '../../../shared/ed25519/openssl-verify.js';
import { isHekateError } from '../../../shared/errors.js';
import { aggregate } from '../../../shared/frost/aggregate.js';
import { checkShare, verificationShare } from '../../../shared/frost/feldman.js';
import { computeGroupCommitment } from '../../../shared/frost/group-commitment.js';
import { toPoint } from '../../../shared/frost/group.js';
import { loadGroup } from '../../../shared/frost/load-group.js';
import { newRound, scalarFrom, seededRandom, signAll } from '../../../shared/frost/testdata/fixture.js';
import { encodeGroup } from '../../../shared/home/group-file.js';
import { describePlace } from '../../../shared/watermark/watermark.js';
import { fromFilePv, type FilePvState } from '../../file-pv.js';
import { joinShardPoints, startOfShards, type JoinedPoints } from './join-points.js';
import type { ShardPoint } from './shard-point.js';

const group = await loadGroup();

function deal(threshold: number, count: number, seed: string): HorcruxDealing {
  const random = seededRandom(seed);
  return dealAsHorcrux(threshold, count, () => random(32));
}

const place = (height: number, round = 0, step = 3): FilePvState =>
  fromFilePv(JSON.stringify({ height: String(height), round, step }), 'one');

/** The files of all hosts. */
function pointsOf(dealing: HorcruxDealing, threshold: number, change: Partial<ShardPoint> = {}): ShardPoint[] {
  return dealing.shares.map((share, i) => ({
    ...{ chainId: 'one', publicKey: toPoint(dealing.publicKey), threshold, count: dealing.shares.length, id: i + 1 },
    ...{ point: toPoint(pointOfShare(share)), state: place(50), ...change },
  }));
}

function refusal(shards: readonly ShardPoint[], threshold?: number): string {
  try {
    joinShardPoints(group, shards, threshold);
  } catch (error) {
    if (isHekateError(error)) return error.toLine();
    throw error;
  }
  return 'taken';
}

describe('a whole dealing', () => {
  it.each([
    [2, 3],
    [3, 4],
    [3, 5],
    [7, 13],
    [17, 32],
  ])('%i of %i: the key stays, every shard lies on the commitments, and they sign with FROST', (threshold, count) => {
    const dealing = deal(threshold, count, `whole/${threshold}`);
    const { info, ids } = joinShardPoints(group, pointsOf(dealing, threshold));
    expect(info).toMatchObject({ chainId: 'one', threshold, count });
    expect(toHex(info.groupPublicKey)).toBe(toHex(dealing.publicKey));
    expect(ids).toHaveLength(count);
    const shares = dealing.shares.map((share, i) => ({ id: i + 1, secretShare: scalarFrom(share) }));
    for (const { id, secretShare } of shares) expect(checkShare(group, info.commitments, id, secretShare)).toBe(true);
    const { commitments, groupPublicKey } = info;
    const signers = ids.slice(-threshold);
    const round = newRound(group, { shares, commitments, groupPublicKey }, signers, seededRandom('sign'));
    const parts = signAll(group, round);
    const signature = aggregate(
      group,
      computeGroupCommitment(group, round.context),
      parts.map(({ share }) => share),
    );
    expect(verifySignature(dealing.publicKey, round.context.message, signature)).toBe(true);
  });

  it('any t of n points in any order give the same group.json', () => {
    const all = pointsOf(deal(4, 6, 'any'), 4);
    const whole = encodeGroup(joinShardPoints(group, all).info);
    fc.assert(
      fc.property(fc.shuffledSubarray(all, { minLength: 4 }), (some) => {
        expect(encodeGroup(joinShardPoints(group, some).info)).toBe(whole);
      }),
      { numRuns: 30 },
    );
  });

  it('shards that stayed on hosts that nobody reached lie on it too', () => {
    const dealing = deal(2, 3, 'absent');
    const { info, ids } = joinShardPoints(group, pointsOf(dealing, 2).slice(1));
    expect(ids).toEqual([2, 3]);
    expect(toHex(verificationShare(group, info.commitments, 1))).toBe(toHex(pointOfShare(dealing.shares[0]!)));
  });
});

const ours = pointsOf(deal(2, 3, 'ours'), 2);
const five = pointsOf(deal(3, 5, 'five'), 3);
const other = pointsOf(deal(2, 3, 'other'), 2);
/** Dealt anew from the same key: the same public key, another polynomial. */
let calls = 0;
const random = seededRandom('again');
const again = pointsOf(
  dealAsHorcrux(2, 3, () => (calls++ === 0 ? seededRandom('ours')(32) : random(32))),
  2,
);
const [a, b, c] = ours as [ShardPoint, ShardPoint, ShardPoint];

describe('what does not belong together', () => {
  it.each<[string, readonly ShardPoint[], string, string, number?]>([
    ['nothing', [], 'USAGE', 'no shard was given'],
    ['one shard of the two that are needed', [a], 'SHARDS_TOO_FEW', '1 of the 2 shards'],
    ['shards of two keys', [a, other[1]!], 'SHARDS_DISAGREE', 'shard 1 is of the validator'],
    [
      'shards of two chains',
      [a, { ...b, chainId: 'two' }],
      'SHARDS_DISAGREE',
      'shard 1 is of chain one, shard 2 of chain two',
    ],
    ['a shard twice', [a, b, a], 'SHARDS_DISAGREE', 'shard 1 was given twice'],
    ['two shards of one id', [a, b, { ...c, id: 1 }], 'SHARDS_DISAGREE', 'there are two shards 1, which differ'],
    ['an id above all', [a, { ...b, id: 4 }], 'SHARDS_DISAGREE', 'there is a shard 4, and the configuration has 3'],
    [
      'configurations that differ',
      [a, { ...b, threshold: 3 }],
      'SHARDS_DISAGREE',
      '2 of 3 shards, that beside shard 2 3 of 3',
    ],
    ['numbers of shards that differ', [a, { ...b, count: 4 }], 'SHARDS_DISAGREE', 'that beside shard 2 2 of 4'],
    [
      'a point of small order',
      [a, { ...b, point: toPoint(Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0))) }],
      'SHARD_POINT_INVALID',
      'shard 2',
    ],
    [
      'a shard of another dealing of this key, of three',
      [a, b, { ...again[2]!, publicKey: c.publicKey }],
      'SHARDS_DISAGREE',
      'shard 3 is of another dealing',
    ],
    [
      'the first of another dealing',
      [{ ...again[0]!, publicKey: c.publicKey }, b, c],
      'SHARDS_DISAGREE',
      'shard 1 is of another dealing',
    ],
    [
      'one of two of another dealing',
      [a, { ...again[1]!, publicKey: c.publicKey }],
      'SHARDS_DISAGREE',
      'shards 1 and 2 are not of the key',
    ],
    [
      'shards under the ids of each other',
      [{ ...a, id: 2 }, { ...b, id: 1 }, c],
      'SHARDS_DISAGREE',
      'shards 1, 2 and 3 are not of the key',
    ],
    [
      'two of five under the ids of each other',
      [{ ...five[0]!, id: 2 }, { ...five[1]!, id: 1 }, ...five.slice(2)],
      'SHARDS_DISAGREE',
      'shards 1 and 2 are of another dealing',
    ],
    [
      'a threshold above that of the dealing',
      five,
      'SHARDS_DISAGREE',
      '3 of them sign, and the configuration says 4. Fix: give the threshold 3',
      4,
    ],
    [
      'a threshold below that of the dealing',
      pointsOf(deal(4, 5, 'four'), 3),
      'SHARDS_DISAGREE',
      '4 of them sign, and 3 is said. Fix: give the threshold 4',
    ],
    [
      'the same, and too few to tell',
      pointsOf(deal(4, 5, 'four'), 3).slice(0, 3),
      'SHARDS_DISAGREE',
      'shards 1, 2 and 3 are not of the key',
    ],
    ['half of all as the threshold', pointsOf(deal(2, 4, 'half'), 2), 'THRESHOLD_UNSAFE', 'sign different blocks'],
    ['a threshold above all', ours, 'THRESHOLD_UNSAFE', '4 of 3 can never sign', 4],
    ['a shard alone', pointsOf(deal(1, 1, 'alone'), 1), 'THRESHOLD_UNSAFE', 'whole key'],
  ])('%s', (_name, shards, code, problem, threshold) => {
    const line = refusal(shards, threshold);
    expect(line).toContain(`${code}: `);
    expect(line).toContain(problem);
  });

  it('the threshold of the dealing takes the place of a wrong one', () => {
    const dealing = deal(3, 5, 'wrong');
    const { info } = joinShardPoints(group, pointsOf(dealing, 4), 3);
    expect(info.threshold).toBe(3);
    expect(info.commitments).toHaveLength(3);
  });
});

describe('the place where the watermark starts', () => {
  const at = (...states: readonly (FilePvState | undefined)[]): JoinedPoints =>
    joinShardPoints(
      group,
      five.slice(0, states.length).map((shard, i) => ({ ...shard, state: states[i] })),
    );

  it.each<[string, JoinedPoints, number | undefined, string | undefined]>([
    ['the same everywhere', at(place(50), place(50), place(50)), 1, 'all of height 50'],
    ['the highest height', at(place(50), place(52, 0, 1), place(51, 9, 3)), 2, 'all of height 52'],
    ['the highest round', at(place(50, 0, 3), place(50, 1, 1), place(50, 0, 3), place(49)), 2, 'all of height 50'],
    [
      'all hosts, one of which is far ahead',
      at(place(5), place(5), place(5), place(5), place(900)),
      5,
      'all of height 900',
    ],
    ['as many as each signature had one of', at(place(50), undefined, place(51), place(50)), 3, 'all of height 51'],
    ['too few to tell', at(place(50), undefined, undefined), 1, undefined],
    ['none that knows', at(undefined, undefined, undefined), undefined, undefined],
  ])('%s', (_name, joined, host, start) => {
    expect(joined.highest?.id).toBe(host);
    const watermark = startOfShards(joined, 1000);
    expect(watermark === undefined ? undefined : describePlace(watermark)).toBe(start);
    expect(watermark?.fresh ?? false).toBe(false);
  });
});

describe('the signature at that place', () => {
  const seed = Buffer.alloc(32, 3);
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  const bytes = voteSignBytes({
    ...{ type: PREVOTE, height: 50n, round: 0, blockId: undefined, chainId: 'one' },
    timestamp: { seconds: 1n, nanos: 0 },
  });
  const signature = sign(null, bytes, createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })).toString('base64');
  const state = fromFilePv(
    JSON.stringify({ height: '50', round: 0, step: 2, signature, signbytes: Buffer.from(bytes).toString('hex') }),
    'one',
  );

  it('of another key is refused', () => {
    expect(refusal([a, { ...b, state }])).toContain(
      'STATE_IMPORT_INVALID: the signature at the place of shard 2 is not of its key',
    );
  });

  it('of this key is taken', () => {
    let first = true;
    const dealing = dealAsHorcrux(2, 3, () => {
      const next = first ? seed : Buffer.alloc(32, 8);
      first = false;
      return next;
    });
    expect(toHex(dealing.publicKey)).toBe(toHex(publicKeyOfSeed(seed)));
    expect(joinShardPoints(group, pointsOf(dealing, 2, { state })).withState).toEqual([1, 2, 3]);
  });
});
