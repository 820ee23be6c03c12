import { describe, expect, it } from 'vitest';
import { fromHex } from '../bytes.js';
import { must } from '../invariant.js';
import { verifySignature } from './openssl-verify.js';
import vectors from './testdata/rfc8032.json' with { type: 'json' };

const first = must(vectors.cases[0], 'a vector');
const publicKey = fromHex(first.publicKey);
const signature = fromHex(first.signature);
const message = fromHex(first.message);
const flip = (bytes: Uint8Array, at: number): Uint8Array => bytes.with(at, bytes[at]! ^ 1);

describe('verifySignature', () => {
  it.each(vectors.cases)('accepts RFC 8032 §7.1 $name', (vector) => {
    const ok = verifySignature(fromHex(vector.publicKey), fromHex(vector.message), fromHex(vector.signature));
    expect(ok).toBe(true);
  });

  it.each([
    ['R changed', publicKey, message, flip(signature, 0)],
    ['s changed', publicKey, message, flip(signature, 32)],
    ['s above L', publicKey, message, signature.map((byte, i) => (i >= 32 ? 0xff : byte))],
    ['another message', publicKey, Uint8Array.of(1), signature],
    ['another key', flip(publicKey, 0), message, signature],
    ['a key that is no point', fromHex(`02${'00'.repeat(31)}`), message, signature],
    ['a short key', publicKey.subarray(1), message, signature],
    ['a short signature', publicKey, message, signature.subarray(1)],
    ['a long signature', publicKey, message, Uint8Array.from([...signature, 0])],
    ['an empty signature', publicKey, message, new Uint8Array(0)],
  ])('refuses %s', (_, key, bytes, wrong) => {
    expect(verifySignature(key, bytes, wrong)).toBe(false);
  });

  it('works on for more keys than it keeps', () => {
    for (let i = 0; i < 600; i++) {
      const other = new Uint8Array(32);
      new DataView(other.buffer).setUint32(0, i);
      expect(verifySignature(other, message, signature)).toBe(false);
    }
    expect(verifySignature(publicKey, message, signature)).toBe(true);
  });
});
