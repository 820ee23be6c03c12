import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isHekateError } from '../errors.js';
import { decodeLinkMessage } from './codec.js';
import { frameLinkMessage, FrameReader } from './grpc-frames.js';

const RUNS = process.env['CI'] ? 10_000 : 1_000;

const frame = (body: Uint8Array): Buffer => {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(body.length, 1);
  return Buffer.concat([prefix, body]);
};

it('messages come out whole, however the stream is cut', () => {
  const bodies = fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 8 });
  fc.assert(
    fc.property(bodies, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (messages, cuts) => {
      const reader = new FrameReader(60);
      const stream = Buffer.concat(messages.map(frame));
      const out: Buffer[] = [];
      for (let at = 0, i = 0; at < stream.length; i++) {
        const size = cuts[i % cuts.length] ?? 1;
        out.push(...reader.push(stream.subarray(at, at + size)));
        at += size;
      }
      expect(out.map((bytes) => [...bytes])).toEqual(messages.map((bytes) => [...bytes]));
    }),
    { numRuns: 300 },
  );
});

describe('refused', () => {
  const table: [name: string, chunk: number[], message: RegExp][] = [
    ['a compressed message', [1, 0, 0, 0, 1, 0], /compressed/],
    ['a message above the limit', [0, 0, 0, 0, 61], /61 bytes, at most 60/],
    ['4 GiB', [0, 255, 255, 255, 255], /4294967295 bytes/],
  ];
  it.each(table)('%s', (_, chunk, message) => {
    expect(() => new FrameReader(60).push(Buffer.from(chunk))).toThrowError(message);
  });

  it('garbage gives messages within the limit or TRANSPORT_MALFORMED', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 6 }), (chunks) => {
        const reader = new FrameReader(1_000);
        try {
          for (const chunk of chunks)
            for (const message of reader.push(Buffer.from(chunk))) expect(message.length).toBeLessThanOrEqual(1_000);
        } catch (error) {
          if (!isHekateError(error) || error.code !== 'TRANSPORT_MALFORMED') throw error;
        }
      }),
      { numRuns: RUNS },
    );
  });
});

it('one message object is encoded once', () => {
  const message = { kind: 'leaseRelease', term: 7 } as const;
  const first = frameLinkMessage(message);
  expect(frameLinkMessage(message)).toBe(first);
  expect(frameLinkMessage({ ...message })).not.toBe(first);
  expect(new FrameReader(100).push(first).map((bytes) => decodeLinkMessage(bytes))).toEqual([message]);
});
