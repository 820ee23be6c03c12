import { pinnedBytes } from '../bytes.js';
import { invariant } from '../invariant.js';

/** Bytes of a scalar and of a point: RFC 9591 §6.1 (ed25519), RFC 8032 §5.1.2. */
export const SCALAR_BYTES = 32;
export const POINT_BYTES = 32;

/** Ed25519's order L = 2^252 + 27742317777372353535851937790883648493 (RFC 8032 §5.1), little-endian. */
const ORDER = Uint8Array.of(
  ...[0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14],
  ...[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10],
);

declare const brand: unique symbol;

/**
 * 32 bytes of a scalar, canonical: below L. They come from the group's operations, from `isCanonicalScalar` and, as zero,
 * from `newScalar`.
 */
export type Scalar = Uint8Array & { readonly [brand]: 'scalar' };

/**
 * 32 bytes that stand for an encoded point. Whether they are one is not said: `isValidPoint` and the arithmetic find out.
 * They come from the group's operations and from `toPoint`.
 */
export type Point = Uint8Array & { readonly [brand]: 'point' };

/**
 * The prime-order group of RFC 9591 §3.1 for FROST(Ed25519, SHA-512), over 32-byte encodings. Scalars go in canonical
 * (below L) and come out canonical; every operation is constant-time in its scalars. Results are written to `out` when
 * it is given (it may be one of the inputs) and to fresh bytes otherwise: scalars may be secret, points are public.
 */
export interface Group {
  readonly name: 'native' | 'wasm';
  /** k·B. k is not zero. */
  baseMult(scalar: Scalar, out?: Point): Point;
  /** k·P. k is not zero. Throws HekateError FROST_POINT_INVALID unless isValidPoint(P). */
  mult(scalar: Scalar, point: Point, out?: Point): Point;
  /**
   * P₁ + P₂ + … of one or more points. Checks that they lie on the curve (FROST_POINT_INVALID otherwise), not their
   * order and not their canonical form: points from the wire need isValidPoint.
   */
  add(points: readonly Point[]): Point;
  /** DeserializeElement of RFC 9591 §6.1: canonical, on the curve, of prime order (so not the identity). */
  isValidPoint(point: Uint8Array): boolean;
  scalarAdd(a: Scalar, b: Scalar, out?: Scalar): Scalar;
  scalarMul(a: Scalar, b: Scalar, out?: Scalar): Scalar;
  /** 64 little-endian bytes mod L. */
  reduce64(wide: Uint8Array, out?: Scalar): Scalar;
}

const SLAB_BYTES = 4096;
let slab = new ArrayBuffer(SLAB_BYTES);
let slabUsed = 0;

/** Fresh bytes for something public, zeroed: a piece of a larger buffer, as an ArrayBuffer of its own costs 1 µs and its collection. */
export function publicBytes(length: number): Uint8Array {
  if (length > SLAB_BYTES / 8) return new Uint8Array(length);
  if (slabUsed + length > SLAB_BYTES) {
    slab = new ArrayBuffer(SLAB_BYTES);
    slabUsed = 0;
  }
  const bytes = new Uint8Array(slab, slabUsed, length);
  slabUsed += length;
  return bytes;
}

/** Zero, in pinned bytes of its own, for the group to write to. */
export function newScalar(): Scalar {
  return pinnedBytes(SCALAR_BYTES) as Scalar;
}

/** Two zeros in one ArrayBuffer, which is most of what fresh pinned bytes cost. */
export function newScalarPair(allocate = pinnedBytes): readonly [Scalar, Scalar] {
  const both = allocate(2 * SCALAR_BYTES);
  return [both.subarray(0, SCALAR_BYTES) as Scalar, both.subarray(SCALAR_BYTES) as Scalar];
}

/** Public bytes for the group to write a point to. */
export function newPoint(): Point {
  return toPoint(publicBytes(POINT_BYTES));
}

/** Takes 32 bytes, whatever they are, for a point. Not a copy. */
export function toPoint(bytes: Uint8Array): Point {
  invariant(bytes.length === POINT_BYTES, 'a point has 32 bytes');
  return bytes as Point;
}

/** DeserializeScalar of RFC 9591 §6.1: 32 bytes below L. Constant-time, fit for secret scalars. */
export function isCanonicalScalar(bytes: Uint8Array): bytes is Scalar {
  if (bytes.length !== SCALAR_BYTES) return false;
  let borrow = 0;
  for (let i = 0; i < SCALAR_BYTES; i++) borrow = ((bytes[i]! - ORDER[i]! - borrow) >> 8) & 1;
  return borrow === 1;
}

/** Whether all bytes are zero. Constant-time, fit for secrets. */
export function isZero(bytes: Uint8Array): boolean {
  let bits = 0;
  for (let i = 0; i < bytes.length; i++) bits |= bytes[i]!;
  return bits === 0;
}

/**
 * Whether 32 public bytes have the form of a point that is not the identity: y below the field's prime 2^255 - 19
 * (RFC 8032 §5.1.3 step 1) and y ≠ 1. Says nothing about the curve or the order.
 */
export function hasPointForm(point: Uint8Array): boolean {
  if (point.length !== POINT_BYTES) return false;
  const top = point[31]! & 0x7f;
  if (top === 0x7f && point[0]! >= 0xed && point.every((byte, i) => i === 0 || i === 31 || byte === 0xff)) return false;
  return !(top === 0 && point[0] === 1 && point.every((byte, i) => i === 0 || i === 31 || byte === 0));
}

/** libsodium drops bit 255 of a scalar without a word; a canonical scalar is below 2^253. */
/** Shares are checked where they come from; sums of hashes and random numbers are zero with probability 2^-252. */
export const NOT_ZERO = 'what a point is multiplied by is not zero';

export function assertScalar(scalar: Scalar): void {
  invariant(scalar.length === SCALAR_BYTES && scalar[31]! <= 0x10, 'scalars are reduced before they are used');
}
