import { equalBytes, pinnedBytes, toHex, wipe } from '../../shared/bytes.js';
import { HekateError } from '../../shared/errors.js';
import type { RandomBytes } from '../../shared/ports/random.js';
import type { Group } from '../../shared/frost/group.js';
import { keyFromSeed } from '../../shared/frost/keys.js';
import { addressOf } from '../../shared/keys/formats.js';
import { INT32_MAX, INT64_MAX } from '../../shared/privval/canonical.js';
import type { HeightRoundStep } from '../../shared/watermark/watermark.js';
import { isJsonObject } from '../json-object.js';
import { parseLiftedJson, type LiftedJson } from './lifted-json.js';
import { base64ToBytes, hexToBytes } from '../../shared/keys/secret-bytes.js';

/** A whole consensus key. Exists only while it is dealt into shares: wipe it with `wipeKey`. */
export interface ConsensusKey {
  readonly publicKey: Uint8Array;
  /** 32-byte Ed25519 seed (RFC 8032 §5.1.5). Secret. */
  readonly seed: Uint8Array;
}

/** A key and what its own file says of its past. */
export interface KeyFile extends ConsensusKey {
  /** Up to Tendermint 0.27 the last place that was signed stood beside the key. */
  readonly lastSigned: HeightRoundStep | undefined;
}

const MAX_KEY_FILE_BYTES = 64 * 1024;
const ED25519_PRIVATE = 'tendermint/PrivKeyEd25519';
const ED25519_PUBLIC = 'tendermint/PubKeyEd25519';
/** Types of CometBFT that a threshold Ed25519 signer cannot hold (crypto/*, registered JSON names). */
const OTHER_TYPES: Readonly<Record<string, string>> = {
  'tendermint/PrivKeySecp256k1': 'a secp256k1 key',
  'tendermint/PrivKeySr25519': 'an sr25519 key',
  'tendermint/PrivKeyBls12_381': 'a BLS12-381 key',
  'cometbft/PrivKeyBls12_381': 'a BLS12-381 key',
  'cometbft/PrivKeySecp256k1eth': 'an Ethereum secp256k1 key',
  'tendermint/PrivKeySecp256k1eth': 'an Ethereum secp256k1 key',
  'cometbft/PrivKeyMlDsa65': 'an ML-DSA-65 key',
};

export function generateConsensusKey(group: Group, random: RandomBytes): ConsensusKey {
  const seed = random(32);
  return { seed, publicKey: publicKeyOf(group, seed) };
}

/** By libsodium: OpenSSL would keep the seed until its key object is collected as garbage. */
function publicKeyOf(group: Group, seed: Uint8Array): Uint8Array {
  const { secret, publicKey } = keyFromSeed(group, seed);
  wipe(secret);
  return publicKey;
}

export function wipeKey(key: ConsensusKey): void {
  wipe(key.seed);
}

/**
 * A priv_validator_key.json (FilePVKey in CometBFT privval/file.go). Everything in it must agree: both halves of the private
 * key, the public key and the address. Throws KEY_INVALID or KEY_TYPE_UNSUPPORTED; no message has a part of the key.
 */
export function parsePrivValidatorKey(group: Group, contents: Uint8Array): KeyFile {
  const json = parse(contents);
  try {
    return readKey(group, json);
  } finally {
    json.wipe();
  }
}

/**
 * The private key of a file alone, whatever stands beside it, as signers other than the node read it. Both its halves must agree.
 * Throws as `parsePrivValidatorKey`.
 */
export function parsePrivateKeyAlone(group: Group, contents: Uint8Array): ConsensusKey {
  const json = parse(contents);
  try {
    const privateKey = asObject(asObject(json.value, 'it is not a JSON object')['priv_key'], '"priv_key" is missing');
    checkType(privateKey['type'], ED25519_PRIVATE);
    const halves = readBase64(json.bytesOf(privateKey['value']), 64, '"priv_key"');
    try {
      return ofHalves(group, halves);
    } finally {
      wipe(halves);
    }
  } finally {
    json.wipe();
  }
}

/** Of a seed and its public key. Throws KEY_INVALID unless they belong together. */
function ofHalves(group: Group, halves: Uint8Array): ConsensusKey {
  const seed = pinnedBytes(32);
  seed.set(halves.subarray(0, 32));
  const publicKey = publicKeyOf(group, seed);
  if (equalBytes(publicKey, halves.subarray(32))) return { publicKey, seed };
  wipe(seed);
  throw invalid('the two halves of "priv_key" do not belong together: the file is damaged');
}

