import { equalBytes, toHex } from '../../../shared/bytes.js';
import { verifySignature } from '../../../shared/ed25519/openssl-verify.js';
import { HekateError } from '../../../shared/errors.js';
import type { Group, Point } from '../../../shared/frost/group.js';
import type { GroupInfo } from '../../../shared/home/group-file.js';
import { invariant, must } from '../../../shared/invariant.js';
import { addressOf } from '../../../shared/keys/formats.js';
import { fullPace } from '../../../shared/watermark/height-pace.js';
import { compareHrs, floorAtHeight, type Watermark } from '../../../shared/watermark/watermark.js';
import { checkThreshold } from '../../init/request.js';
import { pointsMakeKey, type VerificationPoints } from '../../keys/dealing.js';
import { secondOpinion } from '../../keys/second-opinion.js';
import { commitmentsOfPoints, pointsOff, thresholdOf } from './commitments.js';
import type { ShardPoint } from './shard-point.js';

/** More sets of t points are not tried to find out whose point is wrong: some seconds. */
const MAX_TRIED = 2_000;

/** A dealing of Horcrux, of the public points of its shards alone. */
export interface JoinedPoints {
  readonly info: GroupInfo;
  /** Ids whose points were there, ascending. */
  readonly ids: readonly number[];
  /** The highest place that any of the hosts knows; undefined: none knows any. */
  readonly highest: ShardPoint | undefined;
  /** Hosts that know a place, of which n-t+1 are enough: every signature had one of them among its t signers. */
  readonly withState: readonly number[];
}

/**
 * The dealing that shards belong to. The points of t make the key by interpolation, and the commitments for group.json; every other
 * point must lie on that polynomial, which must not be of a lower degree. Nothing is put together and nothing signed.
 * `threshold`: instead of what the configurations say. Throws USAGE, SHARDS_DISAGREE, SHARDS_TOO_FEW, SHARD_POINT_INVALID,
 * STATE_IMPORT_INVALID or THRESHOLD_UNSAFE.
 */
export function joinShardPoints(group: Group, shards: readonly ShardPoint[], threshold?: number): JoinedPoints {
  const [first] = shards;
  if (first === undefined) throw new HekateError('USAGE', 'no shard was given');
  for (const shard of shards) checkAgainst(first, shard);
  const { chainId, publicKey, count } = first;
  const needed = threshold ?? first.threshold;
  checkThreshold(needed, count);
  const points = pointsById(group, shards, count);
  if (points.size < needed)
    throw new HekateError(
      'SHARDS_TOO_FEW',
      `${points.size} of the ${needed} shards that make the key of ${chainId} were given`,
    );
  const info = { chainId, threshold: needed, count, groupPublicKey: publicKey };
  const commitments = commitmentsOf(group, info, points);
  checkResult(group, { ...info, commitments }, points);
  for (const shard of shards) checkState(shard);
  const known = shards.filter(({ state }) => state !== undefined);
  return {
    info: { ...info, commitments },
    ids: ids(points.keys()),
    highest: known.reduce<ShardPoint | undefined>((a, b) => (a === undefined || isHigher(b, a) ? b : a), undefined),
    withState: ids(known.map(({ id }) => id)),
  };
}

/**
 * Where the watermark starts: at the end of the highest height. Horcrux lets parts of signatures out before it writes, and in no
 * order, so that within a height its files may be behind; the height itself is as high as its hosts know. Undefined where too few
 * hosts know a place: somebody else has to say how high. `nowSecond`: the wall clock.
 */
export function startOfShards(joined: JoinedPoints, nowSecond: number): Watermark | undefined {
  const { info, highest, withState } = joined;
  const height = highest?.state?.watermark.height;
  if (height === undefined || withState.length < info.count - info.threshold + 1) return undefined;
  return { ...floorAtHeight(height), pace: fullPace(nowSecond) };
}

function isHigher(a: ShardPoint, b: ShardPoint): boolean {
  const [of, than] = [a.state?.watermark, b.state?.watermark];
  return of !== undefined && than !== undefined && compareHrs(of, than) > 0;
}

function checkAgainst(first: ShardPoint, shard: ShardPoint): void {
  const differ = (what: string, a: unknown, b: unknown): HekateError =>
    disagree(`shard ${first.id} is of ${what} ${String(a)}, shard ${shard.id} of ${what} ${String(b)}`);
  if (shard.chainId !== first.chainId) throw differ('chain', first.chainId, shard.chainId);
  if (!equalBytes(shard.publicKey, first.publicKey))
    throw differ('the validator', hexAddress(first.publicKey), hexAddress(shard.publicKey));
  for (const name of ['threshold', 'count'] as const)
    if (shard[name] !== first[name])
      throw disagree(
        `the configuration beside shard ${first.id} has ${first.threshold} of ${first.count} shards, that beside shard ${shard.id} ${shard.threshold} of ${shard.count}`,
        'find out which of the configurations is that of this dealing, and correct the other',
      );
}

