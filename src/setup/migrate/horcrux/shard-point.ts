import { createHash } from 'node:crypto';
import { z } from 'zod';
import { equalBytes, toBase64, toHex } from '../../../shared/bytes.js';
import { chainIdProblem } from '../../../shared/config/chain-id.js';
import { MAX_COSIGNERS } from '../../../shared/coordination/limits.js';
import { HekateError } from '../../../shared/errors.js';
import { POINT_BYTES, toPoint, type Point } from '../../../shared/frost/group.js';
import { newerFile } from '../../../shared/home/newer-file.js';
import { must } from '../../../shared/invariant.js';
import { fromFilePv, type FilePvState } from '../../file-pv.js';
import { isJsonObject } from '../../json-object.js';
import type { Shard } from './shard.js';

/** What is public of a shard, and where its host has signed up to: what hosts carry together, while the shard stays. */
export interface ShardPoint extends Omit<Shard, 'share'> {
  readonly chainId: string;
  /** As the configuration of that host has it: t and n of the dealing, which no shard says. */
  readonly threshold: number;
  readonly count: number;
  /** The highest place in the state files of that host; undefined where they know of none. */
  readonly state: FilePvState | undefined;
}

export const SHARD_POINT_VERSION = 1;
const KIND = 'public point of a Horcrux shard';
const CHECKSUM = /^[0-9a-f]{64}$/;
/** Some 1,500 characters are usual. */
export const MAX_SHARD_POINT_BYTES = 16 * 1024;

const schema = z.strictObject(
  {
    version: z.literal(SHARD_POINT_VERSION, { error: `its version is not ${SHARD_POINT_VERSION}` }),
    kind: z.literal(KIND),
    chainId: z.string({ error: '"chainId" is no chain id' }).refine((id) => chainIdProblem(id) === undefined, {
      error: '"chainId" is no chain id',
    }),
    publicKey: point('publicKey'),
    threshold: whole('threshold'),
    count: whole('count'),
    id: whole('id'),
    point: point('point'),
    // Of the shape of priv_validator_state.json, whose reader says what is wrong with it.
    place: z.union([z.null(), z.looseObject({})], { error: '"place" is no place' }),
    checksum: z
      .string({ error: '"checksum" is missing' })
      .regex(CHECKSUM, { error: '"checksum" is not 64 hex digits' }),
  },
  {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `unknown key ${JSON.stringify(issue.keys[0]?.slice(0, 40))}`
        : 'it is not a JSON object',
  },
);

export function encodeShardPoint(point: ShardPoint): string {
  const { chainId, publicKey, threshold, count, id } = point;
  const body = {
    ...{ version: SHARD_POINT_VERSION, kind: KIND, chainId, publicKey: toBase64(publicKey), threshold, count, id },
    ...{ point: toBase64(point.point), place: placeOf(point.state) },
  };
  return `${JSON.stringify({ ...body, checksum: checksumOf(body) }, undefined, 2)}\n`;
}

function placeOf(state: FilePvState | undefined): object | null {
  if (state === undefined) return null;
  const { watermark, signature } = state;
  const { height, round, step, signBytes } = watermark;
  return {
    ...{ height: height.toString(), round, step },
    ...(signature === undefined ? {} : { signature: toBase64(signature) }),
    ...(signBytes === undefined ? {} : { signbytes: toHex(signBytes.bytes).toUpperCase() }),
  };
}

/** Throws SHARD_POINT_INVALID, or FILE_VERSION for a newer release's. `name`: the file, for messages. */
export function parseShardPoint(text: string, name: string): ShardPoint {
  const value = parseJson(text, name);
  if (!isJsonObject(value) || value['kind'] !== KIND) throw invalid(name, 'it is something else');
  const { version } = value;
  if (typeof version === 'number' && version > SHARD_POINT_VERSION)
    throw newerFile(`the point ${name}`, version, SHARD_POINT_VERSION);
  const result = schema.safeParse(value);
  if (!result.success) throw invalid(name, must(result.error.issues[0], 'what is refused has an issue').message);
  const { checksum, ...body } = value;
  if (checksum !== checksumOf(body)) throw invalid(name, 'it was changed on the way: its checksum does not fit');
  const { chainId, publicKey, threshold, count, id, point, place } = result.data;
  const state = place === null ? undefined : fromFilePv(JSON.stringify(place), chainId);
  return { chainId, publicKey, threshold, count, id, point, state };
}

export function sameShardPoint(a: ShardPoint, b: ShardPoint): boolean {
  return equalBytes(Buffer.from(encodeShardPoint(a)), Buffer.from(encodeShardPoint(b)));
}

/** Of the fields in the order of the file. It tells what was damaged, not who wrote it. */
function checksumOf(body: object): string {
  return createHash('sha256').update(JSON.stringify(body)).digest('hex');
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid(name, 'it is not JSON');
  }
}

function whole(name: string): z.ZodNumber {
  const error = `"${name}" is not a whole number from 1 to ${MAX_COSIGNERS}`;
  return z.int({ error }).min(1, { error }).max(MAX_COSIGNERS, { error });
}

/** Canonical base64: what Buffer makes of the text is written as the same text. */
function point(name: string): z.ZodType<Point, string> {
  const error = `"${name}" is not 32 bytes in base64`;
  return z.string({ error }).transform((text, { issues }) => {
    const bytes = new Uint8Array(Buffer.from(text, 'base64'));
    if (bytes.length === POINT_BYTES && toBase64(bytes) === text) return toPoint(bytes);
    issues.push({ code: 'custom', message: error, input: text });
    return z.NEVER;
  });
}

function invalid(name: string, problem: string): HekateError {
  return new HekateError('SHARD_POINT_INVALID', `${name} is no public point of a shard: ${problem}`);
}
