import { readFile } from 'node:fs/promises';
import { equalBytes, toBase64 } from '../bytes.js';
import { chainIdProblem } from '../config/chain-id.js';
import { MAX_COSIGNERS } from '../coordination/limits.js';
import { HekateError, messageOf } from '../errors.js';
import { toPoint, type Point } from '../frost/group.js';

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
const KEYS = ['version', 'chainId', 'threshold', 'count', 'groupPublicKey', 'commitments'];

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

/** Throws GROUP_INVALID. `chainId`: the chain that it must be for. */
export async function loadGroupFile(path: string, chainId?: string): Promise<GroupInfo> {
  let contents: Buffer;
  try {
    contents = await readFile(path);
  } catch (error) {
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
  if (contents.length > MAX_FILE_BYTES) throw invalid(path, `it has ${contents.length} bytes`);
  const json = parseObject(contents, path);
  const unknown = Object.keys(json).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) throw invalid(path, `unknown key ${JSON.stringify(unknown.slice(0, 40))}`);
  if (json['version'] !== 1) throw invalid(path, 'its version is not 1');
  const chainId = json['chainId'];
  if (typeof chainId !== 'string' || chainIdProblem(chainId) !== undefined)
    throw invalid(path, '"chainId" is no chain id');
  const count = integer(json['count'], 2, MAX_COSIGNERS, path, 'count');
  const threshold = integer(json['threshold'], Math.floor(count / 2) + 1, count, path, 'threshold');
  const groupPublicKey = point(json['groupPublicKey'], path, 'groupPublicKey');
  const list: unknown = json['commitments'];
  if (!Array.isArray(list) || list.length !== threshold) throw invalid(path, `"commitments" are not ${threshold}`);
  const commitments = list.map((value: unknown) => point(value, path, 'commitments'));
  if (commitments[0] === undefined || !equalBytes(commitments[0], groupPublicKey))
    throw invalid(path, 'its first commitment is not its public key');
  return { chainId, threshold, count, groupPublicKey, commitments };
}

function parseObject(contents: Uint8Array, path: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(contents).toString('utf8'));
  } catch {
    throw invalid(path, 'it is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(path, 'it is not a JSON object');
  return value as Record<string, unknown>;
}

function integer(value: unknown, min: number, max: number, path: string, name: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw invalid(path, `"${name}" is not a whole number between ${min} and ${max}`);
}

function point(value: unknown, path: string, name: string): Point {
  const bytes = typeof value === 'string' ? new Uint8Array(Buffer.from(value, 'base64')) : new Uint8Array(0);
  if (bytes.length !== 32 || toBase64(bytes) !== value)
    throw invalid(path, `"${name}" has a value that is not 32 bytes in base64`);
  return toPoint(bytes);
}

function invalid(path: string, problem: string): HekateError {
  return new HekateError('GROUP_INVALID', `${path} is no group file: ${problem}`);
}
