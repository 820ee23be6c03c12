import { describe, expect, it } from 'vitest';
import { loadGroup } from '../../src/shared/frost/load-group.js';
import { generateNonces } from '../../src/shared/frost/nonce.js';
import { scalarOf, seededRandom } from '../../src/shared/frost/testdata/fixture.js';
import { NoncePool, type IssuedNonces } from './nonce-pool.js';

const group = await loadGroup();
const random = seededRandom('nonce pool');

/** A pool, and everything it ever made. */
function poolOf(target: number): { pool: NoncePool; made: IssuedNonces[] } {
  const made: IssuedNonces[] = [];
  const pool = new NoncePool(() => {
    const pair = generateNonces(group, scalarOf(5), random);
    made.push(pair);
    return pair;
  }, target);
  return { pool, made };
}
const isWiped = ({ nonces }: IssuedNonces): boolean =>
  [...nonces.hiding, ...nonces.binding].every((byte) => byte === 0);

describe('nonce pool', () => {
  it('gives each pair once', () => {
    const { pool, made } = poolOf(4);
    pool.generate(4);
    const ids = pool.takeReady().commitments.map(({ nonceId }) => nonceId);
    expect(ids).toEqual([1, 2, 3, 4]);
    expect(ids.map((id) => pool.take(id))).toEqual(made);
    expect(ids.map((id) => pool.take(id))).toEqual([undefined, undefined, undefined, undefined]);
  });

  it.each([0, 5, -1, 1.5, Number.NaN])('never issued: %d', (id) => {
    const { pool } = poolOf(4);
    pool.generate(4);
    expect(pool.take(id)).toBeUndefined();
  });

  it('the link is told of each pair once, with its commitment', () => {
    const { pool, made } = poolOf(4);
    pool.generate(3);
    const told = pool.takeReady().commitments;
    expect(told.map(({ hiding, binding }) => ({ hiding, binding }))).toEqual(made.map(({ commitment }) => commitment));
    expect(pool.takeReady()).toEqual({ commitments: [], replaces: false });
  });

  it('never holds more than its target, told or not, and ids are never used again', () => {
    const { pool, made } = poolOf(4);
    expect(pool.generate(3)).toBe(true);
    expect(pool.generate(99)).toBe(false);
    expect(made).toHaveLength(4);
    pool.takeReady();
    expect(pool.generate(1)).toBe(false);
    pool.take(2);
    expect(pool.generate(5)).toBe(false);
    expect(pool.takeReady().commitments.map(({ nonceId }) => nonceId)).toEqual([5]);
  });

  it.each([
    [32, 8],
    [8, 2],
    [2, 1],
  ])('of %d pairs, %d new ones are worth a message', (target, batch) => {
    const { pool } = poolOf(target);
    pool.generate(batch - 1);
    expect(pool.worthTelling).toBe(false);
    pool.generate(1);
    expect(pool.worthTelling).toBe(true);
  });

  it('close wipes what is left and makes no more; what was taken belongs to its taker', () => {
    const { pool, made } = poolOf(4);
    pool.generate(4);
    const taken = pool.take(3)!;
    pool.close();
    expect(made.map(isWiped)).toEqual([true, true, false, true]);
    expect(isWiped(taken)).toBe(false);
    expect([1, 2, 3, 4].map((id) => pool.take(id))).toEqual([undefined, undefined, undefined, undefined]);
    expect(pool.generate(4)).toBe(false);
    expect(pool.takeReady()).toEqual({ commitments: [], replaces: false });
    expect(made).toHaveLength(4);
  });
});
