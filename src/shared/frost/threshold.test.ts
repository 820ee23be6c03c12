import { describe, expect, it } from 'vitest';
import { fromHex } from '../bytes.js';
import { verifySignature } from '../ed25519/openssl-verify.js';
import { must } from '../invariant.js';
import { aggregate } from './aggregate.js';
import { verificationShare } from './feldman.js';
import { computeGroupCommitment } from './group-commitment.js';
import { toPoint, type Scalar } from './group.js';
import { loadGroup } from './load-group.js';
import { toSignatureShare, type SignatureShare } from './signature-share.js';
import { findCulprits, verifyShare } from './verify-share.js';
import {
  codeOf,
  BACKENDS,
  CLUSTERS,
  dealing,
  newRound,
  scalarFrom,
  scalarOf,
  seededRandom,
  signAll,
  someIds,
} from './testdata/fixture.js';

const CASES = BACKENDS.flatMap((backend) => CLUSTERS.map(([t, n]) => [backend, t, n] as const));

describe.each(CASES)('%s, %i of %i', async (backend, threshold, count) => {
  const group = await loadGroup(backend);
  const random = seededRandom(`threshold/${threshold}/${count}`);
  const dealt = dealing(group, threshold, count, random);
  const ids = someIds(threshold, count);
  const round = newRound(group, dealt, ids, random);
  const results = signAll(group, round);
  const shares = results.map(({ share }) => share);
  const groupCommitment = computeGroupCommitment(group, round.context);
  const verificationShares = ids.map((id) => verificationShare(group, dealt.commitments, id));

  function culprits(tampered: readonly SignatureShare[]): readonly number[] {
    const list = ids.map((id, i) => ({
      id,
      share: must(tampered[i], 'a share each'),
      verificationShare: must(verificationShares[i], 'a key each'),
    }));
    return findCulprits(group, { ...round.context, groupCommitment, shares: list });
  }

  it('makes a signature that OpenSSL accepts', () => {
    const signature = aggregate(group, groupCommitment, shares);
    expect(verifySignature(dealt.groupPublicKey, round.context.message, signature)).toBe(true);
    expect(results.map((result) => Buffer.compare(result.groupCommitment, groupCommitment))).toEqual(ids.map(() => 0));
    expect(culprits(shares)).toEqual([]);
  });

  /** The shares with a scalar added to the one at `i`. */
  function addTo(list: readonly SignatureShare[], i: number, scalar: Scalar): readonly SignatureShare[] {
    return list.with(i, toSignatureShare(group.scalarAdd(scalarFrom(must(list[i], 'a share')), scalar)));
  }

  it('names the sender of every tampered share', () => {
    for (const [i, id] of ids.entries()) {
      const tampered = addTo(shares, i, scalarOf(1));
      expect(culprits(tampered)).toEqual([id]);
      const signature = aggregate(group, groupCommitment, tampered);
      expect(verifySignature(dealt.groupPublicKey, round.context.message, signature)).toBe(false);
    }
  });

  it('names both of two whose errors cancel out', () => {
    const tampered = addTo(addTo(shares, 0, scalarOf(1)), 1, scalarFrom(ORDER_MINUS_ONE));
    expect(culprits(tampered)).toEqual(ids.slice(0, 2));
  });

  it('does not sign with one share less', () => {
    const fewer = ids.slice(0, -1);
    const small = newRound(group, dealt, fewer, random);
    const partial = signAll(group, small);
    const signature = aggregate(
      group,
      must(partial[0], 'a signer').groupCommitment,
      partial.map(({ share }) => share),
    );
    expect(verifySignature(dealt.groupPublicKey, small.context.message, signature)).toBe(false);
  });
});

const ORDER_MINUS_ONE = fromHex('ecd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010');

describe('a share that is no share', async () => {
  const group = await loadGroup();
  const random = seededRandom('malformed');
  const dealt = dealing(group, 2, 3, random);
  const round = newRound(group, dealt, [1, 3], random);
  const [one, three] = signAll(group, round).map(({ share }) => share);
  const groupCommitment = computeGroupCommitment(group, round.context);
  const good = { id: 1, share: must(one, 'share'), verificationShare: verificationShare(group, dealt.commitments, 1) };
  const context = { ...round.context, groupCommitment };
  const order = toSignatureShare(Uint8Array.from(ORDER_MINUS_ONE));
  order[0]! += 1;

  it.each([
    ['zero', toSignatureShare(new Uint8Array(32))],
    ['L', order],
    ['above L', toSignatureShare(new Uint8Array(32).fill(0xff))],
    ["another signer's", must(three, 'share')],
  ])('%s does not verify', (_, share) => {
    expect(verifyShare(group, { ...context, ...good, share })).toBe(false);
  });

  it.each([
    ['L', order],
    ['above L', toSignatureShare(new Uint8Array(32).fill(0xff))],
  ])('%s is not added up', (_, share) => {
    expect(codeOf(() => aggregate(group, groupCommitment, [good.share, share]))).toBe('FROST_SHARE_INVALID');
  });

  it.each([
    ['message', { message: random(20) }],
    ['group commitment', { groupCommitment: group.baseMult(scalarOf(5)) }],
    ['group key', { groupPublicKey: group.baseMult(scalarOf(5)) }],
    ['verification share', { verificationShare: group.baseMult(scalarOf(5)) }],
    ['verification share that is no point', { verificationShare: toPoint(new Uint8Array(32)) }],
  ])('a right share does not verify for another %s', (_, change) => {
    expect(verifyShare(group, { ...context, ...good })).toBe(true);
    expect(verifyShare(group, { ...context, ...good, ...change })).toBe(false);
  });

  it.each([
    ['hiding', 'another point', group.baseMult(scalarOf(5))],
    ['binding', 'another point', group.baseMult(scalarOf(5))],
    ['hiding', 'of small order', toPoint(fromHex(`ec${'ff'.repeat(30)}7f`))],
    ['binding', 'of small order', toPoint(fromHex(`ec${'ff'.repeat(30)}7f`))],
  ] as const)('names the signer whose %s commitment is %s', (part, _, point) => {
    const commitments = context.commitments.map((entry) => (entry.id === 3 ? { ...entry, [part]: point } : entry));
    const shares = [
      { id: 3, share: must(three, 'share'), verificationShare: verificationShare(group, dealt.commitments, 3) },
    ];
    expect(findCulprits(group, { ...context, shares })).toEqual([]);
    expect(findCulprits(group, { ...context, commitments, shares })).toEqual([3]);
  });
});
