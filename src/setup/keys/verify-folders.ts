import { toHex, wipe } from '../../shared/bytes.js';
import { isHekateError } from '../../shared/errors.js';
import { verificationShare } from '../../shared/frost/feldman.js';
import type { Group, Point } from '../../shared/frost/group.js';
import type { ChainFiles } from '../find-homes.js';
import { loadGroupFile, sameGroup, type GroupInfo } from '../../shared/home/group-file.js';
import { ownerOf, readShare } from '../../shared/home/share-file.js';
import { pointsMakeKey } from './dealing.js';
import { secondOpinion } from './second-opinion.js';
import { verifyHomes } from './verify-homes.js';

/** One line of what was found; `ok` is false for anything that must be looked at. */
export interface Finding {
  readonly folder: string;
  readonly ok: boolean;
  readonly text: string;
}

export interface ChainVerdict {
  readonly chainId: string;
  readonly ok: boolean;
  readonly publicKey: string | undefined;
  readonly threshold: number | undefined;
  readonly count: number | undefined;
  /** Ids of the good shares, ascending. */
  readonly shares: readonly number[];
  /** Whether t shares were there whose public points make the key; undefined when there were fewer. */
  readonly makesKey: boolean | undefined;
  readonly findings: readonly Finding[];
}

/**
 * Checks a chain's folders against each other: the same group.json everywhere, each share on the dealer's polynomial, none
 * twice and in the home of its cosigner, certificates as they are pinned, and t of their public points make the public key;
 * what is public of it by a second library too. Shares are looked at one by one and wiped; the key is never put together.
 * `expected`: the public key that it must be.
 */
export async function verifyChain(
  chainId: string,
  folders: readonly ChainFiles[],
  group: Group,
  expected: Uint8Array | undefined,
): Promise<ChainVerdict> {
  const findings: Finding[] = [];
  const points = new Map<number, Point>();
  const shareIds = new Map<string, number>();
  const read = await Promise.all(folders.map((files) => readGroup(files, chainId)));
  const most = commonest(read.filter((one) => 'info' in one));
  const reference = most?.info;
  for (const one of read) {
    const { files } = one;
    const { folder } = files;
    const bad = (text: string): void => void findings.push({ folder, ok: false, text });
    if ('problem' in one) {
      bad(one.problem);
      continue;
    }
    const { info } = one;
    try {
      if (most !== undefined && !sameGroup(info, most.info))
        bad(`group.json differs from that in ${most.files.folder}`);
      else if (files.share === undefined) findings.push({ folder, ok: true, text: 'group.json agrees; no share here' });
      else {
        const id = await idOfShare(files.share, info, group);
        if (id !== undefined) shareIds.set(folder, id);
        if (id === undefined) bad('share.key is not a share of this key');
        else if (points.has(id)) bad(`share ${id} is here a second time`);
        else {
          points.set(id, verificationShare(group, info.commitments, id));
          findings.push({ folder, ok: true, text: `share ${id} of ${info.count} is good` });
        }
      }
    } catch (error) {
      if (!isHekateError(error)) throw error;
      bad(error.toLine());
    }
  }
  const homes = folders.map((files) => files.folder);
  findings.push(...(await verifyHomes(homes, shareIds, reference)).map((problem) => ({ ...problem, ok: false })));
  const makesKey = reference === undefined ? undefined : quorumMakesKey(group, reference, points);
  const folder = folders[0]?.folder ?? '';
  const doubt = reference && secondOpinion(reference, points);
  if (doubt !== undefined) findings.push({ folder, ok: false, text: `by the arithmetic of @noble/curves, ${doubt}` });
  if (makesKey === false) findings.push({ folder, ok: false, text: 'the shares do not make the public key' });
  if (expected !== undefined && reference !== undefined)
    findings.push(compareKeys(expected, toHex(reference.groupPublicKey), folder));
  return {
    chainId,
    ok: findings.every(({ ok }) => ok),
    publicKey: reference && toHex(reference.groupPublicKey),
    threshold: reference?.threshold,
    count: reference?.count,
    shares: [...points.keys()].sort((a, b) => a - b),
    makesKey,
    findings,
  };
}

interface ReadGroup {
  readonly files: ChainFiles;
  readonly info: GroupInfo;
}

async function readGroup(
  files: ChainFiles,
  chainId: string,
): Promise<ReadGroup | { readonly files: ChainFiles; readonly problem: string }> {
  try {
    return { files, info: await loadGroupFile(files.group, chainId) };
  } catch (error) {
    if (!isHekateError(error)) throw error;
    return { files, problem: error.toLine() };
  }
}

/** What most folders have is right, and of what as many have, the first: the odd one out is to be named, not all the others. */
function commonest(groups: readonly ReadGroup[]): ReadGroup | undefined {
  const count = ({ info }: ReadGroup): number => groups.filter((other) => sameGroup(info, other.info)).length;
  return groups.reduce<ReadGroup | undefined>(
    (best, one) => (best === undefined || count(one) > count(best) ? one : best),
    undefined,
  );
}

function compareKeys(expected: Uint8Array, made: string, folder: string): Finding {
  const held = toHex(expected);
  return held === made
    ? { folder, ok: true, text: 'the key file holds the key that the shares make' }
    : { folder, ok: false, text: `the shares make ${made}, the key file holds ${held}: another validator's key` };
}

async function idOfShare(path: string, info: GroupInfo, group: Group): Promise<number | undefined> {
  const share = await readShare(path);
  try {
    return ownerOf(share, info, group);
  } finally {
    wipe(share);
  }
}

function quorumMakesKey(group: Group, info: GroupInfo, points: ReadonlyMap<number, Point>): boolean | undefined {
  if (points.size < info.threshold) return undefined;
  return pointsMakeKey(group, info, new Map([...points].slice(0, info.threshold)));
}
