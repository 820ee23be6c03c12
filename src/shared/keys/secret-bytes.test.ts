import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toBase64, toHex } from '../bytes.js';
import { base64ToBytes, bytesToBase64, bytesToHex, hexToBytes } from './secret-bytes.js';

const ascii = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));

test('hex and base64 are what node makes of them', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      expect(bytesToHex(bytes)).toEqual(ascii(toHex(bytes)));
      expect(hexToBytes(ascii(toHex(bytes)))).toEqual(bytes);
      expect(hexToBytes(ascii(toHex(bytes).toUpperCase()))).toEqual(bytes);
      expect(bytesToBase64(bytes)).toEqual(ascii(toBase64(bytes)));
      if (bytes.length > 0) expect(base64ToBytes(ascii(toBase64(bytes)))).toEqual(bytes);
    }),
  );
});

test('any other text is refused', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 12 }), (text) => {
      const isBase64 = Buffer.from(text, 'base64').toString('base64') === text;
      expect(base64ToBytes(ascii(text)) !== undefined).toBe(isBase64);
      expect(hexToBytes(ascii(text)) !== undefined).toBe(/^([0-9a-fA-F]{2})*$/.test(text));
    }),
    { numRuns: 2_000 },
  );
});

test.each(['AB==', 'A===', 'AAA', 'AA=A', '====', ' AAA', 'AA-_'])('%s is not base64', (text) => {
  expect(base64ToBytes(ascii(text))).toBeUndefined();
});
