import { createPrivateKey, createPublicKey } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, fromHex, toHex } from '../bytes.js';
import { must } from '../invariant.js';
import { verifySignature } from '../ed25519/openssl-verify.js';
import { aggregate } from './aggregate.js';
import { deal } from './dealer.js';
import { isCanonicalScalar } from './group.js';
import { keyFromSeed } from './keys.js';
import { loadGroup } from './load-group.js';
import { BACKENDS, newRound, seededRandom, signAll } from './testdata/fixture.js';

const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });

/** The public key as OpenSSL derives it from the seed. */
function opensslPublicKey(seed: Uint8Array): string {
  const der = Buffer.from(concat(fromHex('302e020100300506032b657004220420'), seed));
  const key = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
  return key.export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex');
}

describe.each(BACKENDS)('keyFromSeed, %s', async (backend) => {
  const group = await loadGroup(backend);

  it('gives the public key of RFC 8032 §7.1 test 1', () => {
    const seed = fromHex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60');
    const publicKey = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a';
    expect(toHex(keyFromSeed(group, seed).publicKey)).toBe(publicKey);
  });

  it('keeps the public key of an existing seed through dealing, and OpenSSL verifies what its shares sign', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const before = Uint8Array.from(seed);
        const { secret, publicKey } = keyFromSeed(group, seed);
        expect(seed).toEqual(before);
        expect(isCanonicalScalar(secret)).toBe(true);
        expect(toHex(publicKey)).toBe(opensslPublicKey(seed));
        const random = seededRandom(toHex(seed));
        const dealt = deal(group, { secret, threshold: 2, count: 3, random });
        expect(toHex(dealt.groupPublicKey)).toBe(toHex(publicKey));
        const round = newRound(group, dealt, [2, 3], random);
        const results = signAll(group, round);
        const { groupCommitment } = must(results[0], 'a signer');
        const shares = results.map(({ share }) => share);
        expect(verifySignature(publicKey, round.context.message, aggregate(group, groupCommitment, shares))).toBe(true);
      }),
      { numRuns: 25 },
    );
  });

  it.each([0, 31, 33, 64])('asserts against a seed of %i bytes', (length) => {
    expect(() => keyFromSeed(group, new Uint8Array(length))).toThrow(/invariant broken/);
  });
});
