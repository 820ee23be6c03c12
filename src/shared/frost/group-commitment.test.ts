import { ed25519 } from '@noble/curves/ed25519.js';
import { describe, expect, it } from 'vitest';
import { must } from '../invariant.js';
import { NOT_ZERO, toPoint, type Point } from './group.js';
import { sumCommitments } from './group-commitment.js';
import { loadGroup } from './load-group.js';
import type { SignerCommitment } from './nonce.js';
import { codeOf, BACKENDS, scalarOf } from './testdata/fixture.js';

describe.each(BACKENDS)('sumCommitments, %s', async (backend) => {
  const group = await loadGroup(backend);
  const point = (n: number): Point => group.baseMult(scalarOf(n));
  const negated = (n: number): Point => toPoint(ed25519.Point.fromBytes(point(n)).negate().toBytes());
  const list = (hiding: Point): SignerCommitment[] => [
    { id: 1, hiding: point(3), binding: point(5) },
    { id: 2, hiding, binding: point(7) },
  ];
  const factors = [scalarOf(10), scalarOf(100)];

  it('is D + ρ·E of each signer', () => {
    expect(sumCommitments(group, list(point(11)), factors, undefined)).toEqual(point(3 + 50 + 11 + 700));
  });

  it('takes the own term as given', () => {
    const sum = sumCommitments(group, list(point(11)), factors, { id: 1, term: point(3 + 50) });
    expect(sum).toEqual(point(3 + 50 + 11 + 700));
  });

  it('refuses commitments that cancel out', () => {
    const cancelling = list(negated(3 + 50 + 700));
    expect(codeOf(() => sumCommitments(group, cancelling, factors, undefined))).toBe('FROST_POINT_INVALID');
    expect(codeOf(() => sumCommitments(group, cancelling, factors, { id: 1, term: point(3 + 50) }))).toBe(
      'FROST_POINT_INVALID',
    );
  });

  it('refuses a binding factor of zero', () => {
    const zero = [must(factors[0], 'two'), scalarOf(0)];
    expect(() => sumCommitments(group, list(point(11)), zero, undefined)).toThrow(NOT_ZERO);
  });
});
