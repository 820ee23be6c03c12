import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../../shared/bytes.js';
import { deal } from '../../../shared/frost/dealer.js';
import type { Point } from '../../../shared/frost/group.js';
import { loadGroup } from '../../../shared/frost/load-group.js';
import { BACKENDS, seededRandom } from '../../../shared/frost/testdata/fixture.js';
import { commitmentsOfPoints, pointsOff, thresholdOf } from './commitments.js';

const group = await loadGroup();

/** Commitments as the dealer publishes them, and the points of all shares. */
function dealing(
  threshold: number,
  count: number,
  seed: string,
): { commitments: readonly Point[]; points: Map<number, Point> } {
  const random = seededRandom(seed);
  const { shares, commitments } = deal(group, { secret: group.reduce64(random(64)), threshold, count, random });
  return { commitments, points: new Map(shares.map(({ id, secretShare }) => [id, group.baseMult(secretShare)])) };
}

const hex = (points: readonly Point[]): readonly string[] => points.map(toHex);

/** t of n, and which t of the shares in which order. */
const CHOICES = fc
  .integer({ min: 2, max: 9 })
  .chain((count) => fc.tuple(fc.integer({ min: 1, max: count }), fc.constant(count)))
  .chain(([threshold, count]) =>
    fc.tuple(
      fc.constant([threshold, count] as const),
      fc.shuffledSubarray(
        Array.from({ length: count }, (_, i) => i + 1),
        { minLength: threshold, maxLength: threshold },
      ),
      fc.string(),
    ),
  );

describe('commitmentsOfPoints', () => {
  it('any t of n points, in any order, give the commitments of the dealer and the key', () => {
    fc.assert(
      fc.property(CHOICES, ([[threshold, count], chosen, seed]) => {
        const { commitments, points } = dealing(threshold, count, seed);
        const some = new Map(chosen.map((id) => [id, points.get(id)!]));
        expect(hex(commitmentsOfPoints(group, some))).toEqual(hex(commitments));
        expect(pointsOff(group, commitments, points)).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  it.each([
    [17, 32],
    [32, 32],
  ])('%i of %i, the largest there are', (threshold, count) => {
    const { commitments, points } = dealing(threshold, count, 'large');
    const last = new Map([...points].slice(-threshold));
    expect(hex(commitmentsOfPoints(group, last))).toEqual(hex(commitments));
  });

  it('more points than t give the same, then the identity', () => {
    const { commitments, points } = dealing(3, 6, 'more');
    const found = commitmentsOfPoints(group, points);
    expect(hex(found.slice(0, 3))).toEqual(hex(commitments));
    expect(found.slice(3).map((point) => group.isValidPoint(point))).toEqual([false, false, false]);
    expect(thresholdOf(group, found)).toBe(3);
  });

  it.each(BACKENDS)('is the same with the %s build of libsodium', async (backend) => {
    const { commitments, points } = dealing(3, 5, 'builds');
    const found = commitmentsOfPoints(await loadGroup(backend), new Map([...points].slice(1, 4)));
    expect(hex(found)).toEqual(hex(commitments));
  });
});

describe('pointsOff', () => {
  const { commitments, points } = dealing(3, 5, 'ours');
  const foreign = dealing(3, 5, 'foreign').points;

  it.each<[string, readonly number[]]>([
    ['none', []],
    ['one', [4]],
    ['several', [1, 3, 5]],
    ['all', [1, 2, 3, 4, 5]],
  ])('%s of another dealing', (_name, ids) => {
    const mixed = new Map([...points].map(([id, point]) => [id, ids.includes(id) ? foreign.get(id)! : point]));
    expect(pointsOff(group, commitments, mixed)).toEqual(ids);
  });

  it('shares under the ids of others', () => {
    const swapped = new Map([...points, [1, points.get(2)!], [2, points.get(1)!]]);
    expect(pointsOff(group, commitments, swapped)).toEqual([1, 2]);
  });

  it('a polynomial that is zero at an id has nobody there', () => {
    // f(x) = (x - 1)·a: f(1) is zero.
    const a = commitments[0]!;
    const minus = group.mult(negativeOne(), a);
    expect(
      pointsOff(
        group,
        [minus, a],
        new Map([
          [1, a],
          [2, a],
        ]),
      ),
    ).toEqual([1]);
  });
});

/** L - 1, little-endian. */
function negativeOne(): ReturnType<typeof group.reduce64> {
  const wide = new Uint8Array(64);
  wide.set(Buffer.from('ecd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010', 'hex'));
  return group.reduce64(wide);
}
