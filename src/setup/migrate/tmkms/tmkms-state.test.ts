import { expect, it } from 'vitest';
import { HekateError } from '../../../shared/errors.js';
import { describePlace } from '../../../shared/watermark/watermark.js';
import { parseTmkmsState } from './tmkms-state.js';

const BLOCK = { hash: 'AB'.repeat(32), parts: { total: 1, hash: 'CD'.repeat(32) } };
const NIL = { hash: '', parts: { total: 0, hash: '' } };
const state = (change: Record<string, unknown> = {}): string =>
  JSON.stringify({ height: '123', round: '1', step: 2, block_id: BLOCK, ...change });

it.each<[string, string, string]>([
  ['a precommit', state(), 'height 123, round 1, precommit'],
  ['a prevote', state({ step: 1 }), 'height 123, round 1, prevote'],
  ['a proposal, or nothing in this round', state({ step: 0 }), 'height 123, round 1, proposal'],
  ['a proposal of before 0.7', state({ step: 3 }), 'height 123, round 1, proposal'],
  ['a vote of before 0.7', state({ step: 6 }), 'height 123, round 1, precommit'],
  ['a vote for nil', state({ block_id: NIL }), 'height 123, round 1, precommit'],
  ['null for a block', state({ block_id: null }), 'height 123, round 1, precommit'],
  ['with what it does not know', state({ more: 1 }), 'height 123, round 1, precommit'],
  ['a new one', state({ height: '0', round: '0', step: 0, block_id: NIL }), 'no height yet'],
  [
    'the last of all heights',
    state({ height: '9223372036854775807' }),
    'height 9223372036854775807, round 1, precommit',
  ],
])('%s', (_name, text, expected) => {
  const { watermark, signature } = parseTmkmsState(text);
  expect(describePlace(watermark)).toBe(expected);
  expect(watermark.signBytes ?? signature).toBeUndefined();
});

it.each<[string, string, string]>([
  ['empty', '', 'it is empty, as after a power loss'],
  ['cut short', state().slice(0, 40), 'it is not JSON'],
  ['a list', '[]', 'it is not a JSON object'],
  ['that of a node', '{"height":"5","round":0,"step":3}', '(a node writes its priv_validator_state.json like that)'],
  ['without a block', state({ block_id: undefined }), 'block_id is missing'],
  ['without a height', state({ height: undefined }), 'height is not a string of decimal digits'],
  ['a number for a height', state({ height: 123 }), 'height is not a string of decimal digits'],
  ['a height below zero', state({ height: '-1' }), 'height is not a string of decimal digits'],
  ['a height above all', state({ height: '9223372036854775808' }), 'height is above 2^63-1'],
  ['a round above all', state({ round: '2147483648' }), 'round is above 2147483647'],
  ['no step', state({ step: undefined }), 'step is not a whole number'],
  ['a step that is none', state({ step: 4 }), 'step 4 is none of 0, 1, 2'],
  ['a step below zero', state({ step: -1 }), 'step -1 is none of 0, 1, 2'],
])('refuses one that is %s', (_name, text, problem) => {
  let refusal: unknown;
  try {
    parseTmkmsState(text);
  } catch (error) {
    refusal = error;
  }
  expect(refusal).toBeInstanceOf(HekateError);
  expect(refusal).toMatchObject({ code: 'STATE_IMPORT_INVALID', message: expect.stringContaining(problem) as string });
});
