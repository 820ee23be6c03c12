import fc from 'fast-check';
import type { BlockId, Canonical, Timestamp } from '../canonical.js';
import { STEP_PRECOMMIT, STEP_PREVOTE, STEP_PROPOSAL } from '../canonical.js';
import type { ProposalMessage, VoteMessage } from '../node-messages.js';

/** Random messages for property tests: sensible ones, and (for what a node may say) any that the types can hold. */

const hash = fc.oneof(
  { weight: 4, arbitrary: fc.uint8Array({ minLength: 32, maxLength: 32 }) },
  fc.constant(new Uint8Array(0)),
);
export const blockIds: fc.Arbitrary<BlockId> = fc
  .record({ hash, partsTotal: fc.nat({ max: 2 ** 32 - 1 }), partsHash: hash })
  .filter((id) => id.hash.length + id.partsTotal + id.partsHash.length > 0);
export const timestamps: fc.Arbitrary<Timestamp> = fc.record({
  seconds: fc.bigInt({ min: -62_135_596_800n, max: 253_402_300_799n }),
  nanos: fc.nat({ max: 999_999_999 }),
});
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });

const common = {
  chainId: fc.stringMatching(/^[a-z0-9-]{0,50}$/),
  height: fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }),
  round: fc.nat({ max: 2 ** 31 - 1 }),
  blockId: fc.option(blockIds, { nil: undefined }),
  timestamp: timestamps,
};
export const canonicals: fc.Arbitrary<Canonical> = fc.oneof(
  fc.record({ step: fc.constantFrom(STEP_PREVOTE, STEP_PRECOMMIT), ...common }),
  fc.record({
    step: fc.constant<typeof STEP_PROPOSAL>(STEP_PROPOSAL),
    ...common,
    polRound: fc.bigInt({ min: -1n, max: 2n ** 31n - 1n }),
  }),
);

const bytes = fc.uint8Array({ maxLength: 100 });
const anyTimestamp = fc.record({ seconds: int64, nanos: int32 });
const anyBlockId = fc.record({ hash: bytes, partsTotal: fc.nat({ max: 2 ** 32 - 1 }), partsHash: bytes });

export const anyVotes: fc.Arbitrary<VoteMessage> = fc.record({
  type: fc.constantFrom(0, 1, 2, 32),
  height: int64,
  round: int32,
  blockId: anyBlockId,
  timestamp: anyTimestamp,
  validatorAddress: bytes,
  validatorIndex: int32,
  signature: bytes,
  extension: fc.uint8Array({ maxLength: 1000 }),
  extensionSignature: bytes,
});

export const anyProposals: fc.Arbitrary<ProposalMessage> = fc.record({
  type: fc.constantFrom(0, 1, 2, 32),
  height: int64,
  round: int32,
  polRound: int32,
  blockId: anyBlockId,
  timestamp: anyTimestamp,
  signature: bytes,
});
