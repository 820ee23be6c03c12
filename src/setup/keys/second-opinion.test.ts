import { ED25519_TORSION_SUBGROUP } from '@noble/curves/ed25519.js';
import { expect, test } from 'vitest';
import { fromHex } from '../../shared/bytes.js';
import { verificationShare } from '../../shared/frost/feldman.js';
import { toPoint } from '../../shared/frost/group.js';
import { loadGroup } from '../../shared/frost/load-group.js';
import type { GroupInfo } from '../../shared/home/group-file.js';
import { must } from '../../shared/invariant.js';
import { systemRandom } from '../../shared/ports/random.js';
import { dealKey, wipeShares } from './dealing.js';
import { generateConsensusKey } from './priv-validator-key.js';
import { secondOpinion } from './second-opinion.js';

const group = await loadGroup();

function deal(threshold: number, count: number): GroupInfo {
  const options = { chainId: 'test-1', threshold, count, random: systemRandom };
  const dealt = dealKey(group, generateConsensusKey(group, systemRandom), options);
  wipeShares(dealt);
  return dealt.info;
}

/** As libsodium computes them, for all ids. */
function pointsOf({ commitments, count }: GroupInfo): Map<number, Uint8Array> {
  const ids = Array.from({ length: count }, (_, i) => i + 1);
  return new Map(ids.map((id) => [id, verificationShare(group, commitments, id)]));
}

test.each([
  [2, 2],
  [2, 3],
  [3, 4],
  [3, 5],
  [5, 5],
  [7, 13],
  [17, 32],
  [32, 32],
])('agrees with libsodium on a key of %i of %i', (threshold, count) => {
  const info = deal(threshold, count);
  expect(secondOpinion(info, pointsOf(info))).toBeUndefined();
});

const info = deal(3, 5);
const points = pointsOf(info);
const foreign = deal(3, 5);
const smallOrder = toPoint(fromHex(must(ED25519_TORSION_SUBGROUP[1], 'a point of small order')));
const identity = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0));
const commitment = (k: number, point: Uint8Array): GroupInfo => ({
  ...info,
  commitments: info.commitments.with(k, toPoint(point)),
});
const of = <T extends Uint8Array>(list: readonly T[], i: number): T => must(list[i], 'a commitment');

test.each<[string, GroupInfo, ReadonlyMap<number, Uint8Array>, string]>([
  ['first commitment', commitment(0, of(foreign.commitments, 0)), points, 'signer 1 has another public point'],
  ['last commitment', commitment(2, of(foreign.commitments, 2)), points, 'signer 1 has another public point'],
  ['first commitment, without points', commitment(0, of(foreign.commitments, 0)), new Map(), 'make another public key'],
  [
    'commitments in another order',
    { ...info, commitments: info.commitments.toReversed() },
    points,
    'signer 2 has another public point',
  ],
  [
    'a commitment of small order',
    commitment(1, smallOrder),
    points,
    'commitment 2 of 3 is not in the prime-order group',
  ],
  [
    'a commitment plus small order',
    commitment(1, group.add([of(info.commitments, 1), smallOrder])),
    points,
    'commitment 2',
  ],
  ['the identity', commitment(2, identity), points, 'commitment 3 of 3 is not in the prime-order group'],
  ['not on the curve', commitment(0, new Uint8Array(32).fill(2, 0, 1)), points, 'commitment 1 of 3 is not in'],
  [
    'one point',
    info,
    new Map(points).set(4, of([...pointsOf(foreign).values()], 3)),
    'signer 4 has another public point',
  ],
  [
    'two points swapped',
    info,
    new Map(points).set(1, of([...points.values()], 1)),
    'signer 1 has another public point',
  ],
  ['the key', { ...info, groupPublicKey: foreign.groupPublicKey }, points, 'the shares make another public key'],
])('says no: %s', (_name, changed, given, expected) => {
  expect(secondOpinion(changed, given)).toContain(expected);
});
