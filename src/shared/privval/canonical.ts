/**
 * What sign bytes say, once parsed. CanonicalVote and CanonicalProposal of CometBFT's types/canonical.proto, the same on
 * the wire from 0.34 to 1.0. `sign-bytes.ts` encodes and parses them.
 */
export type SignStep = typeof STEP_PROPOSAL | typeof STEP_PREVOTE | typeof STEP_PRECOMMIT;
export const STEP_PROPOSAL = 1;
export const STEP_PREVOTE = 2;
export const STEP_PRECOMMIT = 3;

export const STEP_NAMES: Readonly<Record<SignStep, string>> = { 1: 'Proposal', 2: 'Prevote', 3: 'Precommit' };

/** Nanosecond timestamps as protobuf carries them; never a JS Date. */
export interface Timestamp {
  readonly seconds: bigint;
  readonly nanos: number;
}

/** A non-nil block id: `hash` and `partsHash` are 32 bytes or empty, as CometBFT allows. */
export interface BlockId {
  readonly hash: Uint8Array;
  readonly partsTotal: number;
  readonly partsHash: Uint8Array;
}

interface CanonicalCommon {
  readonly chainId: string;
  readonly height: bigint;
  readonly round: number;
  /** Undefined is a vote for nil. */
  readonly blockId: BlockId | undefined;
  readonly timestamp: Timestamp;
}

export interface CanonicalVote extends CanonicalCommon {
  readonly step: typeof STEP_PREVOTE | typeof STEP_PRECOMMIT;
}

export interface CanonicalProposal extends CanonicalCommon {
  readonly step: typeof STEP_PROPOSAL;
  /** -1 when the block was never locked before. */
  readonly polRound: bigint;
}

export type Canonical = CanonicalVote | CanonicalProposal;

export function compareTimestamps(a: Timestamp, b: Timestamp): number {
  if (a.seconds !== b.seconds) return a.seconds < b.seconds ? -1 : 1;
  return Math.sign(a.nanos - b.nanos);
}
