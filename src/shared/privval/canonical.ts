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

/** CometBFT's BlockID.IsNil (types/block.go). */
export function isNoBlock(blockId: BlockId): boolean {
  return blockId.hash.length === 0 && blockId.partsTotal === 0 && blockId.partsHash.length === 0;
}

/** CometBFT's MaxChainIDLen (types/genesis.go). */
export const MAX_CHAIN_ID_BYTES = 50;
/** Heights are int64 and rounds int32 in CometBFT (proto/tendermint/types/types.proto). */
export const INT64_MAX = 2n ** 63n - 1n;
export const INT32_MAX = 2 ** 31 - 1;
const HASH_BYTES = 32;
/** What a protobuf Timestamp may hold: the years 1 to 9999. */
const MIN_SECONDS = -62_135_596_800n;
const MAX_SECONDS = 253_402_300_799n;
const MAX_NANOS = 999_999_999;

/** Why no signature may ever be made of this, or undefined. The bounds are those of CometBFT's ValidateBasic functions. */
export function canonicalProblem(canonical: Canonical): string | undefined {
  return (
    placeProblem(canonical) ??
    (canonical.blockId === undefined ? undefined : blockIdProblem(canonical.blockId)) ??
    timestampProblem(canonical.timestamp) ??
    (canonical.step === STEP_PROPOSAL ? polRoundProblem(canonical.polRound) : undefined)
  );
}

/** The same for a vote extension; its bytes are the application's and may be anything. */
export function extensionProblem(extension: {
  readonly chainId: string;
  readonly height: bigint;
  readonly round: number;
}): string | undefined {
  return placeProblem(extension);
}

function placeProblem(place: {
  readonly chainId: string;
  readonly height: bigint;
  readonly round: number;
}): string | undefined {
  const { chainId, height, round } = place;
  if (height < 1n || height > INT64_MAX) return `height ${height} is not between 1 and 2^63-1`;
  if (!Number.isInteger(round) || round < 0 || round > INT32_MAX) return `round ${round} is not between 0 and 2^31-1`;
  const bytes = Buffer.byteLength(chainId);
  return bytes > MAX_CHAIN_ID_BYTES ? `the chain id has ${bytes} bytes, ${MAX_CHAIN_ID_BYTES} are allowed` : undefined;
}

function blockIdProblem(blockId: BlockId): string | undefined {
  if (isNoBlock(blockId)) return 'an empty block id is not written';
  for (const { length } of [blockId.hash, blockId.partsHash])
    if (length !== 0 && length !== HASH_BYTES) return `a block hash has ${length} bytes`;
  return undefined;
}

function timestampProblem({ seconds, nanos }: Timestamp): string | undefined {
  if (seconds < MIN_SECONDS || seconds > MAX_SECONDS) return `the timestamp is ${seconds} s from 1970`;
  if (nanos < 0 || nanos > MAX_NANOS) return `the timestamp has ${nanos} ns`;
  return undefined;
}

function polRoundProblem(polRound: bigint): string | undefined {
  return polRound < -1n || polRound > BigInt(INT32_MAX)
    ? `POL round ${polRound} is not between -1 and 2^31-1`
    : undefined;
}
