import { MAX_CHAIN_ID_BYTES, INT32_MAX, INT64_MAX } from '../privval/canonical.js';
import { equalBytes } from '../bytes.js';
import { invariant } from '../invariant.js';
import { isHekateError } from '../errors.js';
import { EMPTY_BYTES } from '../privval/fields.js';
import { SignBytes } from '../privval/sign-bytes.js';
import { checksum } from './checksum.js';
import { compareHrs, type HeightPace, type Watermark } from './watermark.js';

/**
 * One watermark as bytes, in one 512-byte sector, big-endian:
 *
 *     0 magic (8) | 8 version (2) | 10 flags (1) | 11 step (1) | 12 round (4) | 16 sequence (8) | 24 height (8)
 *     32 group public key (32) | 64 chain id length (1) | 65 chain id (50) | 115 zero (1)
 *     116 sign bytes length (2) | 118 sign bytes (334) | 452 life (16) | 468 pace left (4) | 472 pace second (8)
 *     480 SHA-256 of bytes 0 to 479 (32)
 *
 * Version 2 has no life, and 16 bytes more for sign bytes. Version 1 has no pace either, and may have set `fresh` on a floor
 * as well. Every version keeps magic, version and checksum where
 * they are, so that an older hekate can tell a newer file from a broken one.
 */
export const RECORD_BYTES = 512;
export const MAX_STORED_SIGN_BYTES = 334;
export const LIFE_BYTES = 16;

const MAGIC = Buffer.from('HEKATEWM', 'latin1');
const VERSION = 3;
const WITHOUT_LIFE = 2;
const WITHOUT_PACE = 1;
const FLAG_FRESH = 1;
const FLAG_PACE = 2;
const FLAG_LIFE = 4;
const AT = {
  version: 8,
  flags: 10,
  step: 11,
  round: 12,
  sequence: 16,
  height: 24,
  publicKey: 32,
  chainIdLength: 64,
  chainId: 65,
  signBytesLength: 116,
  signBytes: 118,
  life: 452,
  paceLeft: 468,
  paceSecond: 472,
  checksum: 480,
} as const;
const UINT32_MAX = 2 ** 32 - 1;
const UINT64_MAX = 2n ** 64n - 1n;

/** What a state file belongs to. A file of another chain or key is refused. */
export interface StateBinding {
  readonly chainId: string;
  /** 32 bytes. */
  readonly groupPublicKey: Uint8Array;
}

export interface SlotRecord {
  readonly binding: StateBinding;
  readonly sequence: bigint;
  readonly watermark: Watermark;
  /**
   * 16 random bytes, drawn by the start that wrote it first (run-record.ts); absent: no cosigner has started on this state
   * yet.
   */
  readonly life?: Uint8Array | undefined;
}

export type DecodedRecord =
  | { readonly kind: 'record'; readonly record: SlotRecord }
  /** The checksum holds, but this hekate does not know the version. */
  | { readonly kind: 'version'; readonly version: number }
  | { readonly kind: 'bad' };

export function sameBinding(a: StateBinding, b: StateBinding): boolean {
  return a.chainId === b.chainId && equalBytes(a.groupPublicKey, b.groupPublicKey);
}

/**
 * The 512 bytes of a record, in `into` (zeros) where it is given. Its values must be in range, which is the caller's business:
 * InvariantViolation.
 */
export function encodeRecord(record: SlotRecord, into?: Buffer): Uint8Array {
  return encode(record, VERSION, into);
}

function encode(
  { binding, sequence, watermark, life }: SlotRecord,
  version: number,
  bytes: Buffer = Buffer.alloc(RECORD_BYTES),
): Buffer {
  const { height, round, step, fresh, pace } = watermark;
  const signBytes = watermark.signBytes?.bytes ?? EMPTY_BYTES;
  invariant(isOfItsPlace(binding.chainId, watermark), 'sign bytes are stored under their own chain and place');
  const chainId = Buffer.from(binding.chainId, 'utf8');
  invariant(chainId.length >= 1 && chainId.length <= MAX_CHAIN_ID_BYTES, 'a chain id has 1 to 50 bytes');
  invariant(binding.groupPublicKey.length === 32, 'a group public key has 32 bytes');
  invariant(sequence >= 0n && sequence <= UINT64_MAX, 'a state sequence is a uint64');
  invariant(height >= 0n && height <= INT64_MAX, 'a watermark height is a non-negative int64');
  invariant(Number.isInteger(round) && round >= 0 && round <= INT32_MAX, 'a watermark round is a non-negative int32');
  invariant(signBytes.length <= MAX_STORED_SIGN_BYTES, 'sign bytes fit into a state record');
  invariant(pace === undefined || isPace(pace), 'a pace fits into a state record');
  invariant(life === undefined || life.length === LIFE_BYTES, 'a life has 16 bytes');

  bytes.set(MAGIC, 0);
  bytes.writeUInt16BE(version, AT.version);
  bytes.writeUInt8((fresh ? FLAG_FRESH : 0) | (pace ? FLAG_PACE : 0) | (life ? FLAG_LIFE : 0), AT.flags);
  bytes.writeUInt8(step, AT.step);
  bytes.writeUInt32BE(round, AT.round);
  bytes.writeBigUInt64BE(sequence, AT.sequence);
  bytes.writeBigUInt64BE(height, AT.height);
  bytes.set(binding.groupPublicKey, AT.publicKey);
  bytes.writeUInt8(chainId.length, AT.chainIdLength);
  bytes.set(chainId, AT.chainId);
  bytes.writeUInt16BE(signBytes.length, AT.signBytesLength);
  bytes.set(signBytes, AT.signBytes);
  if (life !== undefined) bytes.set(life, AT.life);
  bytes.writeUInt32BE(pace?.left ?? 0, AT.paceLeft);
  bytes.writeBigUInt64BE(BigInt(pace?.atSecond ?? 0), AT.paceSecond);
  bytes.set(checksum(bytes), AT.checksum);
  return bytes;
}

