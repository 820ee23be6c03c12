import { equalBytes, wipe } from '../../shared/bytes.js';
import { deal, type SecretShare } from '../../shared/frost/dealer.js';
import { checkShare, verificationShare } from '../../shared/frost/feldman.js';
import type { Group, Point } from '../../shared/frost/group.js';
import { interpolatingValue } from '../../shared/frost/interpolate.js';
import { keyFromSeed, type SecretKey } from '../../shared/frost/keys.js';
import type { GroupInfo } from '../../shared/home/group-file.js';
import { invariant, must } from '../../shared/invariant.js';
import type { RandomBytes } from '../../shared/ports/random.js';
import type { ConsensusKey } from './priv-validator-key.js';
import { secondOpinion } from './second-opinion.js';

export interface DealtKey {
  readonly info: GroupInfo;
  /** By id, 1…n. Secret: wipe with `wipeShares` once they are written. */
  readonly shares: readonly SecretShare[];
}

export interface DealingOptions {
  readonly chainId: string;
  readonly threshold: number;
  readonly count: number;
  readonly random: RandomBytes;
}

/** Deals a key into shares and checks the dealing as its receivers will. The key stays the caller's to wipe. */
export function dealKey(group: Group, key: ConsensusKey, options: DealingOptions): DealtKey {
  const { secret, publicKey } = keyFromSeed(group, key.seed);
  try {
    invariant(equalBytes(publicKey, key.publicKey), 'the seed is that of its public key');
    return dealSecret(group, { secret, publicKey }, options);
  } finally {
    wipe(secret);
  }
}

/** The same for a key whose seed nobody has any more. */
export function dealSecret(group: Group, { secret, publicKey }: SecretKey, options: DealingOptions): DealtKey {
  const { chainId, threshold, count, random } = options;
  const { shares, commitments, groupPublicKey } = deal(group, { secret, threshold, count, random });
  invariant(equalBytes(groupPublicKey, publicKey), 'a dealing keeps its public key');
  const info: GroupInfo = { chainId, threshold, count, groupPublicKey, commitments };
  for (const { id, secretShare } of shares)
    invariant(checkShare(group, commitments, id, secretShare), 'a dealt share lies on the polynomial');
  for (const from of [1, count - threshold + 1])
    invariant(pointsMakeKey(group, info, verificationPoints(group, info, from)), 'dealt shares make the public key');
  const points = new Map(shares.map(({ id }) => [id, verificationShare(group, commitments, id)]));
  const problem = secondOpinion(info, points);
  invariant(problem === undefined, `libsodium and @noble/curves agree on a dealing (${problem})`);
  return { info, shares };
}

export function wipeShares(dealt: DealtKey): void {
  wipe(...dealt.shares.map(({ secretShare }) => secretShare));
}

/** s·B of some shares, by id. */
export type VerificationPoints = ReadonlyMap<number, Point>;

/** Whether the points of t shares interpolate to the group public key: Σ λ_i·Y_i = Y. Needs no secret. */
export function pointsMakeKey(group: Group, info: GroupInfo, points: VerificationPoints): boolean {
  const ids = [...points.keys()];
  invariant(ids.length === info.threshold, 'a key is interpolated from t points');
  const terms = ids.map((id) => group.mult(interpolatingValue(ids, id), must(points.get(id), 'an id of the map')));
  return equalBytes(group.add(terms), info.groupPublicKey);
}

function verificationPoints(group: Group, info: GroupInfo, from: number): VerificationPoints {
  const ids = Array.from({ length: info.threshold }, (_, i) => from + i);
  return new Map(ids.map((id) => [id, verificationShare(group, info.commitments, id)]));
}
