import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../bytes.js';
import { must } from '../invariant.js';
import { verifySignature } from '../ed25519/openssl-verify.js';
import { aggregate } from './aggregate.js';
import { computeBindingFactors, encodeGroupCommitmentList } from './binding.js';
import { encodeIdentifier, h4, h5 } from './ciphersuite.js';
import { deal } from './dealer.js';
import { checkShare } from './feldman.js';
import { computeGroupCommitment } from './group-commitment.js';
import { toPoint, type Scalar } from './group.js';
import { loadGroup } from './load-group.js';
import { generateNonces } from './nonce.js';
import { signShare } from './sign.js';
import { verifyShare } from './verify-share.js';
import { BACKENDS, scalarFrom } from './testdata/fixture.js';
import vector from './testdata/rfc9591-e1.json' with { type: 'json' };

const message = fromHex(vector.message);
const groupPublicKey = toPoint(fromHex(vector.groupPublicKey));
const commitments = vector.signers.map((signer) => ({
  id: signer.id,
  hiding: toPoint(fromHex(signer.hidingCommitment)),
  binding: toPoint(fromHex(signer.bindingCommitment)),
}));
const context = { groupPublicKey, commitments, message };
const secretShare = (id: number): Scalar => scalarFrom(fromHex(must(vector.secretShares[id - 1], `share ${id}`)));

/** Hands out the given bytes, padded with zeros, in this order. */
function scripted(...values: readonly string[]): (length: number) => Uint8Array {
  const left = values.map(fromHex);
  return (length) => {
    const out = new Uint8Array(length);
    out.set(must(left.shift(), 'a value for each call'));
    return out;
  };
}

describe.each(BACKENDS)('RFC 9591 appendix E.1, %s', async (backend) => {
  const group = await loadGroup(backend);

  it('uses the backend it was asked for', () => expect(group.name).toBe(backend));

  it('deals the shares of the polynomial', () => {
    const secret = scalarFrom(fromHex(vector.groupSecretKey));
    const dealt = deal(group, { secret, threshold: 2, count: 3, random: scripted(...vector.coefficients) });
    expect(toHex(dealt.groupPublicKey)).toBe(vector.groupPublicKey);
    expect(dealt.shares.map((share) => toHex(share.secretShare))).toEqual(vector.secretShares);
    for (const share of dealt.shares)
      expect(checkShare(group, dealt.commitments, share.id, share.secretShare)).toBe(true);
  });

  it.each(vector.signers)('makes the nonces and commitments of signer $id', (signer) => {
    const random = scripted(signer.hidingRandomness + signer.bindingRandomness);
    const { nonces, commitment } = generateNonces(group, secretShare(signer.id), random);
    expect([nonces.hiding, nonces.binding].map(toHex)).toEqual([signer.hidingNonce, signer.bindingNonce]);
    expect([commitment.hiding, commitment.binding].map(toHex)).toEqual([
      signer.hidingCommitment,
      signer.bindingCommitment,
    ]);
  });

  it('computes the binding factors', () => {
    expect(computeBindingFactors(group, context).map(toHex)).toEqual(vector.signers.map((one) => one.bindingFactor));
  });

  it.each(vector.signers)('hashes the binding factor input of signer $id', (signer) => {
    const parts = [
      groupPublicKey,
      h4(message),
      h5(encodeGroupCommitmentList(commitments)),
      encodeIdentifier(signer.id),
    ];
    expect(parts.map(toHex).join('')).toBe(signer.bindingFactorInput);
  });

  it('signs, checks the shares and adds them up', () => {
    const results = vector.signers.map((signer) => {
      const random = scripted(signer.hidingRandomness + signer.bindingRandomness);
      const { nonces } = generateNonces(group, secretShare(signer.id), random);
      return signShare(group, { ...context, id: signer.id, secretShare: secretShare(signer.id), nonces });
    });
    expect(results.map(({ share }) => toHex(share))).toEqual(vector.signers.map(({ share }) => share));
    const groupCommitment = computeGroupCommitment(group, context);
    for (const result of results) expect(toHex(result.groupCommitment)).toBe(toHex(groupCommitment));
    results.forEach(({ share }, i) => {
      const id = must(vector.signers[i], 'a signer').id;
      const verificationShare = group.baseMult(secretShare(id));
      expect(verifyShare(group, { ...context, groupCommitment, id, share, verificationShare })).toBe(true);
    });
    const signature = aggregate(
      group,
      groupCommitment,
      results.map(({ share }) => share),
    );
    expect(toHex(signature)).toBe(vector.signature);
    expect(verifySignature(groupPublicKey, message, signature)).toBe(true);
  });
});
