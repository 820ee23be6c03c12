import { createPrivateKey, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { PRECOMMIT, voteSignBytes } from '../../../../test/support/vote-bytes.js';
import { publicKeyOfSeed } from '../../../../test/support/secret-needles.js';
import { isHekateError } from '../../../shared/errors.js';
import { describePlace } from '../../../shared/watermark/watermark.js';
import type { FilePvState } from '../../file-pv.js';
import { higherState, parseHorcruxState, type HorcruxStateKind } from './horcrux-state.js';

const SEED = Buffer.alloc(32, 3);
const KEY = publicKeyOfSeed(SEED);
const SIGN_BYTES = voteSignBytes({
  ...{ type: PRECOMMIT, height: 50n, round: 1, blockId: undefined, chainId: 'one' },
  timestamp: { seconds: 1_700_000_000n, nanos: 5 },
});
const SIGNATURE = sign(null, SIGN_BYTES, privateKey()).toString('base64');
const FULL = {
  ...{ height: '50', round: '1', step: 3, nonce_public: null, signature: SIGNATURE },
  signbytes: Buffer.from(SIGN_BYTES).toString('hex').toUpperCase(),
};

function privateKey(): ReturnType<typeof createPrivateKey> {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), SEED]);
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}

function read(state: unknown, kind: HorcruxStateKind = 'cluster', chainId = 'one'): FilePvState | undefined {
  return parseHorcruxState(typeof state === 'string' ? state : JSON.stringify(state), kind, chainId, KEY);
}

function refusal(state: unknown, kind?: HorcruxStateKind, chainId?: string): string {
  try {
    read(state, kind, chainId);
  } catch (error) {
    if (isHekateError(error) && error.code === 'STATE_IMPORT_INVALID') return error.message;
    throw error;
  }
  return 'taken';
}

describe('parseHorcruxState', () => {
  it.each<[string, unknown, string]>([
    ['as 3.x writes it', FULL, 'height 50, round 1, precommit'],
    ['of 2.x', { height: '50', round: '1', step: 3, ephemeral_public: null }, 'height 50, round 1, precommit'],
    ['as a guide has it, shortened', { height: '50', round: '0', step: 2 }, 'height 50, round 0, prevote'],
    ['as CometBFT has it', { height: '50', round: 0, step: 1 }, 'height 50, round 0, proposal'],
    ['all strings', { height: '50', round: '0', step: '3' }, 'height 50, round 0, precommit'],
    ['all numbers', { height: 50, round: 0, step: 3 }, 'height 50, round 0, precommit'],
    ['as `state set` writes it', { height: '50', round: '0', step: 0 }, 'the start of height 50, round 0'],
    ['with an extension', { ...FULL, vote_ext_signature: SIGNATURE }, 'height 50, round 1, precommit'],
    [
      'the highest',
      { height: '9223372036854775807', round: '2147483647', step: 2 },
      'height 9223372036854775807, round 2147483647, prevote',
    ],
  ])('reads a state %s', (_name, state, place) => {
    expect(describePlace(read(state)!.watermark)).toBe(place);
  });

  it.each<[string, unknown]>([
    ['height 0', { height: '0', round: '0', step: 0 }],
    [
      'height 0 with nothing of a signature',
      { height: '0', round: '0', step: 0, nonce_public: null, signature: null, signbytes: '' },
    ],
  ])('%s knows of nothing', (_name, state) => {
    expect(read(state)).toBeUndefined();
  });

  it('keeps the sign bytes, and the signature of the cluster', () => {
    expect(Buffer.from(read(FULL)!.watermark.signBytes!.bytes)).toEqual(Buffer.from(SIGN_BYTES));
    expect(Buffer.from(read(FULL)!.signature!).toString('base64')).toBe(SIGNATURE);
  });

  it('leaves out what a share signed: it is part of a signature', () => {
    const state = read({ ...FULL, signature: Buffer.alloc(64, 1).toString('base64') }, 'share')!;
    expect(state.signature).toBeUndefined();
    expect(Buffer.from(state.watermark.signBytes!.bytes)).toEqual(Buffer.from(SIGN_BYTES));
  });

  it.each<[string, unknown, string, HorcruxStateKind?, string?]>([
    ['cut short', JSON.stringify(FULL).slice(0, 60), 'it is not JSON'],
    ['nothing', '', 'it is not JSON'],
    ['a list', [], 'it is not a JSON object'],
    ['no height', { round: '0', step: 0 }, 'height is missing'],
    ['no round', { height: '5', step: 0 }, 'round is missing'],
    ['no step', { height: '5', round: '0' }, 'step is missing'],
    ['{}', {}, 'height is missing'],
    ['a negative height', { height: '-5', round: '0', step: 0 }, 'height is not a string of decimal digits'],
    ['a height above 2^63', { height: '9223372036854775808', round: '0', step: 0 }, 'above 2^63-1'],
    ['a height that JSON has rounded', '{"height":9223372036854775807,"round":0,"step":3}', 'height is not a string'],
    ['a round above 2^31', { height: '5', round: '2147483648', step: 0 }, 'is not between 0 and 2147483647'],
    ['a negative round', { height: '5', round: '-1', step: 0 }, 'round is not a whole number'],
    ['step 4', { height: '5', round: '0', step: 4 }, 'step 4 is not between 0 and 3'],
    ['step 32, as nebula has proposals', { height: '5', round: '0', step: 32 }, 'step 32 is not between 0 and 3'],
    ['sign bytes that are cut', { ...FULL, signbytes: FULL.signbytes.slice(0, 40) }, 'signbytes cannot be read'],
    ['sign bytes of another place', { ...FULL, height: '51' }, 'its signbytes say height 50'],
    ['sign bytes of another chain', FULL, 'signbytes are for chain "one", not "two"', 'cluster', 'two'],
    [
      'a signature of another key',
      { ...FULL, signature: Buffer.alloc(64, 1).toString('base64') },
      'not of the key of this shard',
    ],
    ['a signature that is short', { ...FULL, signature: 'AAAA' }, 'signature is not 64 bytes in base64'],
  ])('refuses a state with %s', (_name, state, problem, kind, chainId) => {
    expect(refusal(state, kind, chainId)).toContain(problem);
  });
});

describe('higherState', () => {
  const at = (height: string, round: number, step: number): FilePvState => read({ height, round, step })!;

  it.each<[string, FilePvState | undefined, FilePvState | undefined, string | undefined]>([
    ['neither', undefined, undefined, undefined],
    ['one alone', at('5', 0, 1), undefined, 'height 5, round 0, proposal'],
    ['the other alone', undefined, at('5', 0, 1), 'height 5, round 0, proposal'],
    ['the height', at('6', 0, 1), at('5', 9, 3), 'height 6, round 0, proposal'],
    ['the round', at('5', 0, 3), at('5', 1, 1), 'height 5, round 1, proposal'],
    ['the step', at('5', 1, 2), at('5', 1, 3), 'height 5, round 1, precommit'],
  ])('%s', (_name, a, b, place) => {
    const higher = higherState(a, b);
    expect(higher === undefined ? undefined : describePlace(higher.watermark)).toBe(place);
  });

  it('at one place the one with the signature', () => {
    const [without, whole] = [read(FULL, 'share')!, read(FULL)!];
    expect(higherState(without, whole)).toBe(whole);
    expect(higherState(whole, without)).toBe(whole);
  });
});