function readKey(group: Group, json: LiftedJson): KeyFile {
  const file = asObject(json.value, 'it is not a JSON object');
  if (file['priv_key'] !== undefined && file['pub_key'] === undefined && file['address'] === undefined)
    throw invalid('it has only a priv_key, so it is a node_key.json, the identity of a node on its p2p network');
  const privateKey = asObject(file['priv_key'], '"priv_key" is missing');
  const publicKey = asObject(file['pub_key'], '"pub_key" is missing');
  checkType(privateKey['type'], ED25519_PRIVATE);
  checkType(publicKey['type'], ED25519_PUBLIC);
  const halves = readBase64(json.bytesOf(privateKey['value']), 64, '"priv_key"');
  try {
    const lastSigned = readLastSigned(file);
    const key = checkedKey(
      group,
      halves,
      readBase64(json.bytesOf(publicKey['value']), 32, '"pub_key"'),
      file['address'],
    );
    return { ...key, lastSigned };
  } finally {
    wipe(halves);
  }
}

function checkedKey(group: Group, halves: Uint8Array, publicKey: Uint8Array, address: unknown): ConsensusKey {
  const key = ofHalves(group, halves);
  try {
    if (!equalBytes(key.publicKey, publicKey))
      throw invalid(`"pub_key" is not that of "priv_key" (${toHex(key.publicKey)}): parts of two files were mixed`);
    const expected = toHex(addressOf(key.publicKey)).toUpperCase();
    if (typeof address !== 'string' || address.toUpperCase() !== expected)
      throw invalid(`"address" is not ${expected}, the address of its key: parts of two files were mixed`);
    return key;
  } catch (error) {
    wipeKey(key);
    throw error;
  }
}

/** As amino wrote them: int64 and int as strings, int8 as a number. Height 0: nothing was signed. */
function readLastSigned(file: Readonly<Record<string, unknown>>): HeightRoundStep | undefined {
  if (file['last_height'] === undefined) return undefined;
  const number = (name: string, max: bigint): bigint => {
    const value = file[name] ?? 0;
    const text = typeof value === 'number' ? String(value) : value;
    if (typeof text !== 'string' || !/^\d{1,19}$/.test(text) || BigInt(text) > max)
      throw invalid(`"${name}" is not a whole number from 0 to ${max}`);
    return BigInt(text);
  };
  const height = number('last_height', INT64_MAX);
  const round = Number(number('last_round', BigInt(INT32_MAX)));
  const step = Number(number('last_step', 3n)) as HeightRoundStep['step'];
  return height === 0n ? undefined : { height, round, step };
}

function parse(contents: Uint8Array): LiftedJson {
  if (contents.length > MAX_KEY_FILE_BYTES) throw invalid(`it has ${contents.length} bytes`);
  try {
    return parseLiftedJson(contents);
  } catch {
    throw invalid(looksLikeBareKey(contents) ?? 'it is not JSON');
  }
}

/** TMKMS softsign keeps its keys as bare base64 of a seed, sometimes with the public half; others write hex. */
function looksLikeBareKey(contents: Uint8Array): string | undefined {
  let end = contents.length;
  while (end > 0 && (contents[end - 1] ?? 0) <= 0x20) end--;
  const bare = contents.subarray(0, end);
  const base64 = base64ToBytes(bare);
  const hex = hexToBytes(bare);
  const lengths = [base64?.length, hex?.length];
  wipe(...[base64, hex].filter((bytes) => bytes !== undefined));
  if (lengths[0] === 32 || lengths[0] === 64)
    return 'it is bare base64, as in a softsign key of TMKMS; give the priv_validator_key.json that was imported there';
  if (lengths[1] === 32 || lengths[1] === 64) return 'it is bare hex; give a priv_validator_key.json';
  return undefined;
}

function asObject(value: unknown, problem: string): Record<string, unknown> {
  if (!isJsonObject(value)) throw invalid(problem);
  return value;
}

function checkType(type: unknown, expected: string): void {
  if (type === expected) return;
  if (typeof type !== 'string' || !/^[\w./-]{1,64}$/.test(type))
    throw invalid(`a key without a type (${expected} is expected)`);
  const known = OTHER_TYPES[type] ?? OTHER_TYPES[type.replace('PubKey', 'PrivKey')] ?? 'another kind of key';
  throw new HekateError('KEY_TYPE_UNSUPPORTED', `the key is of type ${type}, ${known}; hekate signs with Ed25519 only`);
}

function readBase64(ascii: Uint8Array | undefined, length: number, name: string): Uint8Array {
  if (ascii === undefined) throw invalid(`${name} has no value`);
  const bytes = base64ToBytes(ascii);
  if (bytes === undefined) throw invalid(`the value of ${name} is not base64`);
  if (bytes.length === length) return bytes;
  wipe(bytes);
  throw invalid(`the value of ${name} has ${bytes.length} bytes instead of ${length}`);
}

function invalid(problem: string): HekateError {
  return new HekateError('KEY_INVALID', `not a usable priv_validator_key.json: ${problem}`);
}
