import { expect, it } from 'vitest';
import { PRECOMMIT, PREVOTE, parseTimestamp, voteSignBytes, type TestVote } from './vote-bytes.js';

// Made with CometBFT's own types.VoteSignBytes for these votes.
const VOTE: Omit<TestVote, 'type'> = {
  height: 12345n,
  round: 2,
  blockId: {
    hash: Buffer.from('8b01023386c371778ecb6368573e539afc3cc860ec3a2f614e54fe5652f4fc80', 'hex'),
    partsTotal: 1_000_000,
    partsHash: Buffer.from('72db3d959635dff1bb567bedaa70573392c5159666a3f8caf11e413aac52207a', 'hex'),
  },
  timestamp: parseTimestamp('2017-12-25T03:00:01.234Z'),
  chainId: 'test_chain_id',
};
const REST =
  '113930000000000000190200000000000000224a0a208b01023386c371778ecb6368573e539afc3cc860ec3a2f614e54fe5652f4fc80122608c084' +
  '3d122072db3d959635dff1bb567bedaa70573392c5159666a3f8caf11e413aac52207a2a0b08b1d381d20510809dca6f320d746573745f63686169' +
  '6e5f6964';

it.each([
  ['precommit', PRECOMMIT, `7c0802${REST}`],
  ['prevote', PREVOTE, `7c0801${REST}`],
] as const)('the sign bytes of a %s', (_name, type, expected) => {
  expect(Buffer.from(voteSignBytes({ ...VOTE, type })).toString('hex')).toBe(expected);
});

it.each([
  ['2019-10-13T16:14:44Z', { seconds: 1570983284n, nanos: 0 }],
  ['2026-11-21T06:32:49.673229658Z', { seconds: 1795242769n, nanos: 673229658 }],
  ['2026-11-21T06:32:49.05Z', { seconds: 1795242769n, nanos: 50_000_000 }],
])('the time %s', (text, expected) => {
  expect(parseTimestamp(text)).toEqual(expected);
});
