import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../bytes.js';
import { WireReader } from './reader.js';
import { WireWriter } from './writer.js';

const numRuns = process.env['CI'] === 'true' ? 10_000 : 500;
type Read = (reader: WireReader) => unknown;

/** Reads the one field of a message. */
function readOne(hex: string, read: Read): unknown {
  const reader = new WireReader(fromHex(hex));
  expect(reader.next()).toBe(true);
  const value = read(reader);
  expect(reader.next()).toBe(false);
  return value;
}

function written(write: (writer: WireWriter) => void): string {
  const writer = new WireWriter();
  write(writer);
  return toHex(writer.finish());
}

describe('values', () => {
  // Encodings from https://protobuf.dev/programming-guides/encoding/ and the rules it states.
  it.each<[string, string, Read, (w: WireWriter) => void, unknown]>([
    ['a varint', '089601', (r) => r.int32(), (w) => w.int32(1, 150), 150],
    ['a negative int32 takes ten bytes', '08feffffffffffffffff01', (r) => r.int32(), (w) => w.int32(1, -2), -2],
    ['the least int32', '0880808080f8ffffffff01', (r) => r.int32(), (w) => w.int32(1, -(2 ** 31)), -(2 ** 31)],
    ['the greatest uint32', '08ffffffff0f', (r) => r.uint32(), (w) => w.uint32(1, 2 ** 32 - 1), 2 ** 32 - 1],
    ['the greatest int64', '08ffffffffffffffff7f', (r) => r.int64(), (w) => w.int64(1, 2n ** 63n - 1n), 2n ** 63n - 1n],
    ['the least int64', '0880808080808080808001', (r) => r.int64(), (w) => w.int64(1, -(2n ** 63n)), -(2n ** 63n)],
    ['a bool', '0801', (r) => r.bool(), (w) => w.bool(1, true), true],
    ['sfixed64', '09feffffffffffffff', (r) => r.sfixed64(), (w) => w.sfixed64(1, -2n), -2n],
    ['a string', '120774657374696e67', (r) => r.string(), (w) => w.string(2, 'testing'), 'testing'],
    ['a large field number', '92fa01026869', (r) => r.string(), (w) => w.string(4002, 'hi'), 'hi'],
    ['an embedded message', '1a03089601', (r) => readInt(r), (w) => w.message(3, (m) => m.int32(1, 150)), 150],
    ['an empty embedded message', '1a00', (r) => r.message().next(), (w) => w.message(3, () => undefined), false],
  ])('%s', (_name, hex, read, write, value) => {
    expect(readOne(hex, read)).toBe(value);
    expect(written(write)).toBe(hex);
  });

  it('zeros and empty bytes are not written', () => {
    const nothing = written((w) => {
      w.int32(1, 0);
      w.int64(2, 0n);
      w.uint32(3, 0);
      w.bool(4, false);
      w.sfixed64(5, 0n);
      w.bytes(6, new Uint8Array(0));
      w.string(7, '');
    });
    expect(nothing).toBe('');
  });

  it('any values come back, in messages of any length and depth', () => {
    const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
    const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    const uint32 = fc.nat({ max: 2 ** 32 - 1 });
    const field = fc.integer({ min: 1, max: 2 ** 20 });
    fc.assert(
      fc.property(
        field,
        int32,
        int64,
        uint32,
        fc.uint8Array({ maxLength: 300 }),
        fc.string({ unit: 'binary' }),
        (n, i, l, u, b, s) => {
          const writer = new WireWriter();
          writer.message(n, (outer) =>
            outer.message(n, (w) => {
              w.int32(1, i);
              w.int64(2, l);
              w.uint32(3, u);
              w.sfixed64(4, l);
              w.bytes(5, b);
              w.string(6, s);
            }),
          );
          const reader = new WireReader(writer.finish());
          reader.next();
          const outer = reader.message();
          outer.next();
          expect([reader.field, outer.field]).toEqual([n, n]);
          const inner = outer.message();
          const found = { i: 0, l: 0n, u: 0, f: 0n, b: new Uint8Array(0), s: '' };
          while (inner.next()) {
            if (inner.field === 1) found.i = inner.int32();
            if (inner.field === 2) found.l = inner.int64();
            if (inner.field === 3) found.u = inner.uint32();
            if (inner.field === 4) found.f = inner.sfixed64();
            if (inner.field === 5) found.b = inner.bytes().slice();
            if (inner.field === 6) found.s = inner.string();
          }
          expect(found).toEqual({ i, l, u, f: l, b, s });
        },
      ),
      { numRuns: Math.min(numRuns, 2_000) },
    );
  });
});

