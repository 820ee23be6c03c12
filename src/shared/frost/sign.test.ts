import { ed25519, ED25519_TORSION_SUBGROUP } from '@noble/curves/ed25519.js';
import { beforeEach, describe, expect, it } from 'vitest';
import { fromHex } from '../bytes.js';
import { must } from '../invariant.js';
import { verifySignature } from '../ed25519/openssl-verify.js';
import { aggregate } from './aggregate.js';
import { computeGroupCommitment } from './group-commitment.js';
import { isZero, toPoint, type Group, type Point, type Scalar } from './group.js';
import { loadGroup } from './load-group.js';
import type { SignerCommitment } from './nonce.js';
import { signShare } from './sign.js';
import { codeOf, BACKENDS, dealing, newRound, seededRandom, type Round, type Signer } from './testdata/fixture.js';

const torsion = (i: number): Point => toPoint(fromHex(must(ED25519_TORSION_SUBGROUP[i], 'eight points')));
const mixed = (commitment: Point, i: number): Point =>
  toPoint(
    ed25519.Point.fromBytes(commitment)
      .add(ed25519.Point.fromBytes(torsion(i)))
      .toBytes(),
  );

describe.each(BACKENDS)('signShare, %s', async (backend) => {
  const group = await loadGroup(backend);
  const random = seededRandom('sign');
  const dealt = dealing(group, 3, 5, random);
  let round: Round;
  let me: Signer;
  beforeEach(() => {
    round = newRound(group, dealt, [1, 2, 4], random);
    me = must(round.signers[1], 'signer 2');
  });

  function sign(commitments: readonly SignerCommitment[] = round.context.commitments): void {
    signShare(group, { ...round.context, commitments, id: me.id, secretShare: me.secretShare, nonces: me.nonces });
  }

  /** The signer list with one entry changed. */
  function change(id: number, by: (entry: SignerCommitment) => Partial<SignerCommitment>): readonly SignerCommitment[] {
    return round.context.commitments.map((entry) => (entry.id === id ? { ...entry, ...by(entry) } : entry));
  }

  const entry = (id: number): SignerCommitment =>
    must(
      round.context.commitments.find((one) => one.id === id),
      'entry',
    );

  const REFUSED: readonly (readonly [string, string, () => readonly SignerCommitment[]])[] = [
    ['nobody', 'FROST_SIGNERS_INVALID', () => []],
    ['33 signers', 'FROST_SIGNERS_INVALID', () => Array.from({ length: 33 }, (_, i) => ({ ...entry(1), id: i + 1 }))],
    ['descending ids', 'FROST_SIGNERS_INVALID', () => [entry(2), entry(1), entry(4)]],
    ['an id twice', 'FROST_SIGNERS_INVALID', () => [entry(1), entry(2), entry(2)]],
    ['own id twice', 'FROST_SIGNERS_INVALID', () => [entry(2), entry(2), entry(4)]],
    ['id 0', 'FROST_SIGNERS_INVALID', () => change(1, () => ({ id: 0 }))],
    ['id 33', 'FROST_SIGNERS_INVALID', () => change(4, () => ({ id: 33 }))],
    ['id 3.5', 'FROST_SIGNERS_INVALID', () => change(4, () => ({ id: 3.5 }))],
    ['id NaN', 'FROST_SIGNERS_INVALID', () => change(4, () => ({ id: NaN }))],
    ['a list without this signer', 'FROST_COMMITMENT_FOREIGN', () => [entry(1), entry(4)]],
    [
      'another hiding commitment of ours',
      'FROST_COMMITMENT_FOREIGN',
      () => change(2, () => ({ hiding: entry(1).hiding })),
    ],
    [
      'another binding commitment of ours',
      'FROST_COMMITMENT_FOREIGN',
      () => change(2, () => ({ binding: entry(1).binding })),
    ],
    [
      'our commitments swapped',
      'FROST_COMMITMENT_FOREIGN',
      () => change(2, ({ hiding, binding }) => ({ hiding: binding, binding: hiding })),
    ],
    ['the identity as hiding commitment', 'FROST_POINT_INVALID', () => change(1, () => ({ hiding: torsion(0) }))],
    ['the identity as binding commitment', 'FROST_POINT_INVALID', () => change(1, () => ({ binding: torsion(0) }))],
    ...[1, 2, 3, 4, 5, 6, 7].flatMap((i) => [
      [`small-order hiding, no. ${i}`, 'FROST_POINT_INVALID', () => change(4, () => ({ hiding: torsion(i) }))] as const,
      [
        `small-order binding, no. ${i}`,
        'FROST_POINT_INVALID',
        () => change(4, () => ({ binding: torsion(i) })),
      ] as const,
      [
        `hiding + small order, no. ${i}`,
        'FROST_POINT_INVALID',
        () => change(4, ({ hiding }) => ({ hiding: mixed(hiding, i) })),
      ] as const,
      [
        `binding + small order, no. ${i}`,
        'FROST_POINT_INVALID',
        () => change(4, ({ binding }) => ({ binding: mixed(binding, i) })),
      ] as const,
    ]),
    [
      'a point off the curve',
      'FROST_POINT_INVALID',
      () => change(4, () => ({ hiding: toPoint(fromHex(`02${'00'.repeat(31)}`)) })),
    ],
  ];

  it.each(REFUSED)('refuses %s: %s, and the nonces are gone', (_, code, commitments) => {
    expect(codeOf(() => sign(commitments()))).toBe(code);
    expect(isZero(me.nonces.hiding) && isZero(me.nonces.binding)).toBe(true);
  });

  it('wipes the nonces after use and does not sign with them again', () => {
    expect(isZero(me.nonces.hiding) || isZero(me.nonces.binding)).toBe(false);
    sign();
    expect(isZero(me.nonces.hiding) && isZero(me.nonces.binding)).toBe(true);
    expect(codeOf(() => sign())).toBe('FROST_NONCE_SPENT');
  });

  it('leaves nothing that was derived from a secret', () => {
    const derived: Scalar[] = [];
    const watched: Group = {
      ...group,
      scalarMul: (a, b, out) => kept(group.scalarMul(a, b, out), out),
      scalarAdd: (a, b, out) => kept(group.scalarAdd(a, b, out), out),
    };
    const kept = (result: Scalar, out: Scalar | undefined): Scalar => {
      if (out !== undefined) {
        expect(isZero(out)).toBe(false);
        derived.push(out);
      }
      return result;
    };
    signShare(watched, { ...round.context, id: 2, secretShare: me.secretShare, nonces: me.nonces });
    expect(derived.length).toBeGreaterThanOrEqual(3);
    expect(derived.every(isZero)).toBe(true);
  });

  it('leaves the share and the commitments as they were', () => {
    const before = [me.secretShare, me.commitment.hiding, round.context.message].map((bytes) => Uint8Array.from(bytes));
    sign();
    expect([me.secretShare, me.commitment.hiding, round.context.message]).toEqual(before);
  });

  it('gives the same with a kept commitment, and believes it over the list', () => {
    const input = { ...round.context, id: 2, secretShare: me.secretShare };
    const [copy, spare] = [structuredClone(me.nonces), structuredClone(me.nonces)];
    const kept = signShare(group, { ...input, nonces: me.nonces, ownCommitment: me.commitment });
    expect(signShare(group, { ...input, nonces: copy })).toEqual(kept);
    const foreign = { ...input, nonces: spare, ownCommitment: entry(1) };
    expect(codeOf(() => signShare(group, foreign))).toBe('FROST_COMMITMENT_FOREIGN');
  });

  it('lets small-order parts that cancel out change nothing but the hash; the coordinator refuses them', () => {
    const list = change(1, ({ hiding }) => ({ hiding: mixed(hiding, 1) })).map((one) =>
      one.id === 4 ? { ...one, hiding: mixed(one.hiding, 7) } : one,
    );
    const context = { ...round.context, commitments: list };
    expect(codeOf(() => computeGroupCommitment(group, context))).toBe('FROST_POINT_INVALID');
    const result = signShare(group, { ...context, id: 2, secretShare: me.secretShare, nonces: me.nonces });
    expect(group.isValidPoint(result.groupCommitment)).toBe(true);
  });

  it.each([0, 1, 300, 200_000])('signs a message of %i bytes', (length) => {
    const context = { ...round.context, message: new Uint8Array(length).fill(7) };
    const results = round.signers.map((signer) => signShare(group, { ...context, ...signer }));
    const { groupCommitment } = must(results[0], 'a signer');
    const signature = aggregate(
      group,
      groupCommitment,
      results.map(({ share }) => share),
    );
    expect(verifySignature(dealt.groupPublicKey, context.message, signature)).toBe(true);
  });
});
