import { STEP_PROPOSAL, type BlockId, type Canonical, type Timestamp } from './canonical.js';
import { isNoBlock } from './fields.js';

/** CometBFT's MaxChainIDLen (types/genesis.go). */
export const MAX_CHAIN_ID_BYTES = 50;
const INT64_MAX = 2n ** 63n - 1n;
const INT32_MAX = 2 ** 31 - 1;
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
