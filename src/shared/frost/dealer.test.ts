import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../bytes.js';
import { must } from '../invariant.js';
import type { RandomBytes } from '../ports/random.js';
import { deal } from './dealer.js';
import { checkShare, verificationShare } from './feldman.js';
import { isZero, newScalar, NOT_ZERO, toPoint } from './group.js';
import { interpolatingValue } from './interpolate.js';
import { loadGroup } from './load-group.js';
import { codeOf, CLUSTERS, dealing, scalarOf, seededRandom } from './testdata/fixture.js';

const group = await loadGroup();
const ORDER = 'edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010';

describe('deal', () => {
  it.each(CLUSTERS)('every share of %i of %i lies on the committed polynomial', (threshold, count) => {
    const dealt = dealing(group, threshold, count, seededRandom(`deal/${count}`));
    expect(dealt.shares.map(({ id }) => id)).toEqual(Array.from({ length: count }, (_, i) => i + 1));
    expect(dealt.commitments.length).toBe(threshold);
    for (const { id, secretShare } of dealt.shares) {
      expect(checkShare(group, dealt.commitments, id, secretShare)).toBe(true);
      expect(toHex(verificationShare(group, dealt.commitments, id))).toBe(toHex(group.baseMult(secretShare)));
    }
  });

  it('any t shares, and no fewer, give the secret back', () => {
    const cluster = fc.constantFrom([2, 3], [3, 5], [5, 9]);
    fc.assert(
      fc.property(cluster, fc.string(), fc.infiniteStream(fc.nat()), ([t = 2, n = 3], seed, order) => {
        const random = seededRandom(seed);
        const secret = group.reduce64(random(64));
        const dealt = deal(group, { secret, threshold: t, count: n, random });
        const shuffled = dealt.shares.map((share) => ({ share, rank: order.next().value as number }));
        const chosen = shuffled.sort((a, b) => a.rank - b.rank).map(({ share }) => share);
        const combine = (shares: typeof chosen): string => {
          const ids = shares.map(({ id }) => id);
          return toHex(
            shares.reduce(
              (sum, { id, secretShare }) =>
                group.scalarAdd(sum, group.scalarMul(interpolatingValue(ids, id), secretShare)),
              newScalar(),
            ),
          );
        };
        expect(combine(chosen.slice(0, t))).toBe(toHex(secret));
        expect(combine(chosen.slice(0, t - 1))).not.toBe(toHex(secret));
      }),
      { numRuns: 30 },
    );
  });

  it.each([
    [0, 3],
    [4, 3],
    [2, 33],
    [1.5, 3],
    [2, NaN],
    [-1, 3],
  ])('refuses %d of %d', (threshold, count) => {
    const dealIt = (): unknown => deal(group, { secret: scalarOf(5), threshold, count, random: seededRandom('x') });
    expect(dealIt).toThrow('a dealing has 1 to n of at most 32');
  });

  it('refuses a secret of zero', () => {
    const dealIt = (): unknown =>
      deal(group, { secret: scalarOf(0), threshold: 2, count: 3, random: seededRandom('x') });
    expect(dealIt).toThrow(NOT_ZERO);
  });

  it('wipes the random bytes of the polynomial and leaves the secret to its owner', () => {
    const drawn: Uint8Array[] = [];
    const source = seededRandom('wiped');
    const random: RandomBytes = (length) => {
      const bytes = source(length);
      drawn.push(bytes);
      return bytes;
    };
    const secret = scalarOf(5);
    deal(group, { secret, threshold: 3, count: 5, random });
    expect(drawn.length).toBe(2);
    expect(drawn.every(isZero)).toBe(true);
    expect(secret).toEqual(scalarOf(5));
  });
});

describe('a share that does not fit', () => {
  const dealt = dealing(group, 3, 5, seededRandom('feldman'));
  const two = must(dealt.shares[1], 'share 2').secretShare;

  it.each([
    ['of another signer', 3, two],
    ['zero', 2, new Uint8Array(32)],
    ['L', 2, fromHex(ORDER)],
    ['one more', 2, group.scalarAdd(two, scalarOf(1))],
    ['31 bytes', 2, two.subarray(1)],
  ])('%s', (_, id, share) => expect(checkShare(group, dealt.commitments, id, share)).toBe(false));

  it.each(dealt.commitments.map((_, i) => i))('commitment %i of another dealing', (i) => {
    const commitments = dealt.commitments.with(i, group.baseMult(scalarOf(99)));
    expect(checkShare(group, commitments, 2, two)).toBe(false);
  });

  it.each([
    ['identity', `01${'00'.repeat(31)}`],
    ['small order', `ec${'ff'.repeat(30)}7f`],
    ['off the curve', `02${'00'.repeat(31)}`],
  ])('a commitment that is %s is refused by name', (_, hex) => {
    const commitments = dealt.commitments.with(1, toPoint(fromHex(hex)));
    const check = (): unknown => checkShare(group, commitments, 2, two);
    expect(codeOf(check)).toBe('FROST_POINT_INVALID');
    expect(check).toThrow(/commitment 2 of 3/);
  });

  it.each([0, 33, -1, 1.5])('signer %d cannot exist', (id) => {
    expect(codeOf(() => verificationShare(group, dealt.commitments, id))).toBe('FROST_SIGNERS_INVALID');
  });
});
