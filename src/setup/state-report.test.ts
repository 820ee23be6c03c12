import { expect, it } from 'vitest';
import { SignBytes } from '../shared/privval/sign-bytes.js';
import { describeFloor, describeWatermark } from './state-report.js';
import { floorAtHeight, neverSigned, type Watermark } from '../shared/watermark/watermark.js';

const SIGN_BYTES = SignBytes.encode({
  step: 3,
  chainId: 'test-1',
  height: 5n,
  round: 1,
  blockId: undefined,
  timestamp: { seconds: 1n, nanos: 0 },
});

it.each([
  [
    'of a vote',
    { height: 5n, round: 1, step: 3, signBytes: SIGN_BYTES, fresh: false } as const,
    {
      height: '5',
      round: 1,
      step: 3,
      place: 'height 5, round 1, precommit',
      signBytes: '2008021105000000000000001901000000000000002A0208013206746573742D31',
      fresh: false,
    },
  ],
  [
    'an operator set',
    floorAtHeight(7n),
    { height: '7', round: 2 ** 31 - 1, step: 3, place: 'all of height 7', signBytes: '', fresh: false },
  ],
])('a watermark %s in plain JSON', (_name, watermark, expected) => {
  expect(JSON.parse(JSON.stringify(describeWatermark(watermark)))).toEqual(expected);
});

it.each<[string, Watermark, string]>([
  ['never signed', neverSigned(), 'refuses nothing: this key has never signed'],
  ['a height', floorAtHeight(100_000n), 'refuses all of height 100000 and everything below'],
  ['a vote', at(8n, 0, 3), 'refuses everything up to height 8, round 0, precommit'],
  ['a proposal', at(8n, 2, 1), 'refuses everything up to height 8, round 2, proposal'],
  ['a height that only began', at(8n, 0, 0), 'refuses everything below the start of height 8, round 0'],
])('in words: %s', (_name, watermark, expected) => {
  expect(describeFloor(watermark)).toBe(expected);
});

function at(height: bigint, round: number, step: Watermark['step']): Watermark {
  return { height, round, step, signBytes: undefined, fresh: false };
}
