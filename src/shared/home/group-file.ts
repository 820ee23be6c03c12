import { z } from 'zod';
import { equalBytes, toBase64 } from '../bytes.js';
import { chainIdProblem } from '../config/chain-id.js';
import { MAX_COSIGNERS } from '../coordination/limits.js';
import { HekateError, isHekateError, messageOf } from '../errors.js';
import { POINT_BYTES, toPoint, type Point } from '../frost/group.js';
import { must } from '../invariant.js';
import { checkUnchanged } from './guard.js';
import { accessDenied } from '../ports/access-denied.js';
import { readPlainText } from '../ports/plain-file.js';

/** What is public about a shared key (group.json). The same bytes in every process of a cluster. */
export interface GroupInfo {
  readonly chainId: string;
  /** t: signers that a signature needs. */
  readonly threshold: number;
  /** n: shares that were dealt, ids 1…n. */
  readonly count: number;
  /** The validator's consensus key. */
  readonly groupPublicKey: Point;
  /** Feldman commitments to the coefficients of the dealer's polynomial, t points; the first is the key. */
  readonly commitments: readonly Point[];
}

const MAX_FILE_BYTES = 64 * 1024;
const NO_CHAIN_ID = { error: '"chainId" is no chain id' };
const NO_COUNT = { error: outOfBounds('count', 2, MAX_COSIGNERS) };

const schema = z
  .strictObject(
    {
      version: z.literal(1, { error: 'its version is not 1' }),
      chainId: z.string(NO_CHAIN_ID).refine((id) => chainIdProblem(id) === undefined, NO_CHAIN_ID),
      count: z.int(NO_COUNT).min(2, NO_COUNT).max(MAX_COSIGNERS, NO_COUNT),
      threshold: z.int({ error: '"threshold" is not a whole number' }),
      groupPublicKey: point('groupPublicKey'),
      commitments: z.array(point('commitments'), { error: '"commitments" are no list' }),
    },
    {
      error: (issue) =>
        issue.code === 'unrecognized_keys'
          ? `unknown key ${JSON.stringify(issue.keys[0]?.slice(0, 40))}`
          : 'it is not a JSON object',
    },
  )
  .check(({ value, issues }) => {
    const message = disagreement(value);
    if (message !== undefined) issues.push({ code: 'custom', message, input: value });
  });

/** What is wrong between fields that are good each for itself. */
function disagreement(group: GroupInfo): string | undefined {
  const { threshold, count, groupPublicKey, commitments } = group;
  const least = Math.floor(count / 2) + 1;
  if (threshold < least || threshold > count) return outOfBounds('threshold', least, count);
  if (commitments.length !== threshold) return `"commitments" are not ${threshold}`;
  if (commitments[0] === undefined || !equalBytes(commitments[0], groupPublicKey))
    return 'its first commitment is not its public key';
  return undefined;
}

function outOfBounds(name: string, min: number, max: number): string {
  return `"${name}" is not a whole number between ${min} and ${max}`;
}

/** A point in canonical base64: what Buffer makes of the text is written as the same text. */
function point(name: string): z.ZodType<Point, string> {
  const error = `"${name}" has a value that is not 32 bytes in base64`;
  return z.string({ error }).transform((text, { issues }) => {
    const bytes = new Uint8Array(Buffer.from(text, 'base64'));
    if (bytes.length === POINT_BYTES && toBase64(bytes) === text) return toPoint(bytes);
    issues.push({ code: 'custom', message: error, input: text });
    return z.NEVER;
  });
}

export function encodeGroup(group: GroupInfo): string {
  const { chainId, threshold, count, groupPublicKey, commitments } = group;
  const json = {
    version: 1,
    chainId,
    threshold,
    count,
    groupPublicKey: toBase64(groupPublicKey),
    commitments: commitments.map(toBase64),
  };
  return `${JSON.stringify(json, undefined, 2)}\n`;
}

/** Throws GROUP_INVALID, ACCESS_DENIED or HOME_TOO_OPEN. `chainId`: the chain that it must be for. */
export async function loadGroupFile(path: string, chainId?: string): Promise<GroupInfo> {
  let contents: Uint8Array;
  try {
    contents = await readPlainText(path, MAX_FILE_BYTES, (stats) => checkUnchanged(path, stats));
  } catch (error) {
    if (isHekateError(error)) throw error;
    const denied = accessDenied(error);
    if (denied !== undefined) throw denied;
    throw new HekateError('GROUP_INVALID', `${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
  const group = parseGroup(contents, path);
  if (chainId !== undefined && group.chainId !== chainId)
    throw invalid(path, `it is for chain ${group.chainId}, not ${chainId}`);
  return group;
}

export function sameGroup(a: GroupInfo, b: GroupInfo): boolean {
  return encodeGroup(a) === encodeGroup(b);
}

/** Throws GROUP_INVALID. That the points are points is found by the arithmetic that uses them. */
export function parseGroup(contents: Uint8Array, path: string): GroupInfo {
  const result = schema.safeParse(parseJson(contents, path));
  if (!result.success) throw invalid(path, must(result.error.issues[0], 'a file that is refused has an issue').message);
  const { chainId, threshold, count, groupPublicKey, commitments } = result.data;
  return { chainId, threshold, count, groupPublicKey, commitments };
}

function parseJson(contents: Uint8Array, path: string): unknown {
  try {
    return JSON.parse(Buffer.from(contents).toString('utf8'));
  } catch {
    throw invalid(path, 'it is not JSON');
  }
}

function invalid(path: string, problem: string): HekateError {
  return new HekateError('GROUP_INVALID', `${path} is no group file: ${problem}`);
}
