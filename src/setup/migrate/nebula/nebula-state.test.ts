import { expect, it } from 'vitest';
import { isHekateError } from '../../../shared/errors.js';
import { describePlace } from '../../../shared/watermark/watermark.js';
import { parseNebulaState } from './nebula-state.js';

it.each<[string, string]>([
  ['{"height":50,"round":1,"step":2}', 'height 50, round 1, precommit'],
  ['{"height":50,"round":1,"step":1}', 'height 50, round 1, prevote'],
  ['{"height":50,"round":1,"step":32}', 'height 50, round 1, proposal'],
  ['{"height":50,"round":1,"step":0}', 'the start of height 50, round 1'],
  ['{"height":50,"round":0,"step":"Precommit"}', 'height 50, round 0, precommit'],
  ['{"height":50,"round":0,"step":"Prevote"}', 'height 50, round 0, prevote'],
  ['{"height":50,"round":0,"step":"Proposal"}', 'height 50, round 0, proposal'],
  ['{"height":50,"round":0,"step":"Unknown"}', 'the start of height 50, round 0'],
  ['{"height":0,"round":0,"step":"Unknown"}', 'no height yet'],
])('%s is %s', (json, place) => {
  const { watermark, signature } = parseNebulaState(json);
  expect(describePlace(watermark)).toBe(place);
  expect([watermark.signBytes, watermark.fresh, signature]).toEqual([undefined, false, undefined]);
});

it.each<[string, string, string]>([
  ['nothing', '', 'it is not JSON'],
  ['half', '{"height":50,"rou', 'it is not JSON'],
  ['a list', '[50,0,2]', 'it is not a JSON object'],
  ['null', 'null', 'it is not a JSON object'],
  ['{}', '{}', 'step is not'],
  [
    'the state of CometBFT',
    '{"height":"50","round":0,"step":2}',
    'its height is a string, as in the state of CometBFT',
  ],
  ['the state of TMKMS', '{"height":"50","round":"0","step":2,"block_id":null}', 'its height is a string'],
  ['an unknown key', '{"height":50,"round":0,"step":2,"term":1}', 'unknown key "term"'],
  ['step 3, of CometBFT', '{"height":50,"round":0,"step":3}', 'step is not 0, 32, 1 or 2'],
  ['a step in small letters', '{"height":50,"round":0,"step":"precommit"}', 'step is not'],
  ['a step that is a string of digits', '{"height":50,"round":0,"step":"2"}', 'step is not'],
  ['no height', '{"round":0,"step":2}', 'height is missing'],
  ['no round', '{"height":50,"step":2}', 'round is missing'],
  ['a negative height', '{"height":-1,"round":0,"step":2}', 'height is not between 0'],
  ['half a height', '{"height":1.5,"round":0,"step":2}', 'height is not a whole number'],
  ['a height that JSON has rounded', '{"height":9223372036854775807,"round":0,"step":2}', 'height is not between'],
  ['a round above 2^31', '{"height":50,"round":2147483648,"step":2}', 'round is not between 0 and 2147483647'],
  ['a round that is a string', '{"height":50,"round":"0","step":2}', 'round is not a whole number'],
])('refuses %s', (_name, json, problem) => {
  try {
    parseNebulaState(json);
  } catch (error) {
    if (!isHekateError(error)) throw error;
    expect(error.toLine()).toContain('STATE_IMPORT_INVALID: not a usable state of nebula: ');
    expect(error.message).toContain(problem);
    return;
  }
  expect.unreachable('it was taken');
});
