import { ed25519, ED25519_TORSION_SUBGROUP } from '@noble/curves/ed25519.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../bytes.js';
import { must } from '../invariant.js';
import { hasPointForm, isCanonicalScalar, isZero, NOT_ZERO, toPoint, type Scalar } from './group.js';
import { loadGroup } from './load-group.js';
import { codeOf, BACKENDS, scalarFrom, scalarOf } from './testdata/fixture.js';

const { Point } = ed25519;
const ORDER = Point.Fn.ORDER;
const P = Point.BASE.multiply(7777n);
const torsion = must(ED25519_TORSION_SUBGROUP[1], 'a generator of the small subgroup');

const BAD_POINTS: readonly (readonly [string, string])[] = [
  ...ED25519_TORSION_SUBGROUP.map((hex, i) => [`small order, no. ${i}`, hex] as const),
  ['prime order + small order', P.add(Point.fromHex(torsion)).toHex()],
  ['not on the curve', `02${'00'.repeat(31)}`],
  ['y = p, not canonical', `ed${'ff'.repeat(30)}7f`],
  ['y = p + 1, the identity not canonical', `ee${'ff'.repeat(30)}7f`],
  ['y = p + 3, not canonical', `f0${'ff'.repeat(30)}7f`],
  ['y = p + 18, other sign, not canonical', 'ff'.repeat(32)],
  ['the identity with a sign', `01${'00'.repeat(30)}80`],
];

function littleEndian(value: bigint, length: number): Uint8Array {
  return fromHex(value.toString(16).padStart(2 * length, '0')).reverse();
}

const scalar = (value: bigint): Scalar => scalarFrom(littleEndian(value, 32));

const scalars = fc.bigInt({ min: 1n, max: ORDER - 1n });
const wides = fc.uint8Array({ minLength: 64, maxLength: 64 });

describe.each(BACKENDS)('the group over %s', async (backend) => {
  const group = await loadGroup(backend);

  it.each(BAD_POINTS)('refuses a point: %s', (_, hex) => {
    const point = toPoint(fromHex(hex));
    expect(group.isValidPoint(point)).toBe(false);
    expect(codeOf(() => group.mult(scalarOf(3), point))).toBe('FROST_POINT_INVALID');
  });

  it.each([0, 31, 33])('refuses a point of %i bytes', (length) => {
    const sized = new Uint8Array(length);
    sized.set(P.toBytes().subarray(0, length));
    expect(group.isValidPoint(sized)).toBe(false);
  });

  it('refuses the zero scalar', () => {
    expect(() => group.baseMult(scalarOf(0))).toThrow(NOT_ZERO);
    expect(() => group.mult(scalarOf(0), toPoint(P.toBytes()))).toThrow(NOT_ZERO);
  });

  it('never lets libsodium drop the top bit of a scalar', () => {
    const unreduced = scalarOf(1);
    unreduced[31] = 0x80;
    expect(() => group.baseMult(unreduced)).toThrow(/invariant broken/);
    expect(() => group.mult(unreduced, toPoint(P.toBytes()))).toThrow(/invariant broken/);
  });

  it('refuses to add what is not on the curve', () => {
    const off = toPoint(fromHex(`02${'00'.repeat(31)}`));
    expect(codeOf(() => group.add([toPoint(P.toBytes()), off]))).toBe('FROST_POINT_INVALID');
  });

  it('agrees with noble on points', () => {
    fc.assert(
      fc.property(scalars, scalars, (a, b) => {
        const [A, B] = [Point.BASE.multiply(a), Point.BASE.multiply(b)];
        expect(toHex(group.baseMult(scalar(a)))).toBe(A.toHex());
        expect(toHex(group.mult(scalar(b), toPoint(A.toBytes())))).toBe(A.multiply(b).toHex());
        expect(toHex(group.add([A, B, P].map((one) => toPoint(one.toBytes()))))).toBe(A.add(B).add(P).toHex());
        expect(group.isValidPoint(A.toBytes())).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it('agrees with noble on scalars, also when the result replaces an operand', () => {
    const { Fn } = Point;
    fc.assert(
      fc.property(scalars, scalars, wides, (a, b, wide) => {
        const sum = scalar(a);
        expect(toHex(group.scalarMul(scalar(a), scalar(b)))).toBe(toHex(Fn.toBytes(Fn.mul(a, b))));
        expect(group.scalarAdd(sum, scalar(b), sum)).toBe(sum);
        expect(toHex(sum)).toBe(toHex(Fn.toBytes(Fn.add(a, b))));
        const value = BigInt(`0x${toHex(Uint8Array.from(wide).reverse())}`);
        expect(toHex(group.reduce64(wide))).toBe(toHex(littleEndian(value % ORDER, 32)));
      }),
      { numRuns: 200 },
    );
  });
});

describe('encodings', () => {
  it.each([
    ['0', 0n, true],
    ['1', 1n, true],
    ['L - 1', ORDER - 1n, true],
    ['L', ORDER, false],
    ['L + 1', ORDER + 1n, false],
    ['2^255', 2n ** 255n, false],
    ['2^256 - 1', 2n ** 256n - 1n, false],
  ])('scalar %s', (_, value, expected) => {
    expect(isCanonicalScalar(littleEndian(value, 32))).toBe(expected);
  });

  it.each([0, 31, 33])('a scalar of %i bytes is none', (length) => {
    expect(isCanonicalScalar(new Uint8Array(length))).toBe(false);
  });

  it.each([
    ['all zero', new Uint8Array(32), true],
    ['last byte set', Uint8Array.of(0, 0, 0x80), false],
    ['first byte set', Uint8Array.of(1, 0, 0), false],
  ])('isZero: %s', (_, bytes, expected) => expect(isZero(bytes)).toBe(expected));

  it.each([
    ['a point', P.toHex(), true],
    ['y = p - 1, order 2, left to the group', `ec${'ff'.repeat(30)}7f`, true],
    ['y = p', `ed${'ff'.repeat(30)}7f`, false],
    ['y = 2^255 - 1 with sign', 'ff'.repeat(32), false],
    ['almost p', `ed${'ff'.repeat(29)}fe7f`, true],
    ['the identity', `01${'00'.repeat(31)}`, false],
    ['the identity with sign', `01${'00'.repeat(30)}80`, false],
    ['y = 1 + 2^8', `0101${'00'.repeat(30)}`, true],
    ['31 bytes', '11'.repeat(31), false],
  ])('point form: %s', (_, hex, expected) => expect(hasPointForm(fromHex(hex))).toBe(expected));
});
