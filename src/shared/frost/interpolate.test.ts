import { ed25519 } from '@noble/curves/ed25519.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../bytes.js';
import { interpolatingValue } from './interpolate.js';

const { Fn } = ed25519.Point;
const ids = fc.uniqueArray(fc.integer({ min: 1, max: 32 }), { minLength: 1, maxLength: 32 });

describe('interpolatingValue', () => {
  it('is the Lagrange coefficient at zero, however often it is asked', () => {
    fc.assert(
      fc.property(ids, (set) => {
        for (const id of set) {
          const others = set.filter((other) => other !== id).map(BigInt);
          const expected = others.reduce((value, x) => Fn.mul(value, Fn.div(x, Fn.sub(x, BigInt(id)))), 1n);
          for (let i = 0; i < 2; i++) expect(toHex(interpolatingValue(set, id))).toBe(toHex(Fn.toBytes(expected)));
        }
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    ['an id outside the set', [1, 2], 3],
    ['an id twice', [1, 1, 2], 1],
    ['id 0', [0, 1], 1],
    ['id 33', [1, 33], 1],
  ])('asserts against %s', (_, set, id) => {
    expect(() => interpolatingValue(set, id)).toThrow(/invariant broken/);
  });
});
