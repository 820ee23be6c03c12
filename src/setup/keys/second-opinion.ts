import type { EdwardsPoint } from '@noble/curves/abstract/edwards.js';
import { ed25519 } from '@noble/curves/ed25519.js';
import { equalBytes } from '../../shared/bytes.js';
import type { GroupInfo } from '../../shared/home/group-file.js';
import { must } from '../../shared/invariant.js';

const { Point } = ed25519;
const { Fn } = Point;

/**
 * Checks a dealing with a library that shares no code with libsodium: that the commitments C_k are in the prime-order group,
 * that `points` (by id, as libsodium computes them) are the verification shares Y_i = Σ i^k·C_k, and that the last t of all
 * n make the public key. What is wrong, or undefined. Only public values may come here: BigInt is not constant-time.
 */
export function secondOpinion(info: GroupInfo, points: ReadonlyMap<number, Uint8Array>): string | undefined {
  const { threshold, count, groupPublicKey } = info;
  const commitments: EdwardsPoint[] = [];
  for (const bytes of info.commitments) {
    const commitment = decode(bytes);
    if (commitment === undefined)
      return `commitment ${commitments.length + 1} of ${info.commitments.length} is not in the prime-order group`;
    commitments.push(commitment);
  }
  for (const [id, point] of points)
    if (!equalBytes(verificationShare(commitments, id).toBytes(), point))
      return `signer ${id} has another public point`;
  const ids = Array.from({ length: threshold }, (_, i) => count - i);
  const shares = new Map(ids.map((id) => [id, verificationShare(commitments, id)]));
  return equalBytes(interpolate(shares).toBytes(), groupPublicKey) ? undefined : 'the shares make another public key';
}

/** DeserializeElement of RFC 9591 §6.1, or undefined. */
function decode(bytes: Uint8Array): EdwardsPoint | undefined {
  try {
    const point = Point.fromBytes(bytes);
    return point.is0() || !point.isTorsionFree() ? undefined : point;
  } catch {
    return undefined;
  }
}

function verificationShare(commitments: readonly EdwardsPoint[], id: number): EdwardsPoint {
  return commitments.reduceRight((sum, commitment) => sum.multiplyUnsafe(BigInt(id)).add(commitment), Point.ZERO);
}

/** Σ λ_i·Y_i with the Lagrange coefficients at 0, λ_i = Π j / (j - i). */
function interpolate(shares: ReadonlyMap<number, EdwardsPoint>): EdwardsPoint {
  const ids = [...shares.keys()].map(BigInt);
  const terms = ids.map((id) => {
    const others = ids.filter((other) => other !== id);
    const weight = others.reduce((product, other) => Fn.mul(product, Fn.div(other, Fn.sub(other, id))), Fn.ONE);
    return must(shares.get(Number(id)), 'an id of the map').multiplyUnsafe(weight);
  });
  return terms.reduce((sum, term) => sum.add(term), Point.ZERO);
}
