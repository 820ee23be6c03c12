import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, fromHex, toHex } from '../bytes.js';
import { isHekateError } from '../errors.js';
import { FrameOpener, FrameSealer } from './frames.js';
import { Handshake, type Established } from './handshake.js';
import { encodeAuth, encodeHello } from './handshake-messages.js';
import { identityFromSeed } from './identity.js';
import { deriveSession, ephemeralKey } from './key-schedule.js';
import vectors from './testdata/handshake.json' with { type: 'json' };

const runs = process.env['CI'] === 'true' ? 3_000 : 150;
const sha256 = (word: string): Uint8Array => new Uint8Array(createHash('sha256').update(word).digest());

type Side = typeof vectors.foo;
const side = (us: Side): Handshake =>
  new Handshake(identityFromSeed(sha256(us.identityWord)), () => sha256(us.ephemeralWord));

/** What a correct bar sends to foo: hello, then proof of identity, then `data`. */
function barSends(data: Uint8Array = new Uint8Array(0)): Uint8Array {
  const sealer = new FrameSealer(fromHex(vectors.bar.send));
  return concat(
    encodeHello(fromHex(vectors.bar.ephemeralPublic)),
    sealer.seal(fromHex(vectors.bar.authMessage)),
    sealer.seal(data),
  );
}

/** Feeds foo in chunks; gives what it sent and where it got to. */
function feedFoo(chunks: readonly Uint8Array[]): {
  sent: Uint8Array;
  established: Established | undefined;
  left: Uint8Array;
} {
  const foo = side(vectors.foo);
  const sent = [foo.hello()];
  for (const [i, chunk] of chunks.entries()) {
    const step = foo.receive(chunk);
    sent.push(step.send);
    if (step.established !== undefined)
      return { sent: concat(...sent), established: step.established, left: concat(...chunks.slice(i + 1)) };
  }
  return { sent: concat(...sent), established: undefined, left: new Uint8Array(0) };
}

function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let at = 0;
  for (const size of sizes) {
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return [...chunks, bytes.subarray(at)];
}

/** The code that foo gives up with, or 'unfinished' / 'established'. */
function outcome(chunks: readonly Uint8Array[]): string {
  try {
    return feedFoo(chunks).established === undefined ? 'unfinished' : 'established';
  } catch (error) {
    if (isHekateError(error)) return error.code;
    throw error;
  }
}

describe('handshake against the recorded one', () => {
  it.each([
    ['foo', vectors.foo, vectors.bar],
    ['bar', vectors.bar, vectors.foo],
  ])('%s sends the bytes of the Go implementation and accepts its peer', (_, us, them) => {
    const local = side(us);
    expect(toHex(local.hello())).toBe(`220a20${us.ephemeralPublic}`);
    const step = local.receive(encodeHello(fromHex(them.ephemeralPublic)));
    expect(createHash('sha256').update(step.send).digest('hex')).toBe(us.firstFrameSha256);
    expect(step.established).toBeUndefined();
    const last = local.receive(new FrameSealer(fromHex(them.send)).seal(fromHex(them.authMessage)));
    expect(last.send.length).toBe(0);
    expect(toHex(last.established?.peerPublicKey ?? new Uint8Array(0))).toBe(them.identityPublic);
  });

  it('accepts everything in one chunk, with data behind it', () => {
    const data = Uint8Array.of(1, 2, 3);
    const { established } = feedFoo([barSends(data)]);
    expect(established?.data).toEqual(data);
    expect(established?.sealer.counter).toBe(1n);
  });

  it('accepts any chunking and the same bytes come out', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 700 }), { maxLength: 20 }),
        fc.uint8Array({ maxLength: 2500 }),
        (sizes, data) => {
          const { sent, established, left } = feedFoo(cut(barSends(data), sizes));
          expect(sent.length).toBe(35 + 1044);
          expect(established).toBeDefined();
          const got = concat(
            established?.data ?? new Uint8Array(0),
            established?.opener.open(left) ?? new Uint8Array(0),
          );
          expect(Buffer.compare(got, data)).toBe(0);
        },
      ),
      { numRuns: runs },
    );
  });

  it('accepts a proof of identity spread over frames, some without data', () => {
    const sealer = new FrameSealer(fromHex(vectors.bar.send));
    const auth = fromHex(vectors.bar.authMessage);
    const frames = [...auth].map((byte) => sealer.seal(Uint8Array.of(byte)));
    expect(outcome([encodeHello(fromHex(vectors.bar.ephemeralPublic)), ...frames])).toBe('established');
  });
});

/** A peer that knows the keys but may send anything inside the frames. */
function evilPeer(auth: (challenge: Uint8Array) => Uint8Array): readonly Uint8Array[] {
  const local = ephemeralKey(() => sha256('evil eph'));
  const { send, challenge } = deriveSession(local, fromHex(vectors.foo.ephemeralPublic));
  return [encodeHello(local.publicKey), new FrameSealer(send).seal(auth(challenge))];
}

const evil = identityFromSeed(sha256('evil'));
const replaced = (bytes: Uint8Array, at: number, byte: number): Uint8Array => bytes.with(at, byte);

