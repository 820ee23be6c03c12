import { sign } from 'node:crypto';
import { expect, it } from 'vitest';
import { isHekateError } from '../shared/errors.js';
import { privateKeyOf, rawPublicKey } from '../shared/ed25519/raw-keys.js';
import { SignBytes } from '../shared/privval/sign-bytes.js';
import { describePlace, type HeightRoundStep, type Watermark } from '../shared/watermark/watermark.js';
import type { FilePvState } from './file-pv.js';
import { chooseStart, type StartInputs } from './watermark-start.js';

const PRIVATE = privateKeyOf('ed25519', new Uint8Array(32).fill(3));
const KEY = { publicKey: rawPublicKey(PRIVATE) };
const OTHER = { publicKey: rawPublicKey(privateKeyOf('ed25519', new Uint8Array(32).fill(4))) };
const NOW = 1_700_000_000;
const NOTHING: StartInputs = { state: undefined, height: undefined, neverSigned: false };

function stateAt(height: bigint, round: number, step: Watermark['step']): FilePvState {
  return { watermark: { height, round, step, signBytes: undefined, fresh: false }, signature: undefined };
}
const SIGN_BYTES = SignBytes.encode({
  step: 3,
  chainId: 'test-1',
  height: 8n,
  round: 0,
  blockId: undefined,
  timestamp: { seconds: 1n, nanos: 0 },
});
const SIGNED: FilePvState = {
  watermark: { height: 8n, round: 0, step: 3, signBytes: SIGN_BYTES, fresh: false },
  signature: sign(null, SIGN_BYTES.bytes, PRIVATE),
};
const old = (height: bigint, round: number, step: HeightRoundStep['step']) => ({
  ...KEY,
  lastSigned: { height, round, step },
});

const NEVER = 'no height yet';
const UNSURE = 'WATERMARK_START_UNSURE';
const CONTRADICTED = 'WATERMARK_START_CONTRADICTED';
it.each<[name: string, inputs: Partial<StartInputs>, key: Parameters<typeof chooseStart>[1], start: string]>([
  ['nothing said', {}, KEY, 'nothing'],
  ['never signed', { neverSigned: true }, KEY, NEVER],
  ['a state', { state: stateAt(8n, 1, 2) }, KEY, 'height 8, round 1, prevote'],
  ['a state in a height that only began', { state: stateAt(8n, 0, 0) }, KEY, 'the start of height 8, round 0'],
  ['a state at zero', { state: stateAt(0n, 0, 0) }, KEY, UNSURE],
  ['a state at height 0 with a step', { state: stateAt(0n, 0, 3) }, KEY, UNSURE],
  ['a state at zero, and never signed', { state: stateAt(0n, 0, 0), neverSigned: true }, KEY, NEVER],
  ['a state above zero, and never signed', { state: stateAt(1n, 0, 1), neverSigned: true }, KEY, CONTRADICTED],
  ['height 0', { height: 0n }, KEY, UNSURE],
  ['height 1', { height: 1n }, KEY, 'all of height 1'],
  ['an old key file that knows better than never', { neverSigned: true }, old(500n, 0, 3), CONTRADICTED],
  ['an old key file that knows better than a height', { height: 499n }, old(500n, 0, 3), CONTRADICTED],
  ['an old key file that knows better than a state', { state: stateAt(500n, 0, 2) }, old(500n, 0, 3), CONTRADICTED],
  [
    'an old key file at the place of the state',
    { state: stateAt(500n, 0, 3) },
    old(500n, 0, 3),
    'height 500, round 0, precommit',
  ],
  ['an old key file below the height', { height: 500n }, old(500n, 7, 3), 'all of height 500'],
  ['an old key file and nothing else', {}, old(500n, 0, 3), 'nothing'],
  ['a state that this key signed', { state: SIGNED }, KEY, 'height 8, round 0, precommit'],
  ['a state that another key signed', { state: SIGNED }, OTHER, 'STATE_IMPORT_INVALID'],
  [
    'a state that another key signed, with the key unknown',
    { state: SIGNED },
    undefined,
    'height 8, round 0, precommit',
  ],
])('%s', (_name, inputs, key, expected) => {
  let found: string;
  try {
    const start = chooseStart({ ...NOTHING, ...inputs }, key, NOW);
    found = start === undefined ? 'nothing' : describePlace(start);
  } catch (error) {
    if (!isHekateError(error)) throw error;
    found = error.code;
  }
  expect(found).toBe(expected);
});

it.each([
  ['with its signature are kept: the same vote may be asked for again', SIGNED, SIGN_BYTES],
  ['without it are not: nothing at that place is signed again', { ...SIGNED, signature: undefined }, undefined],
])('sign bytes of a state %s', (_name, state, expected) => {
  expect(chooseStart({ ...NOTHING, state }, KEY, NOW)).toMatchObject({
    height: 8n,
    round: 0,
    step: 3,
    signBytes: expected,
  });
});

it.each<[string, Partial<StartInputs>, number | undefined]>([
  ['a height may be left behind from now on', { height: 9n }, NOW],
  ['a state without sign bytes as well', { state: stateAt(8n, 1, 2) }, NOW],
  ['one that signed, from its signature on', { state: SIGNED }, undefined],
])('at the pace, %s', (_name, inputs, atSecond) => {
  expect(chooseStart({ ...NOTHING, ...inputs }, KEY, NOW)?.pace?.atSecond).toBe(atSecond);
});
