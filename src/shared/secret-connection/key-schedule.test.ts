import { createHash, diffieHellman } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../bytes.js';
import { isHekateError } from '../errors.js';
import { identityFromSeed, peerIdOf, verifyIdentity } from './identity.js';
import { deriveChallenge, deriveFrameKeys, deriveSession, ephemeralKey } from './key-schedule.js';
import { MerlinTranscript } from './merlin.js';
import { publicKeyOf } from '../ed25519/raw-keys.js';
import vectors from './testdata/handshake.json' with { type: 'json' };

const sha256 = (word: string): Uint8Array => new Uint8Array(createHash('sha256').update(word).digest());
const pinned = (word: string) => ephemeralKey(() => sha256(word));

/** The code of the HekateError that `work` throws. */
function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (isHekateError(error)) return error.code;
    throw error;
  }
  return 'nothing thrown';
}

describe('merlin', () => {
  it('gives the challenge of its own test vector', () => {
    const transcript = new MerlinTranscript(vectors.merlin.protocol);
    const [label, message] = vectors.merlin.append;
    transcript.append(label ?? '', new TextEncoder().encode(message));
    expect(toHex(transcript.challenge(vectors.merlin.challengeLabel, 32))).toBe(vectors.merlin.challenge);
  });

  it('depends on every byte of messages longer than the rate, and on how they are cut', () => {
    const challenge = (...messages: Uint8Array[]): string => {
      const transcript = new MerlinTranscript('x');
      for (const message of messages) transcript.append('m', message);
      return toHex(transcript.challenge('c', 32));
    };
    const long = new Uint8Array(500);
    const results = new Set([challenge(long), challenge(long.subarray(0, 250), long.subarray(250))]);
    for (const at of [0, 165, 166, 167, 332, 499]) results.add(challenge(long.with(at, 1)));
    expect(results.size).toBe(8);
  });
});

describe('key schedule', () => {
  it.each(vectors.frameKeys)('golden line $dh', ({ dh, localIsLeast, receive, send }) => {
    const keys = deriveFrameKeys(fromHex(dh), localIsLeast);
    expect([toHex(keys.receive), toHex(keys.send)]).toEqual([receive, send]);
  });

  it.each([
    ['foo', vectors.foo, vectors.bar],
    ['bar', vectors.bar, vectors.foo],
  ])('%s derives the keys and challenge of the Go implementation', (_, us, them) => {
    const local = pinned(us.ephemeralWord);
    expect(toHex(sha256(us.ephemeralWord))).toBe(us.ephemeralPrivate);
    expect(toHex(local.publicKey)).toBe(us.ephemeralPublic);
    const peerKey = fromHex(them.ephemeralPublic);
    const dh = diffieHellman({ privateKey: local.privateKey, publicKey: publicKeyOf('x25519', peerKey) });
    expect(toHex(dh)).toBe(vectors.dh);
    const session = deriveSession(local, peerKey);
    expect(toHex(session.receive)).toBe(us.receive);
    expect(toHex(session.send)).toBe(us.send);
    expect(toHex(session.challenge)).toBe(vectors.challenge);
  });

  it('puts the lower key first into the transcript', () => {
    const [low, high] = [fromHex(vectors.foo.ephemeralPublic), fromHex(vectors.bar.ephemeralPublic)];
    expect(toHex(deriveChallenge(low, high, fromHex(vectors.dh)))).toBe(vectors.challenge);
    expect(toHex(deriveChallenge(high, low, fromHex(vectors.dh)))).not.toBe(vectors.challenge);
  });

  // The points of small order on Curve25519 and their non-canonical forms, https://cr.yp.to/ecdh.html#validate.
  it.each([
    ['zero', '0000000000000000000000000000000000000000000000000000000000000000'],
    ['one', '0100000000000000000000000000000000000000000000000000000000000000'],
    ['order 8', 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'],
    ['order 8, the other', '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157'],
    ['p - 1', 'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
    ['p', 'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
    ['p + 1', 'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
    ['zero with the high bit', '0000000000000000000000000000000000000000000000000000000000000080'],
  ])('refuses a peer key of low order: %s', (_, key) => {
    expect(codeOf(() => deriveSession(pinned('foo eph'), fromHex(key)))).toBe('SC_LOW_ORDER_KEY');
  });

  it('refuses its own key', () => {
    const local = pinned('foo eph');
    expect(codeOf(() => deriveSession(local, local.publicKey))).toBe('SC_REFLECTION');
  });

  it('wipes the random bytes it was given', () => {
    const raw = sha256('foo eph');
    ephemeralKey(() => raw);
    expect(raw).toEqual(new Uint8Array(32));
  });
});

describe('identity', () => {
  it.each([vectors.foo, vectors.bar])('$identityWord has its public key', ({ identityWord, identityPublic }) => {
    const identity = identityFromSeed(sha256(identityWord));
    expect(toHex(identity.publicKey)).toBe(identityPublic);
    expect(identity.peerId).toBe(createHash('sha256').update(fromHex(identityPublic)).digest('hex').slice(0, 40));
    expect(peerIdOf(identity.publicKey)).toBe(identity.peerId);
  });

  it.each([
    ['its own signature', (s: Uint8Array) => s, true],
    ['a flipped bit', (s: Uint8Array) => s.with(3, (s[3] ?? 0) ^ 1), false],
    ['nothing', () => new Uint8Array(0), false],
  ])('verifies %s', (_, change, expected) => {
    const identity = identityFromSeed(sha256('foo'));
    const message = new Uint8Array(32);
    expect(verifyIdentity(identity.publicKey, message, change(identity.sign(message)))).toBe(expected);
  });

  it('shows no secret when it is printed', () => {
    expect(Object.keys(identityFromSeed(sha256('foo')))).toEqual(['publicKey', 'peerId', 'sign']);
  });
});