describe('handshake with a peer that is not right', () => {
  const hello = encodeHello(fromHex(vectors.bar.ephemeralPublic));
  it.each<[string, readonly Uint8Array[], string]>([
    ['nothing', [], 'unfinished'],
    ['half a hello', [hello.subarray(0, 20)], 'unfinished'],
    ['no proof of identity', [hello], 'unfinished'],
    ['half a sealed frame', [barSends().subarray(0, 600)], 'unfinished'],
    ['http', [new TextEncoder().encode('HTTP/1.1 400 Bad Request')], 'SC_BAD_HELLO'],
    ['a TLS alert', [fromHex('15030100020246')], 'SC_BAD_HELLO'],
    ['an ephemeral key of 31 bytes', [concat(fromHex('210a1f'), new Uint8Array(31))], 'SC_BAD_HELLO'],
    ['an ephemeral key of 33 bytes', [concat(fromHex('230a21'), new Uint8Array(33))], 'SC_BAD_HELLO'],
    ['a length of 1 MiB', [fromHex('808040')], 'SC_BAD_HELLO'],
    ['an ephemeral key of another wire type', [replaced(hello, 1, 0x08)], 'SC_BAD_HELLO'],
    ['an ephemeral key in another field', [replaced(hello, 1, 0x12)], 'SC_BAD_HELLO'],
    ['our own hello', [encodeHello(fromHex(vectors.foo.ephemeralPublic))], 'SC_REFLECTION'],
    ['a zero key', [encodeHello(new Uint8Array(32))], 'SC_LOW_ORDER_KEY'],
    ['a frame that does not decrypt', [hello, new Uint8Array(1044)], 'SC_BAD_FRAME'],
    ['a right proof', evilPeer((c) => encodeAuth(evil.publicKey, evil.sign(c))), 'established'],
    [
      'a signature over something else',
      evilPeer((c) => encodeAuth(evil.publicKey, evil.sign(c.with(0, 0)))),
      'SC_AUTH_FAILED',
    ],
    [
      'a signature by another key',
      evilPeer((c) => encodeAuth(fromHex(vectors.bar.identityPublic), evil.sign(c))),
      'SC_AUTH_FAILED',
    ],
    [
      'an identity key that is no point',
      evilPeer((c) => encodeAuth(new Uint8Array(32).fill(0xff), evil.sign(c))),
      'SC_AUTH_FAILED',
    ],
    ['a secp256k1 identity', evilPeer(() => concat(fromHex('670a231221'), new Uint8Array(99))), 'SC_BAD_AUTH'],
    [
      'a proof without signature',
      evilPeer((c) => replaced(encodeAuth(evil.publicKey, evil.sign(c)), 0, 0x24)),
      'SC_BAD_AUTH',
    ],
    ['a request instead of a proof', evilPeer(() => fromHex('023a00')), 'SC_BAD_AUTH'],
  ])('%s', (_, chunks, expected) => {
    expect(outcome(chunks)).toBe(expected);
  });

  it('names the wrong byte and never the rest', () => {
    const error = ((): unknown => {
      try {
        feedFoo([new TextEncoder().encode('SECRET')]);
      } catch (thrown) {
        return thrown;
      }
      return undefined;
    })();
    expect(error).toMatchObject({ code: 'SC_BAD_HELLO', details: { wrongAt: 0, found: '0x53' } });
    expect(JSON.stringify(error) + String(error)).not.toContain('SECRET');
  });

  it('never throws anything but a HekateError, whatever comes in whatever chunks', () => {
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 3000 }),
      fc.uint8Array({ maxLength: 1200 }).map((bytes) => concat(hello, bytes)),
      fc.tuple(fc.nat({ max: 1078 }), fc.nat({ max: 255 })).map(([at, byte]) => barSends().with(at, byte)),
      fc.nat({ max: 1079 }).map((length) => barSends().subarray(0, length)),
    );
    fc.assert(
      fc.property(anything, fc.array(fc.integer({ min: 0, max: 600 }), { maxLength: 10 }), (bytes, sizes) => {
        const result = outcome(cut(bytes, sizes));
        expect(result === 'unfinished' || result === 'established' || result.startsWith('SC_')).toBe(true);
        // The right bytes are the only ones that get through.
        if (result === 'established') expect(Buffer.compare(bytes.subarray(0, 1079), barSends())).toBe(0);
      }),
      { numRuns: runs },
    );
  });

  it('fails alike for one chunk and for single bytes', () => {
    fc.assert(
      fc.property(fc.nat({ max: 1078 }), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const bytes = barSends();
        bytes[at] = (bytes[at] ?? 0) ^ mask;
        expect(outcome([...bytes].map((byte) => Uint8Array.of(byte)))).toBe(outcome([bytes]));
      }),
      { numRuns: Math.ceil(runs / 10) },
    );
  });

  it('wipes its keys when it fails', () => {
    const foo = side(vectors.foo);
    foo.receive(hello);
    expect(() => foo.receive(new Uint8Array(1044))).toThrowError('does not decrypt');
    expect(() => foo.receive(new Uint8Array(1))).toThrowError('invariant');
  });

  it('opens what the peer seals after the handshake, with the counters going on', () => {
    const { established } = feedFoo([barSends()]);
    const bar = new FrameOpener(fromHex(vectors.bar.receive), 1n);
    const sealed = established?.sealer.seal(Uint8Array.of(5)) ?? new Uint8Array(0);
    expect(bar.open(sealed)).toEqual(Uint8Array.of(5));
  });
});
