import { expect, it } from 'vitest';
import { decodeRunRecord, encodeRunRecord, RUN_RECORD_BYTES, standing } from './run-record.js';

const LIFE = new Uint8Array(16).fill(7);
const OTHER = new Uint8Array(16).fill(8);

it('comes back as it was, and not when any byte of it is changed', () => {
  const bytes = encodeRunRecord({ life: LIFE, sequence: 2n ** 64n - 1n });
  expect(decodeRunRecord(bytes)).toEqual({ life: Buffer.from(LIFE), sequence: 2n ** 64n - 1n });
  for (let at = 0; at < RUN_RECORD_BYTES; at++) {
    const damaged = bytes.slice();
    damaged[at]! ^= 0x10;
    expect([at, decodeRunRecord(damaged)]).toEqual([at, undefined]);
  }
  for (const length of [0, 63]) expect(decodeRunRecord(bytes.subarray(0, length))).toBeUndefined();
});

it.each<
  [name: string, life: Uint8Array | undefined, sequence: bigint, record: [Uint8Array, bigint] | undefined, is: string]
>([
  ['the record of this life and number', LIFE, 10n, [LIFE, 10n], 'same'],
  ['one less: it ended between the disk and the record', LIFE, 10n, [LIFE, 9n], 'same'],
  ['two less: a command has written since', LIFE, 10n, [LIFE, 8n], 'unknown'],
  ['one more: the disk has lost a write', LIFE, 10n, [LIFE, 11n], 'behind'],
  ['far more: an old copy', LIFE, 10n, [LIFE, 10_000n], 'behind'],
  ['another life', LIFE, 10n, [OTHER, 10n], 'unknown'],
  ['another life that came further', LIFE, 10n, [OTHER, 99n], 'unknown'],
  ['no record', LIFE, 10n, undefined, 'unknown'],
  ['a state without a life', undefined, 10n, [LIFE, 10n], 'unknown'],
])('a start that finds %s', (_name, life, sequence, record, is) => {
  const found = record && { life: record[0], sequence: record[1] };
  expect(standing({ life, sequence }, found)).toBe(is);
});
