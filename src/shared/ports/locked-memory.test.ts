import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { canLockMemory, lockedBytes } from './locked-memory.js';

const isLinux = process.platform === 'linux';

test('pieces are zero, and nobody else has them', () => {
  const pieces = Array.from({ length: 300 }, () => lockedBytes(64));
  for (const [i, piece] of pieces.entries()) {
    expect(piece).toEqual(new Uint8Array(64));
    piece.fill(i % 255 || 255);
  }
  pieces.forEach((piece, i) => expect(piece.every((byte) => byte === (i % 255 || 255))).toBe(true));
});

test.each([0, 1, 63, 4_032, 4_033, 100_000])('%d bytes are given', (length) => {
  expect(lockedBytes(length)).toEqual(new Uint8Array(length));
});

test.skipIf(!isLinux)('they are locked', () => {
  const kept = Array.from({ length: 200 }, () => lockedBytes(64));
  expect(canLockMemory()).toBe(true);
  const [, kilobytes] = /^VmLck:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  expect(Number(kilobytes) * 1024).toBeGreaterThanOrEqual(kept.length * 64);
});
