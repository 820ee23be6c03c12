import { describe, expect, it } from 'vitest';
import type { Group } from '../src/shared/frost/group.js';
import { CommitmentPool } from './commitment-pool.js';
import type { NonceCommitment } from '../src/shared/coordination/messages.js';

const GOOD = new Uint8Array(32).fill(1);
const BAD = new Uint8Array(32).fill(2);

function pool(): { pool: CommitmentPool; checks: () => number } {
  let checks = 0;
  const group = {
    isValidPoint: (point: Uint8Array) => {
      checks++;
      return point !== BAD;
    },
  } as Partial<Group> as Group;
  return { pool: new CommitmentPool(group), checks: () => checks };
}
function commitments(...points: readonly (readonly [Uint8Array, Uint8Array])[]): NonceCommitment[] {
  return points.map(([hiding, binding], i) => ({ nonceId: i + 1, hiding, binding }));
}
const good = (count: number): NonceCommitment[] =>
  commitments(...Array.from({ length: count }, () => [GOOD, GOOD] as const));

describe('commitment pool', () => {
  it('hands each out once, oldest first', () => {
    const { pool: one } = pool();
    one.add(good(3));
    expect([1, 2, 3, 4].map(() => one.take()?.nonceId)).toEqual([1, 2, 3, undefined]);
  });

  it('hands out nothing unchecked: both points, whoever asks first', () => {
    const { pool: one, checks } = pool();
    one.add(good(2));
    one.take();
    expect(checks()).toBe(2);
    expect(one.checkAhead(5)).toBe(true);
    expect(checks()).toBe(4);
    one.take();
    expect(checks()).toBe(4);
  });

  it.each<[name: string, points: [Uint8Array, Uint8Array]]>([
    ['hiding', [BAD, GOOD]],
    ['binding', [GOOD, BAD]],
  ])('a bad %s commitment is dropped and told', (_name, points) => {
    const { pool: one } = pool();
    one.add(commitments(points, [GOOD, GOOD]));
    expect(one.take()).toBeUndefined();
    expect(one.take()?.nonceId).toBe(2);
    one.add(commitments([GOOD, GOOD], points));
    expect(one.checkAhead(2)).toBe(false);
    expect(one.size).toBe(1);
  });

  it.each<[has: number, wanted: number, prepared: boolean]>([
    [2, 2, true],
    [1, 2, false],
    [0, 1, false],
    [3, 0, true],
  ])('of %d, %d can be prepared: %s; none is taken by that', (has, wanted, prepared) => {
    const { pool: one } = pool();
    one.add(good(has));
    expect(one.prepare(wanted)).toBe(prepared);
    expect(one.size).toBe(has);
  });

  it('preparing finds a bad one that is not the first', () => {
    const { pool: one } = pool();
    one.add(commitments([GOOD, GOOD], [GOOD, BAD], [GOOD, GOOD]));
    expect(one.prepare(2)).toBe(false);
    expect(one.take()?.nonceId).toBe(1);
  });

  it('holds 256 and refuses a batch that would make it more, whole', () => {
    const { pool: one } = pool();
    expect(one.add(good(200))).toBe(true);
    expect(one.add(good(57))).toBe(false);
    expect(one.size).toBe(200);
    one.checkAhead(200);
    expect(one.add(good(57))).toBe(false);
    expect(one.add(good(56))).toBe(true);
  });
});