describe('malformed', () => {
  it.each<[string, string, Read]>([
    ['a tag that does not end', '80', () => undefined],
    ['field number 0', '0001', () => undefined],
    ['wire type 7', '0f01', () => undefined],
    ['a group', '0b0c', () => undefined],
    ['a field number above 2^29', '8080808010', () => undefined],
    ['a varint that does not end', '0880', (r) => r.int64()],
    ['a varint of eleven bytes', '08808080808080808080808001', (r) => r.int64()],
    ['a varint of 65 bits', '08ffffffffffffffffff02', (r) => r.int64()],
    ['an int32 above its range', '088080808008', (r) => r.int32()],
    ['an int32 below its range', '08fffffffff7ffffffff01', (r) => r.int32()],
    ['a negative uint32', '08ffffffffffffffffff01', (r) => r.uint32()],
    ['a bool of 2', '0802', (r) => r.bool()],
    ['seven bytes of sfixed64', '0901020304050607', (r) => r.sfixed64()],
    ['bytes beyond the end', '0a0301', (r) => r.bytes()],
    ['a length of 2^32 and more', '0a8080808010', (r) => r.bytes()],
    ['a length of 2^64-1', '0affffffffffffffffff01', (r) => r.bytes()],
    ['a string that is not UTF-8', '0a01ff', (r) => r.string()],
    ['a string of half a surrogate', '0a03eda080', (r) => r.string()],
    ['a message beyond the end', '0a0208', (r) => r.message()],
    ['a field beyond its embedded message', '0a020a0101', (r) => readBytes(r.message())],
    ['bytes where a number belongs', '0a00', (r) => r.int64()],
    ['a number where bytes belong', '0800', (r) => r.bytes()],
    ['a number where a message belongs', '0800', (r) => r.message()],
    ['a varint where sfixed64 belongs', '0800', (r) => r.sfixed64()],
    ['skipped bytes beyond the end', '0a05', (r) => r.skip()],
    ['a skipped fixed32 beyond the end', '0d010203', (r) => r.skip()],
  ])('%s', (_name, hex, read) => {
    const reader = new WireReader(fromHex(hex));
    expect(() => {
      reader.next();
      read(reader);
    }).toThrow(expect.objectContaining({ code: 'WIRE_MALFORMED' }) as Error);
  });

  it('garbage ends with WIRE_MALFORMED or at the end, whatever is read from it', () => {
    const reads: Read[] = [
      (r) => r.int32(),
      (r) => r.int64(),
      (r) => r.uint32(),
      (r) => r.bool(),
      (r) => r.sfixed64(),
      (r) => r.bytes(),
      (r) => r.string(),
      (r) => r.message().next(),
      (r) => r.skip(),
    ];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.array(fc.nat({ max: reads.length - 1 })), (bytes, picks) => {
        const reader = new WireReader(bytes);
        try {
          for (const pick of picks) {
            if (!reader.next()) return;
            reads[pick]?.(reader);
          }
        } catch (error) {
          expect(error).toMatchObject({ code: 'WIRE_MALFORMED' });
        }
      }),
      { numRuns },
    );
  });
});

it('skips what it is not asked for', () => {
  const reader = new WireReader(fromHex('0896010901020304050607081202ffff1d010203042801'));
  const seen: number[] = [];
  while (reader.next()) {
    seen.push(reader.field);
    if (reader.field !== 5) reader.skip();
    else expect(reader.int32()).toBe(1);
  }
  expect(seen).toEqual([1, 1, 2, 3, 5]);
});

function readInt(reader: WireReader): number {
  const inner = reader.message();
  inner.next();
  return inner.int32();
}

function readBytes(reader: WireReader): Uint8Array {
  reader.next();
  return reader.bytes();
}
