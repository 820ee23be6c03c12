import { expect, it } from 'vitest';
import { newPoint, newScalar, toPoint, type Point, type Scalar } from './group.js';
import { loadGroup } from './load-group.js';
import { generateNonces, type Nonce } from './nonce.js';
import type { SignShareInput } from './sign.js';
import { toSignatureShare, type SignatureShare } from './signature-share.js';
import { scalarOf, seededRandom } from './testdata/fixture.js';

const group = await loadGroup();
const scalar = scalarOf(5);
const point = group.baseMult(scalar);
const { nonces, commitment } = generateNonces(group, scalar, seededRandom('types'));
const share = toSignatureShare(new Uint8Array(32));
const bytes = new Uint8Array(32);
const context = { groupPublicKey: point, commitments: [{ id: 1, ...commitment }], message: bytes };
const input = { ...context, id: 1, secretShare: scalar, nonces };

const asScalar = (value: Scalar): Uint8Array => value;
const asPoint = (value: Point): Uint8Array => value;
const asNonce = (value: Nonce): Uint8Array => value;
const asShare = (value: SignatureShare): Uint8Array => value;
const asInput = (value: SignShareInput): Uint8Array => value.message;

it('mix-ups are refused by the compiler, and by it alone: they would run', () => {
  const mixedUp = [
    // @ts-expect-error a point is no scalar
    asScalar(point),
    // @ts-expect-error the commitment to a nonce is no scalar
    asScalar(commitment.hiding),
    // @ts-expect-error a signature share may be no scalar
    asScalar(share),
    // @ts-expect-error bytes may be no scalar
    asScalar(bytes),
    // @ts-expect-error a part of a scalar is none
    asScalar(scalar.subarray(1)),
    // @ts-expect-error a scalar is no point
    asPoint(scalar),
    // @ts-expect-error a nonce is no point
    asPoint(nonces.binding),
    // @ts-expect-error a signature share is no point
    asPoint(share),
    // @ts-expect-error bytes may have another length than a point
    asPoint(bytes),
    // @ts-expect-error a scalar may have been used before
    asNonce(scalar),
    // @ts-expect-error a commitment is no nonce
    asNonce(commitment.binding),
    // @ts-expect-error a signature share is no nonce
    asNonce(share),
    // @ts-expect-error bytes are no nonce
    asNonce(bytes),
    // @ts-expect-error a scalar, of which the secret share is one, is no signature share
    asShare(scalar),
    // @ts-expect-error a nonce is no signature share
    asShare(nonces.hiding),
    // @ts-expect-error a point is no signature share
    asShare(point),
    // @ts-expect-error bytes may have another length than a signature share
    asShare(bytes),
    // @ts-expect-error commitments are sent to others, nonces never
    asInput({ ...input, commitments: [{ id: 1, ...nonces }] }),
    // @ts-expect-error nonces come from generateNonces alone
    asInput({ ...input, nonces: { hiding: scalar, binding: scalar } }),
    // @ts-expect-error a public key is no secret share
    asInput({ ...input, secretShare: point }),
  ];
  expect(mixedUp.every((value) => value instanceof Uint8Array)).toBe(true);
});

it.each<[name: string, value: Uint8Array]>([
  ['a nonce where a scalar belongs', asScalar(nonces.hiding)],
  ['fresh bytes for a scalar', asScalar(newScalar())],
  ['fresh bytes for a point', asPoint(newPoint())],
  ['what belongs together', asInput(input)],
])('the compiler takes %s', (_, value) => expect(value).toHaveLength(32));

it.each([0, 31, 33, 64])('%i bytes are neither a point nor a signature share', (length) => {
  expect(() => toPoint(new Uint8Array(length))).toThrow(/invariant broken: a point/);
  expect(() => toSignatureShare(new Uint8Array(length))).toThrow(/invariant broken: a signature share/);
});
