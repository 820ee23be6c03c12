import { ed25519_FROST as noble } from '@noble/curves/ed25519.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../bytes.js';
import { must } from '../invariant.js';
import { verifySignature } from '../ed25519/openssl-verify.js';
import { aggregate } from './aggregate.js';
import type { Dealing } from './dealer.js';
import { checkShare, verificationShare } from './feldman.js';
import { computeGroupCommitment } from './group-commitment.js';
import { toPoint, type Point } from './group.js';
import { loadGroup } from './load-group.js';
import { toSignatureShare } from './signature-share.js';
import { BACKENDS, dealing, newRound, seededRandom, signAll, type Round } from './testdata/fixture.js';
import { findCulprits } from './verify-share.js';

/** @noble/curves' FROST is the oracle: an independent implementation of the same RFC. */
const nobleId = (id: number): string => noble.Identifier.fromNumber(id);

function noblePublic(dealt: Dealing, verificationShares: ReadonlyMap<number, Point>): NoblePublic {
  return {
    signers: { min: dealt.commitments.length, max: dealt.shares.length },
    commitments: [...dealt.commitments],
    verifyingShares: Object.fromEntries([...verificationShares].map(([id, share]) => [nobleId(id), share])),
  };
}
type NoblePublic = Parameters<typeof noble.signShare>[1];

const nobleCommitments = ({ context }: Round): Parameters<typeof noble.signShare>[3] =>
  context.commitments.map(({ id, hiding, binding }) => ({ identifier: nobleId(id), hiding, binding }));

/** A cluster, a seed, and which t of its n sign. */
const scenarios = fc
  .constantFrom([2, 3], [3, 5], [5, 9])
  .chain(([t = 2, n = 3]) =>
    fc.record({
      t: fc.constant(t),
      n: fc.constant(n),
      ids: fc.shuffledSubarray(
        Array.from({ length: n }, (_, i) => i + 1),
        { minLength: t, maxLength: t },
      ),
      seed: fc.string(),
    }),
  )
  .map((scenario) => ({ ...scenario, ids: scenario.ids.sort((a, b) => a - b) }));

describe.each(BACKENDS)('against @noble/curves, %s', async (backend) => {
  const group = await loadGroup(backend);

  function prepare(t: number, n: number, ids: readonly number[], seed: string): Prepared {
    const random = seededRandom(seed);
    const dealt = dealing(group, t, n, random);
    const keys = new Map(dealt.shares.map(({ id }) => [id, verificationShare(group, dealt.commitments, id)]));
    return { dealt, keys, round: newRound(group, dealt, ids, random), pub: noblePublic(dealt, keys) };
  }

  it('noble verifies and aggregates our shares to the same signature', () => {
    fc.assert(
      fc.property(scenarios, ({ t, n, ids, seed }) => {
        const { dealt, round, pub } = prepare(t, n, ids, seed);
        const { message } = round.context;
        const results = signAll(group, round);
        const shares = results.map(({ share }) => share);
        const list = nobleCommitments(round);
        ids.forEach((id, i) => {
          expect(noble.verifyShare(pub, list, message, nobleId(id), must(shares[i], 'a share'))).toBe(true);
        });
        const theirs = noble.aggregate(
          pub,
          list,
          message,
          Object.fromEntries(ids.map((id, i) => [nobleId(id), must(shares[i], 'a share')])),
        );
        const ours = aggregate(group, must(results[0], 'a signer').groupCommitment, shares);
        expect(toHex(theirs)).toBe(toHex(ours));
        expect(verifySignature(dealt.groupPublicKey, message, ours)).toBe(true);
      }),
      { numRuns: 12 },
    );
  });

  it('we verify and aggregate shares that noble makes, byte for byte ours', () => {
    fc.assert(
      fc.property(scenarios, ({ t, n, ids, seed }) => {
        const { dealt, keys, round, pub } = prepare(t, n, ids, seed);
        const { context } = round;
        const list = nobleCommitments(round);
        const shares = round.signers.map(({ id, secretShare, nonces }) => {
          const copy = { hiding: Uint8Array.from(nonces.hiding), binding: Uint8Array.from(nonces.binding) };
          const signer = { identifier: nobleId(id), signingShare: secretShare };
          return toSignatureShare(noble.signShare(signer, pub, copy, list, context.message));
        });
        const groupCommitment = computeGroupCommitment(group, context);
        const named = ids.map((id, i) => ({
          id,
          share: must(shares[i], 'a share'),
          verificationShare: must(keys.get(id), 'a key'),
        }));
        expect(findCulprits(group, { ...context, groupCommitment, shares: named })).toEqual([]);
        expect(signAll(group, round).map(({ share }) => toHex(share))).toEqual(shares.map(toHex));
        const signature = aggregate(group, groupCommitment, shares);
        expect(verifySignature(dealt.groupPublicKey, context.message, signature)).toBe(true);
      }),
      { numRuns: 12 },
    );
  });

  it('we accept the shares that noble deals, and noble ours', () => {
    fc.assert(
      fc.property(fc.constantFrom([2, 3], [3, 5], [7, 13]), fc.string(), ([t = 2, n = 3], seed) => {
        const theirs = noble.trustedDealer({ min: t, max: n });
        const commitments = theirs.public.commitments.map((point) => toPoint(point));
        for (let id = 1; id <= n; id++) {
          const { signingShare } = must(theirs.secretShares[nobleId(id)], 'a share');
          expect(checkShare(group, commitments, id, signingShare)).toBe(true);
          const key = must(theirs.public.verifyingShares[nobleId(id)], 'a key');
          expect(toHex(verificationShare(group, commitments, id))).toBe(toHex(key));
        }
        const { dealt, pub } = prepare(t, n, [1, 2], seed);
        for (const { id, secretShare } of dealt.shares) {
          noble.validateSecret({ identifier: nobleId(id), signingShare: secretShare }, pub);
        }
      }),
      { numRuns: 3 },
    );
  });
});

interface Prepared {
  readonly dealt: Dealing;
  readonly keys: ReadonlyMap<number, Point>;
  readonly round: Round;
  readonly pub: NoblePublic;
}
