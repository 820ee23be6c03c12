import { expect, it } from 'vitest';
import { toHex } from '../bytes.js';
import type { RandomBytes } from '../ports/random.js';
import { isZero } from './group.js';
import { loadGroup } from './load-group.js';
import { generateNonces } from './nonce.js';
import { scalarOf, seededRandom } from './testdata/fixture.js';

const group = await loadGroup();

it('never gives a nonce twice', () => {
  const random = seededRandom('nonces');
  const seen = new Set<string>();
  for (let i = 0; i < 200; i++) {
    const { nonces } = generateNonces(group, scalarOf(5), random);
    seen.add(toHex(nonces.hiding)).add(toHex(nonces.binding));
  }
  expect(seen.size).toBe(400);
});

it('depends on the share even when the random source is stuck', () => {
  const stuck: RandomBytes = (length) => new Uint8Array(length);
  const [one, other] = [scalarOf(5), scalarOf(6)].map((share) => generateNonces(group, share, stuck));
  expect(toHex(one!.nonces.hiding)).not.toBe(toHex(other!.nonces.hiding));
});

it('wipes the random bytes', () => {
  const drawn: Uint8Array[] = [];
  const source = seededRandom('drawn');
  generateNonces(group, scalarOf(5), (length) => {
    const bytes = source(length);
    drawn.push(bytes);
    return bytes;
  });
  expect(drawn.map((bytes) => [bytes.length, isZero(bytes)])).toEqual([[64, true]]);
});

it('asserts that the random source gives 64 bytes', () => {
  expect(() => generateNonces(group, scalarOf(5), () => new Uint8Array(32))).toThrow(/invariant broken/);
});
