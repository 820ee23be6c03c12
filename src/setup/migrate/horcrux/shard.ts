import { equalBytes, wipe } from '../../../shared/bytes.js';
import { MAX_COSIGNERS } from '../../../shared/coordination/limits.js';
import { HekateError } from '../../../shared/errors.js';
import {
  isCanonicalScalar,
  isZero,
  toPoint,
  type Group,
  type Point,
  type Scalar,
} from '../../../shared/frost/group.js';
import { base64ToBytes } from '../../../shared/keys/secret-bytes.js';
import { isJsonObject } from '../../json-object.js';
import { parseLiftedJson, type LiftedJson } from '../../keys/lifted-json.js';

/**
 * A shard of Horcrux: the value at `id` of the dealer's polynomial, as FROST has its shares. The file says neither how many there
 * are nor how many sign together. Wipe it with `wipeShard`.
 */
export interface Shard {
  readonly id: number;
  /** The validator's key, as the file has it; whether the share belongs to it shows when others are there. */
  readonly publicKey: Point;
  /** Secret. */
  readonly share: Scalar;
  /** share·B. */
  readonly point: Point;
}

/** protobuf crypto.PublicKey with field 1, and amino's name and length of "tendermint/PubKeyEd25519". */
const PREFIXES = [Uint8Array.of(0x0a, 0x20), Uint8Array.of(0x16, 0x24, 0xde, 0x64, 0x20)] as const;
/** crypto.PublicKey of the other types that CometBFT knows, by the byte that it begins with. */
const OTHER_TYPES: ReadonlyMap<number, string> = new Map([
  [0x12, 'a secp256k1 key'],
  [0x1a, 'a BLS12-381 or bn254 key'],
]);
const KEYS: ReadonlySet<string> = new Set(['pubKey', 'privateShard', 'id']);
/** Of share.json and private_share_N.json, before Horcrux 3. */
const OLD_KEYS = ['secret_share', 'rsa_key', 'rsa_pubs'];

/**
 * A CHAIN_shard.json of Horcrux 3 (signer/cosigner_key.go). Throws SHARD_INVALID or KEY_TYPE_UNSUPPORTED; no message has a part of
 * the share.
 */
export function parseShard(group: Group, contents: Uint8Array): Shard {
  const json = parse(contents);
  try {
    return readShard(group, json);
  } finally {
    json.wipe();
  }
}

export function wipeShard({ share }: Shard): void {
  wipe(share);
}

function readShard(group: Group, json: LiftedJson): Shard {
  const file = json.value;
  if (!isJsonObject(file)) throw invalid('it is not a JSON object');
  if (OLD_KEYS.some((key) => key in file))
    throw new HekateError('SHARD_INVALID', 'not a usable shard: it is a share.json of Horcrux 2', {
      fix: 'run `horcrux config migrate` of Horcrux 3 first, which makes a CHAIN_shard.json of it',
    });
  if ('priv_key' in file) throw invalid('it holds a whole key, not a shard: use `hekate migrate file` for it');
  if ('eciesKey' in file || 'rsaKey' in file) throw invalid('it holds the identity of a Horcrux cosigner, not a shard');
  const unknown = Object.keys(file).find((key) => !KEYS.has(key));
  if (unknown !== undefined) throw invalid(`it has an unknown key ${JSON.stringify(unknown.slice(0, 40))}`);
  const id = readId(file['id']);
  const publicKey = readPublicKey(group, json.bytesOf(file['pubKey']));
  const share = readShare(json.bytesOf(file['privateShard']));
  return { id, publicKey, share, point: group.baseMult(share) };
}

function readId(id: unknown): number {
  if (typeof id !== 'number' || !Number.isInteger(id)) throw invalid('"id" is not a whole number');
  if (id < 1 || id > MAX_COSIGNERS) throw invalid(`"id" is ${id}, not between 1 and ${MAX_COSIGNERS}`);
  return id;
}

function readPublicKey(group: Group, ascii: Uint8Array | undefined): Point {
  const bytes = ascii && base64ToBytes(ascii);
  if (bytes === undefined) throw invalid('"pubKey" is not base64');
  const prefix = PREFIXES.find((known) => equalBytes(bytes.subarray(0, known.length), known));
  if (prefix !== undefined && bytes.length === prefix.length + 32) {
    const point = toPoint(bytes.slice(prefix.length));
    if (group.isValidPoint(point)) return point;
    throw invalid('"pubKey" is no Ed25519 public key');
  }
  const other = OTHER_TYPES.get(bytes[0] ?? 0);
  if (other !== undefined && bytes.length === 2 + (bytes[1] ?? 0))
    throw new HekateError('KEY_TYPE_UNSUPPORTED', `the shard is of ${other}; hekate signs with Ed25519 only`);
  throw invalid('"pubKey" is no Ed25519 public key as protobuf or amino encode it');
}

/** 32 bytes, little-endian, below the order of the group. */
function readShare(ascii: Uint8Array | undefined): Scalar {
  const bytes = ascii && base64ToBytes(ascii);
  if (bytes === undefined) throw invalid('"privateShard" is not base64');
  if (bytes.length === 32 && isCanonicalScalar(bytes) && !isZero(bytes)) return bytes;
  wipe(bytes);
  throw invalid(
    bytes.length === 32
      ? '"privateShard" is no share of an Ed25519 key'
      : `"privateShard" has ${bytes.length} bytes instead of 32`,
  );
}

function parse(contents: Uint8Array): LiftedJson {
  try {
    return parseLiftedJson(contents);
  } catch {
    throw invalid('it is not JSON');
  }
}

function invalid(problem: string): HekateError {
  return new HekateError('SHARD_INVALID', `not a usable shard of Horcrux: ${problem}`);
}