/** Reads 512 bytes back; anything that `encodeRecord` could not have written is 'bad'. Never throws. */
export function decodeRecord(sector: Uint8Array): DecodedRecord {
  const bytes = Buffer.from(sector.buffer, sector.byteOffset, sector.byteLength);
  if (bytes.length !== RECORD_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return { kind: 'bad' };
  if (!checksum(bytes).equals(bytes.subarray(AT.checksum))) return { kind: 'bad' };
  const version = bytes.readUInt16BE(AT.version);
  if (version < WITHOUT_PACE || version > VERSION) return { kind: 'version', version };

  const step = bytes.readUInt8(AT.step);
  const round = bytes.readUInt32BE(AT.round);
  const height = bytes.readBigUInt64BE(AT.height);
  const chainIdLength = bytes.readUInt8(AT.chainIdLength);
  const signBytesLength = bytes.readUInt16BE(AT.signBytesLength);
  if (step !== 0 && step !== 1 && step !== 2 && step !== 3) return { kind: 'bad' };
  if (round > INT32_MAX || height > INT64_MAX) return { kind: 'bad' };
  if (chainIdLength === 0 || chainIdLength > MAX_CHAIN_ID_BYTES || signBytesLength > MAX_STORED_SIGN_BYTES)
    return { kind: 'bad' };
  const signBytes = readSignBytes(bytes.subarray(AT.signBytes, AT.signBytes + signBytesLength));
  if (signBytes === 'bad') return { kind: 'bad' };
  const flags = bytes.readUInt8(AT.flags);
  const fresh = (flags & FLAG_FRESH) !== 0;
  const pace = (flags & FLAG_PACE) === 0 ? undefined : readPace(bytes);
  if (pace !== undefined && (version === WITHOUT_PACE || !isPace(pace))) return { kind: 'bad' };
  const life = (flags & FLAG_LIFE) === 0 ? undefined : copy(bytes, AT.life, LIFE_BYTES);
  if (life !== undefined && version <= WITHOUT_LIFE) return { kind: 'bad' };
  const watermark: Watermark = { height, round, step, signBytes, fresh, pace };
  const chainId = bytes.toString('utf8', AT.chainId, AT.chainId + chainIdLength);
  if (Buffer.byteLength(chainId) !== chainIdLength || !isOfItsPlace(chainId, watermark)) return { kind: 'bad' };
  const binding: StateBinding = { chainId, groupPublicKey: copy(bytes, AT.publicKey, 32) };
  const record: SlotRecord = { binding, sequence: bytes.readBigUInt64BE(AT.sequence), watermark, life };
  // Where the layout has no meaning there is nothing, either.
  if (!bytes.equals(encode(record, version))) return { kind: 'bad' };
  // Only a key that never signed may have any first height.
  return { kind: 'record', record: { ...record, watermark: { ...watermark, fresh: fresh && height === 0n } } };
}

function readPace(bytes: Buffer): HeightPace {
  return { left: bytes.readUInt32BE(AT.paceLeft), atSecond: Number(bytes.readBigUInt64BE(AT.paceSecond)) };
}

function isPace({ left, atSecond }: HeightPace): boolean {
  return Number.isInteger(left) && left >= 0 && left <= UINT32_MAX && Number.isSafeInteger(atSecond) && atSecond >= 0;
}

function isOfItsPlace(chainId: string, watermark: Watermark): boolean {
  const says = watermark.signBytes?.says;
  return says === undefined || (says.chainId === chainId && compareHrs(says, watermark) === 0);
}

function readSignBytes(bytes: Uint8Array): SignBytes | undefined | 'bad' {
  if (bytes.length === 0) return undefined;
  try {
    return SignBytes.parse(bytes);
  } catch (error) {
    if (!isHekateError(error)) throw error;
    return 'bad';
  }
}

function copy(bytes: Buffer, from: number, length: number): Uint8Array {
  return new Uint8Array(bytes.subarray(from, from + length));
}
