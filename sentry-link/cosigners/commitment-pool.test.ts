import { describe, expect, it } from 'vitest';
import type { NonceCommitment } from '../../src/shared/coordination/messages.js';
import { toPoint } from '../../src/shared/frost/group.js';
import { CommitmentPool } from './commitment-pool.js';

const POINT = toPoint(new Uint8Array(32).fill(1));
const commitments = (count: number): NonceCommitment[] =>
  Array.from({ length: count }, (_, i) => ({ nonceId: i + 1, hiding: POINT, binding: POINT }));

describe('commitment pool', () => {
  it('hands each out once, oldest first', () => {
    const pool = new CommitmentPool();
    pool.add(commitments(3));
    expect([1, 2, 3, 4].map(() => pool.take()?.nonceId)).toEqual([1, 2, 3, undefined]);
  });

  it('keeps nothing of the message that they came in', () => {
    const message = new Uint8Array(1024 * 1024).fill(7);
    const pool = new CommitmentPool();
    pool.add([{ nonceId: 1, hiding: toPoint(message.subarray(0, 32)), binding: toPoint(message.subarray(32, 64)) }]);
    message.fill(0);
    const taken = pool.take();
    expect([taken?.hiding, taken?.binding]).toEqual([new Uint8Array(32).fill(7), new Uint8Array(32).fill(7)]);
    expect([taken?.hiding, taken?.binding].map((point) => point?.buffer.byteLength)).toEqual([32, 32]);
  });

  it('holds 256 and refuses a batch that would make it more, whole', () => {
    const pool = new CommitmentPool();
    expect(pool.add(commitments(200))).toBe(true);
    expect(pool.add(commitments(57))).toBe(false);
    expect(pool.size).toBe(200);
    expect(pool.add(commitments(56))).toBe(true);
    expect(pool.size).toBe(256);
  });
});
