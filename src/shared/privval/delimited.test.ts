import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, fromHex, toHex } from '../bytes.js';
import { frameMessage, MAX_REQUEST_BYTES, MessageReader } from './delimited.js';

const numRuns = process.env['CI'] === 'true' ? 10_000 : 300;

function drain(reader: MessageReader): string[] {
  const found: string[] = [];
  for (let message = reader.next(); message !== undefined; message = reader.next()) found.push(toHex(message));
  return found;
}

it.each([
  ['an empty message', '', '00'],
  ['a ping', '3a00', '023a00'],
  ['127 bytes', '01'.repeat(127), `7f${'01'.repeat(127)}`],
  ['128 bytes', '01'.repeat(128), `8001${'01'.repeat(128)}`],
])('frames %s', (_name, message, framed) => {
  expect(toHex(frameMessage(fromHex(message)))).toBe(framed);
});

describe('MessageReader', () => {
  it('finds the messages again, however the stream is cut', () => {
    const messages = fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 6 });
    fc.assert(
      fc.property(messages, fc.array(fc.nat()), fc.boolean(), (list, cuts, drainEachTime) => {
        const stream = concat(...list.map(frameMessage));
        const places = [...new Set(cuts.map((cut) => cut % (stream.length + 1)))].sort((a, b) => a - b);
        const reader = new MessageReader();
        const found: string[] = [];
        let from = 0;
        for (const to of [...places, stream.length]) {
          reader.push(stream.slice(from, to));
          if (drainEachTime) found.push(...drain(reader));
          from = to;
        }
        found.push(...drain(reader));
        expect(found).toEqual(list.map(toHex));
        expect(reader.unfinished).toBe(false);
      }),
      { numRuns },
    );
  });

  it('one byte at a time', () => {
    const reader = new MessageReader();
    const found: string[] = [];
    for (const byte of fromHex('023a0000023a00')) {
      reader.push(Uint8Array.of(byte));
      found.push(...drain(reader));
    }
    expect(found).toEqual(['3a00', '', '3a00']);
  });

  it('what it was given may be overwritten afterwards', () => {
    const reader = new MessageReader();
    const piece = fromHex('023a');
    reader.push(piece);
    piece.fill(0xff);
    reader.push(fromHex('00'));
    expect(drain(reader)).toEqual(['3a00']);
  });

  it('a message of the limit passes, one more byte does not', () => {
    const reader = new MessageReader();
    reader.push(frameMessage(new Uint8Array(MAX_REQUEST_BYTES)));
    expect(reader.next()?.length).toBe(MAX_REQUEST_BYTES);
    reader.push(frameMessage(new Uint8Array(MAX_REQUEST_BYTES + 1)).subarray(0, 10));
    expect(() => reader.next()).toThrow(expect.objectContaining({ code: 'PRIVVAL_OVERSIZED' }) as Error);
  });

  it.each([
    ['256 MiB', 'ffffff7f', 'PRIVVAL_OVERSIZED'],
    ['a length of five bytes', '8080808000', 'PRIVVAL_MALFORMED'],
    ['a length of ten bytes', 'ffffffffffffffffff01', 'PRIVVAL_MALFORMED'],
    ['the request line of HTTP', toHex(Buffer.from('GET / HTTP/1.1\r\n\r\n')), undefined],
    ['a TLS hello', '1603010200010001fc0303', undefined],
  ])('%s', (_name, hex, code) => {
    const reader = new MessageReader();
    reader.push(fromHex(hex));
    if (code === undefined) expect(reader.next()).toBeUndefined();
    else expect(() => reader.next()).toThrow(expect.objectContaining({ code }) as Error);
  });

  it.each<[name: string, cut: number]>([
    ['in one piece', Infinity],
    ['in pieces of 64 KiB', 65_536],
    ['in pieces of 1,000 bytes', 1_000],
    ['its first bytes one by one', 1],
  ])('reads over a message above the limit and tells of it in its turn: %s', (_name, cut) => {
    const told: string[] = [];
    const reader = new MessageReader(100, (head, length) => told.push(`${toHex(head)} ${length}`));
    const long = concat(fromHex('1a2b3c4d5e6f708192'), new Uint8Array(cut === 1 ? 200 : 300_000));
    const stream = concat(fromHex('023a00'), frameMessage(long), fromHex('023a00'), frameMessage(long));
    for (let at = 0; at < stream.length; at += cut) {
      reader.push(stream.slice(at, at + cut));
      told.push(...drain(reader));
    }
    const expected = `1a2b3c4d5e6f7081 ${long.length}`;
    expect(told.filter((one) => one !== expected)).toEqual(['3a00', '3a00']);
    if (cut !== Infinity) expect(told).toEqual(['3a00', expected, '3a00', expected]);
    expect(told.filter((one) => one === expected)).toHaveLength(2);
    expect(reader.unfinished).toBe(false);
  });

  it('is not finished within a message that it reads over, and reads over 32 MiB at most', () => {
    const reader = new MessageReader(100, () => undefined);
    reader.push(frameMessage(new Uint8Array(300)).subarray(0, 200));
    expect(reader.next()).toBeUndefined();
    expect(reader.unfinished).toBe(true);
    const other = new MessageReader(100, () => undefined);
    other.push(fromHex('81808010'));
    expect(() => other.next()).toThrow(expect.objectContaining({ code: 'PRIVVAL_OVERSIZED' }) as Error);
  });

  it('hands out what came before the fault', () => {
    const reader = new MessageReader();
    reader.push(fromHex('023a00ffffff7f'));
    expect(toHex(reader.next() ?? new Uint8Array(0))).toBe('3a00');
    expect(() => reader.next()).toThrow(expect.objectContaining({ code: 'PRIVVAL_OVERSIZED' }) as Error);
  });
});
