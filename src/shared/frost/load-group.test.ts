import { expect, it } from 'vitest';
import sodium from 'libsodium-wrappers-sumo';
import { toHex } from '../bytes.js';
import { aggregate } from './aggregate.js';
import { must } from '../invariant.js';
import type { Scalar } from './group.js';
import { loadGroup } from './load-group.js';
import { CLUSTERS, dealing, newRound, seededRandom, signAll, someIds } from './testdata/fixture.js';

it.each([
  ['native', 'native'],
  ['wasm', 'wasm'],
  [undefined, 'native'],
] as const)('asked for %s, gives %s', async (prefer, expected) => {
  expect((await loadGroup(prefer)).name).toBe(expected);
});

const real = await loadGroup('wasm');
const nativeFails = (): never => {
  throw new Error('no addon for this machine');
};
const wrongSum = { ...real, scalarAdd: (a: Scalar, b: Scalar): Scalar => real.scalarMul(a, b) };
const acceptsAnyPoint = { ...real, isValidPoint: (): boolean => true };

it.each([
  ['the addon does not load', nativeFails],
  ['the addon adds wrongly', () => wrongSum],
  ['the addon accepts any point', () => acceptsAnyPoint],
])('falls back to WASM when %s, unless native was asked for', async (_, native) => {
  const loaders = { native, wasm: async () => real };
  expect(await loadGroup(undefined, loaders)).toBe(real);
  await expect(loadGroup('native', loaders)).rejects.toMatchObject({ code: 'FROST_BACKEND_UNAVAILABLE' });
});

it('has nothing to fall back to without WASM', async () => {
  const loaders = { native: () => real, wasm: async () => wrongSum };
  await expect(loadGroup(undefined, loaders)).rejects.toMatchObject({ code: 'FROST_BACKEND_UNAVAILABLE' });
});

it.each(CLUSTERS)('both builds of libsodium give the same bytes: %i of %i', async (threshold, count) => {
  const transcripts = [];
  for (const backend of ['native', 'wasm'] as const) {
    const group = await loadGroup(backend);
    const random = seededRandom(`same/${threshold}/${count}`);
    const dealt = dealing(group, threshold, count, random);
    const round = newRound(group, dealt, someIds(threshold, count), random);
    const nonces = round.signers.flatMap((signer) => [toHex(signer.nonces.hiding), toHex(signer.nonces.binding)]);
    const results = signAll(group, round);
    const shares = results.map(({ share }) => share);
    const signature = aggregate(group, must(results[0], 'a signer').groupCommitment, shares);
    transcripts.push({
      shares: dealt.shares.map(({ secretShare }) => toHex(secretShare)),
      commitments: dealt.commitments.map(toHex),
      nonces,
      signatureShares: shares.map(toHex),
      signature: toHex(signature),
    });
  }
  expect(transcripts[0]).toEqual(transcripts[1]);
});

it('leaves no operand in the memory of the WASM module', async () => {
  const group = await loadGroup('wasm');
  const random = seededRandom('operands');
  const secret = group.reduce64(random(64));
  const other = group.reduce64(random(64));
  const product = group.scalarMul(secret, other);
  group.scalarAdd(secret, other);
  group.baseMult(secret);
  const memory = Buffer.from((sodium as unknown as { libsodium: { HEAPU8: Uint8Array } }).libsodium.HEAPU8);
  expect([secret, other, product].map((bytes) => memory.indexOf(bytes))).toEqual([-1, -1, -1]);
});
