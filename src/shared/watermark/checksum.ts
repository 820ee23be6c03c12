import { hash } from 'node:crypto';

export const CHECKSUM_BYTES = 32;

/** SHA-256 of all but the last 32 bytes, which is where a record keeps it. */
export function checksum(record: Buffer): Buffer {
  return hash('sha256', record.subarray(0, record.length - CHECKSUM_BYTES), 'buffer');
}
