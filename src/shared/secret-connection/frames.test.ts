import { createCipheriv, createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, fromHex, toHex } from '../bytes.js';
import { isHekateError } from '../errors.js';
import { FrameOpener, FrameSealer, SEALED_FRAME_BYTES } from './frames.js';
import vectors from './testdata/handshake.json' with { type: 'json' };

const KEY = fromHex(vectors.foo.send);
const sealer = (from = 0n): FrameSealer => new FrameSealer(KEY.slice(), from);
const opener = (from = 0n): FrameOpener => new FrameOpener(KEY.slice(), from);
const runs = process.env['CI'] === 'true' ? 2_000 : 100;

/** A frame as a peer makes it that does not keep to the rules: any length field, any padding. */
function sealRaw(length: number, fill: number, counter = 0n): Uint8Array {
  const plain = Buffer.alloc(1028, fill);
  plain.writeUInt32LE(length, 0);
  const nonce = Buffer.alloc(12);
  nonce.writeBigUInt64LE(counter, 4);
  const cipher = createCipheriv('chacha20-poly1305', KEY, nonce, { authTagLength: 16 });
  return concat(cipher.update(plain), cipher.final(), cipher.getAuthTag());
}

/** Cuts `bytes` where `cuts` say (fractions of 10,000). */
function cut(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [0, ...cuts.map((c) => Math.floor((c * bytes.length) / 10_000)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, i) => bytes.subarray(places[i], end));
}

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

describe('seal', () => {
  it.each([vectors.foo, vectors.bar])('$identityWord: the first frame equals that of the Go implementation', (side) => {
    const frame = new FrameSealer(fromHex(side.send)).seal(fromHex(side.authMessage));
    expect(frame.length).toBe(1044);
    expect(toHex(frame.subarray(0, 32))).toBe(side.firstFrameStart);
    expect(toHex(frame.subarray(1028))).toBe(side.firstFrameTag);
    expect(createHash('sha256').update(frame).digest('hex')).toBe(side.firstFrameSha256);
  });

  it.each([
    [0, 0],
    [1, 1],
    [1024, 1],
    [1025, 2],
    [2048, 2],
    [2500, 3],
  ])('%i bytes make %i frames', (bytes, frames) => {
    expect(sealer().seal(new Uint8Array(bytes)).length).toBe(frames * SEALED_FRAME_BYTES);
  });

  it('has counted to 5 after the proof of identity, 2,500 bytes and one more frame', () => {
    const it = sealer();
    for (const bytes of [103, 2500, 1]) it.seal(new Uint8Array(bytes));
    expect(it.counter).toBe(5n);
  });

  it('pads with zeros, also after a longer frame', () => {
    const it = sealer();
    it.seal(new Uint8Array(1024).fill(7));
    expect(it.seal(Uint8Array.of(9))).toEqual(
      (() => {
        const plain = Buffer.alloc(1028);
        plain.writeUInt32LE(1, 0);
        plain[4] = 9;
        const nonce = fromHex('000000000100000000000000');
        const cipher = createCipheriv('chacha20-poly1305', KEY, nonce, { authTagLength: 16 });
        return concat(cipher.update(plain), cipher.final(), cipher.getAuthTag());
      })(),
    );
  });

  it('refuses to use the last frame number', () => {
    const it = sealer(2n ** 64n - 2n);
    it.seal(Uint8Array.of(1));
    expect(codeOf(() => it.seal(Uint8Array.of(1)))).toBe('SC_NONCE_EXHAUSTED');
  });

  it('wipes its key and is of no use then', () => {
    const key = KEY.slice();
    const it = new FrameSealer(key);
    it.wipe();
    expect(key).toEqual(new Uint8Array(32));
    expect(() => it.seal(Uint8Array.of(1))).toThrowError('invariant');
  });
});

describe('open', () => {
  it('gives back any data in any chunking, and keeps less than one frame', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 4 }),
        fc.array(fc.nat({ max: 10_000 }), { maxLength: 12 }),
        (writes, cuts) => {
          const [out, into] = [sealer(), opener()];
          const wire = concat(...writes.map((data) => out.seal(data)));
          const read = cut(wire, cuts).map((chunk) => {
            const data = into.open(chunk).slice();
            expect(into.partialBytes).toBeLessThan(SEALED_FRAME_BYTES);
            return data;
          });
          expect(Buffer.compare(concat(...read), concat(...writes))).toBe(0);
        },
      ),
      { numRuns: runs },
    );
  });

  it('opens byte by byte', () => {
    const into = opener();
    const read = [...sealer().seal(Uint8Array.of(1, 2, 3))].map((byte) => into.open(Uint8Array.of(byte)));
    expect(concat(...read)).toEqual(Uint8Array.of(1, 2, 3));
  });

  it.each([
    ['a frame without data', sealRaw(0, 0), 0],
    ['stale bytes as padding', sealRaw(3, 0xaa), 3],
    ['a full frame', sealRaw(1024, 1), 1024],
  ])('accepts %s', (_, frame, length) => {
    expect(opener().open(frame).length).toBe(length);
  });

  it.each([
    ['a length of 1025', sealRaw(1025, 0)],
    ['a length of 2^32 - 1', sealRaw(0xffffffff, 0)],
    ['the frame of another number', sealRaw(3, 0, 1n)],
    ['a plaintext frame', new Uint8Array(SEALED_FRAME_BYTES)],
    ['a frame twice', concat(sealRaw(3, 0), sealRaw(3, 0))],
  ])('refuses %s', (_, bytes) => {
    expect(codeOf(() => opener().open(bytes))).toBe('SC_BAD_FRAME');
  });

  it('refuses a frame with any bit flipped', () => {
    fc.assert(
      fc.property(fc.nat({ max: SEALED_FRAME_BYTES - 1 }), fc.nat({ max: 7 }), (at, bit) => {
        const frame = sealer().seal(Uint8Array.of(1, 2, 3));
        frame[at] = (frame[at] ?? 0) ^ (1 << bit);
        expect(codeOf(() => opener().open(frame))).toBe('SC_BAD_FRAME');
      }),
      { numRuns: runs },
    );
  });

  it('is of no use after a bad frame', () => {
    const into = opener();
    expect(() => into.open(new Uint8Array(SEALED_FRAME_BYTES))).toThrowError('does not decrypt');
    expect(() => into.open(sealer().seal(Uint8Array.of(1)))).toThrowError('invariant');
  });
});