function pointsById(group: Group, shards: readonly ShardPoint[], count: number): VerificationPoints {
  const points = new Map<number, Point>();
  for (const { id, point } of [...shards].sort((a, b) => a.id - b.id)) {
    if (id > count) throw disagree(`there is a shard ${id}, and the configuration has ${count}`);
    if (!group.isValidPoint(point))
      throw new HekateError('SHARD_POINT_INVALID', `the point of shard ${id} is no point of a shard`);
    const known = points.get(id);
    if (known !== undefined)
      throw disagree(
        equalBytes(known, point) ? `shard ${id} was given twice` : `there are two shards ${id}, which differ`,
      );
    points.set(id, point);
  }
  return points;
}

type Dealing = Omit<GroupInfo, 'commitments'>;

/** Throws SHARDS_DISAGREE, as far as it can be told with who does not belong. */
function commitmentsOf(group: Group, info: Dealing, points: VerificationPoints): readonly Point[] {
  const commitments = commitmentsOfPoints(group, firstOf(points, info.threshold));
  if (!makesKey(commitments, info)) throw disagree(...whyNotTheKey(group, info, points));
  const real = thresholdOf(group, commitments);
  if (real < info.threshold)
    throw disagree(
      `these shards were dealt so that ${real} of them sign, and the configuration says ${info.threshold}`,
      `give the threshold ${real}: any ${real} of these shards can sign today, whatever the configuration says`,
    );
  const off = pointsOff(group, commitments, points);
  if (off.length === 0) return commitments;
  throw disagree(`${named(off)} of another dealing than the others`);
}

function makesKey(commitments: readonly Point[], { groupPublicKey }: Dealing): boolean {
  return equalBytes(must(commitments[0], 'one for each point'), groupPublicKey);
}

/** The first t points do not make the key: the problem, and what to do where that is not the usual. */
function whyNotTheKey(group: Group, info: Dealing, points: VerificationPoints): readonly [string, string?] {
  const { threshold } = info;
  for (const chosen of subsets([...points], threshold, MAX_TRIED)) {
    const some = new Map(chosen);
    if (!areOf(group, info, some)) continue;
    return [`${named(pointsOff(group, commitmentsOfPoints(group, some), points))} of another dealing than the others`];
  }
  for (let more = threshold + 1; more <= points.size; more++) {
    const some = firstOf(points, more);
    if (areOf(group, { ...info, threshold: more }, some) && isOneDealing(group, some, points))
      return [
        `these shards were dealt so that ${more} of them sign, and ${threshold} is said`,
        `give the threshold ${more}, that of the dealing`,
      ];
  }
  return [
    `${named(points.keys())} not of the key ${hexAddress(info.groupPublicKey)} that their files name, as shards of which ${threshold} sign`,
    'bring the points of more hosts, which tells whose shard is of another dealing; and see that the threshold is that of the dealing',
  ];
}

function areOf(group: Group, info: Dealing, points: VerificationPoints): boolean {
  return pointsMakeKey(group, { ...info, commitments: [] }, points);
}

function isOneDealing(group: Group, some: VerificationPoints, all: VerificationPoints): boolean {
  return pointsOff(group, commitmentsOfPoints(group, some), all).length === 0;
}

/** Sets of `size` of the entries, at most so many, each once. */
function* subsets<T>(all: readonly T[], size: number, most: number): Generator<readonly T[]> {
  const at = Array.from({ length: size }, (_, i) => i);
  for (let made = 0; made < most; made++) {
    yield at.map((i) => must(all[i], 'an index below the length'));
    const next = at.findLastIndex((index, i) => index < all.length - size + i);
    if (next < 0) return;
    const from = must(at[next], 'found above') + 1;
    for (let i = next; i < size; i++) at[i] = from + i - next;
  }
}

/** By construction both agree; a library that computes wrongly must not make a group.json. */
function checkResult(group: Group, info: GroupInfo, points: VerificationPoints): void {
  invariant(pointsMakeKey(group, info, firstOf(points, info.threshold)), 'the points of t shards make the key');
  const problem = secondOpinion(info, points);
  invariant(problem === undefined, `libsodium and @noble/curves agree on shards (${problem})`);
}

function checkState({ id, publicKey, state }: ShardPoint): void {
  const bytes = state?.watermark.signBytes?.bytes;
  if (bytes === undefined || state?.signature === undefined) return;
  if (verifySignature(publicKey, bytes, state.signature)) return;
  throw new HekateError(
    'STATE_IMPORT_INVALID',
    `the signature at the place of shard ${id} is not of its key: the state is that of another`,
    { fix: 'give the state files that are beside this shard' },
  );
}

function firstOf(points: VerificationPoints, size: number): VerificationPoints {
  return new Map([...points].slice(0, size));
}

function ids(some: Iterable<number>): readonly number[] {
  return [...some].sort((a, b) => a - b);
}

/** "shard 2 is", "shards 1 and 3 are", as the beginning of a sentence. */
function named(some: Iterable<number>): string {
  const all = ids(some);
  if (all.length === 1) return `shard ${all.join('')} is`;
  return `shards ${all.slice(0, -1).join(', ')} and ${all.at(-1)} are`;
}

function hexAddress(publicKey: Uint8Array): string {
  return toHex(addressOf(publicKey)).toUpperCase();
}

function disagree(problem: string, fix?: string): HekateError {
  return new HekateError('SHARDS_DISAGREE', problem, fix === undefined ? {} : { fix });
}
