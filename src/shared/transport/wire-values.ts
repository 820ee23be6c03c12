import { isErrorCode, type ErrorCode } from '../error-codes.js';
import { HekateError } from '../errors.js';

/** A 64-bit integer as protobufjs decodes it: two signed 32-bit halves. */
export interface Wire64 {
  readonly low: number;
  readonly high: number;
}

const TWO_32 = 4_294_967_296;
const MAX_SAFE_HIGH = 2 ** 21;
const MAX_INT32 = 2 ** 31 - 1;
const CODE = /^[A-Z][A-Z0-9_]{0,63}$/;
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/u;
const EVERY_UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** What a peer sent is not a message of the contract. `what` is never the peer's own bytes. */
export function malformed(what: string): HekateError<'TRANSPORT_MALFORMED'> {
  return new HekateError('TRANSPORT_MALFORMED', what);
}

/** An unsigned 64-bit value that is a number with us: ids and terms, which count up from 0. */
export function safeNumber(value: Wire64, what: string): number {
  const high = value.high >>> 0;
  if (high >= MAX_SAFE_HIGH) throw malformed(`${what} is above 2^53`);
  return high * TWO_32 + (value.low >>> 0);
}

export function uint64(value: Wire64): bigint {
  return (BigInt(value.high >>> 0) << 32n) | BigInt(value.low >>> 0);
}

/** A signed 64-bit value that must not be negative. */
export function height(value: Wire64, what: string): bigint {
  if (value.high < 0) throw malformed(`${what} is negative`);
  return uint64(value);
}

/** For protobufjs to encode, as int64 or uint64. */
export function wire64(value: bigint): Wire64 {
  return { low: Number(BigInt.asIntN(32, value)), high: Number(BigInt.asIntN(32, value >> 32n)) };
}

export function between(value: number, min: number, max: number, what: string): number {
  if (value < min || value > max) throw malformed(`${what} is ${value}, outside ${min} to ${max}`);
  return value;
}

export function int32(value: number, what: string): number {
  return between(value, 0, MAX_INT32, what);
}

export function sized(bytes: Uint8Array, min: number, max: number, what: string): Uint8Array {
  if (bytes.length < min || bytes.length > max)
    throw malformed(`${what} has ${bytes.length} bytes, ${min === max ? min : `${min} to ${max}`} are allowed`);
  // protobufjs has a Buffer for nothing, whatever it decodes from.
  return bytes.length === 0 ? new Uint8Array(0) : bytes;
}

/** Text of at most `maxBytes` of UTF-8 without control characters, so that it can stand in a log line. */
export function text(value: string, minBytes: number, maxBytes: number, what: string): string {
  const length = Buffer.byteLength(value);
  if (length < minBytes || length > maxBytes)
    throw malformed(`${what} has ${length} bytes, at most ${maxBytes} are allowed`);
  if (UNPRINTABLE.test(value)) throw malformed(`${what} has control characters`);
  return value;
}

/** A code that only another version knows means here that something is wrong there, and no more. */
export function errorCode(value: string, what: string): ErrorCode {
  if (!CODE.test(value)) throw malformed(`${what} is not an error code`);
  return isErrorCode(value) ? value : 'INTERNAL';
}

/** A sentence from or for a peer, cut to `maxLength` characters and with `?` for what a log line cannot hold. */
export function sentence(value: string, maxLength: number): string {
  return value.slice(0, maxLength).replace(EVERY_UNPRINTABLE, '?');
}

export function atMost<T>(list: readonly T[], max: number, what: string): readonly T[] {
  if (list.length > max) throw malformed(`${what} has ${list.length} entries, at most ${max} are allowed`);
  return list;
}

/** A nested message that must be there. */
export function present<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined) throw malformed(`${what} is missing`);
  return value;
}
