import { equalBytes, toHex } from '../bytes.js';
import type { ErrorCode } from '../error-codes.js';
import type { ErrorDetails } from '../errors.js';
import { compareTimestamps, STEP_NAMES, STEP_PROPOSAL, type Canonical } from '../privval/canonical.js';
import { parseSignBytes, sameExceptTimestamp } from '../privval/sign-bytes.js';
import { MAX_STORED_SIGN_BYTES } from './slot-record.js';
import { compareHrs, formatHrs, INT32_MAX, INT64_MAX, type Watermark } from './watermark.js';

/** What a cosigner is asked to sign, parsed by itself from the sign bytes. */
export interface SigningRequest {
  readonly canonical: Canonical;
  /** The bytes that `canonical` was parsed from. */
  readonly signBytes: Uint8Array;
  /** They are the newest that some cosigner stored for this vote (the coordinator settles differing timestamps). */
  readonly settle: boolean;
}

export interface WatermarkLimits {
  /** A request more than this many heights above the watermark is refused. */
  readonly maxHeightJump: bigint;
}

/** A week of blocks at 6 s. */
export const DEFAULT_WATERMARK_LIMITS: WatermarkLimits = { maxHeightJump: 100_000n };

export type RefusalCode = Extract<
  ErrorCode,
  | 'DOUBLE_SIGN'
  | 'HEIGHT_REGRESSION'
  | 'ROUND_REGRESSION'
  | 'STEP_REGRESSION'
  | 'PROPOSAL_TIMESTAMP'
  | 'HEIGHT_JUMP'
  | 'HEIGHT_PACE'
  | 'REQUEST_OUT_OF_RANGE'
>;

export interface Refusal {
  readonly kind: 'refuse';
  readonly code: RefusalCode;
  /** Says what was asked and where the watermark stands. */
  readonly message: string;
  readonly details: ErrorDetails;
}

export type Decision =
  /** Persist `next`, then let the share go; undefined: these very bytes are stored already. */
  | { readonly kind: 'sign'; readonly next: Watermark | undefined }
  /** The same vote is stored with another timestamp: answer with those bytes. */
  | { readonly kind: 'stored'; readonly signBytes: Uint8Array }
  | Refusal;

/**
 * The whole decision of a cosigner for one chain and key. Pure. CometBFT's privval/file.go (CheckHRS, signVote,
 * signProposal) with three differences: a stored vote is answered with its sign bytes and not with a signature, a proposal
 * that differs in its timestamp alone is refused because the node would drop it anyway, and a height far above the
 * watermark is refused. There is no rule across the steps of a round.
 */
export function decide(
  stored: Watermark,
  request: SigningRequest,
  limits: WatermarkLimits = DEFAULT_WATERMARK_LIMITS,
): Decision {
  const { canonical, signBytes } = request;
  const outOfRange = rangeProblem(request);
  if (outOfRange !== undefined) return refuse('REQUEST_OUT_OF_RANGE', stored, canonical, outOfRange);

  const order = compareHrs(canonical, stored);
  if (order < 0) return refuseRegression(stored, canonical);
  if (order === 0) return decideAtWatermark(stored, request);

  if (!stored.fresh && canonical.height > stored.height + limits.maxHeightJump) {
    const jump = canonical.height - stored.height;
    return refuse('HEIGHT_JUMP', stored, canonical, `is ${jump} heights up, allowed are ${limits.maxHeightJump}`);
  }
  return { kind: 'sign', next: raise(canonical, signBytes) };
}

/** The same vote (never a proposal) with a later timestamp: the one way a watermark changes without rising. */
export function isLaterTimestampOfSameVote(later: Canonical, earlier: Canonical): boolean {
  return (
    later.step !== STEP_PROPOSAL &&
    sameExceptTimestamp(later, earlier) &&
    compareTimestamps(later.timestamp, earlier.timestamp) > 0
  );
}

/** A refusal with both values in message and details; `height-pace.ts` makes its own with it. */
export function refuse(code: RefusalCode, stored: Watermark, asked: Canonical, why: string): Refusal {
  const message = `${STEP_NAMES[asked.step]} at ${formatHrs(asked)} ${why}; the watermark is ${formatHrs(stored)}`;
  return { kind: 'refuse', code, message, details: { asked: formatHrs(asked), watermark: formatHrs(stored) } };
}

function raise(canonical: Canonical, signBytes: Uint8Array): Watermark {
  const { height, round, step } = canonical;
  // Bytes of its own: those of the request may be part of a message with an extension of a megabyte.
  return { height, round, step, signBytes: signBytes.slice(), fresh: false };
}

function rangeProblem({ canonical, signBytes }: SigningRequest): string | undefined {
  const { height, round } = canonical;
  if (height < 1n || height > INT64_MAX) return 'has a height outside 1 to 2^63-1';
  if (!Number.isInteger(round) || round < 0 || round > INT32_MAX) return 'has a round outside 0 to 2^31-1';
  if (signBytes.length > MAX_STORED_SIGN_BYTES) return `has ${signBytes.length} sign bytes`;
  return undefined;
}

function refuseRegression(stored: Watermark, asked: Canonical): Refusal {
  if (asked.height < stored.height) return refuse('HEIGHT_REGRESSION', stored, asked, 'would go back in height');
  if (asked.round < stored.round) return refuse('ROUND_REGRESSION', stored, asked, 'would go back in round');
  return refuse('STEP_REGRESSION', stored, asked, 'would go back in step');
}

function decideAtWatermark(stored: Watermark, request: SigningRequest): Decision {
  const { canonical, signBytes, settle } = request;
  if (stored.signBytes.length === 0) {
    return refuse('DOUBLE_SIGN', stored, canonical, 'may be signed already, and it is not known for which block');
  }
  if (equalBytes(signBytes, stored.signBytes)) return { kind: 'sign', next: undefined };

  const before = parseSignBytes(stored.signBytes);
  if (!sameExceptTimestamp(canonical, before)) {
    const why = `for block ${blockName(canonical)} would double sign: block ${blockName(before)} is signed there`;
    return refuse('DOUBLE_SIGN', stored, canonical, why);
  }
  if (canonical.step === STEP_PROPOSAL) {
    const why = 'differs in its timestamp alone from the one signed, and a node ignores the timestamp of an answer';
    return refuse('PROPOSAL_TIMESTAMP', stored, canonical, why);
  }
  if (settle && isLaterTimestampOfSameVote(canonical, before)) {
    return { kind: 'sign', next: raise(canonical, signBytes) };
  }
  return { kind: 'stored', signBytes: stored.signBytes };
}

/** As in the log line of a signed vote: the first ten hex digits, or what else may differ. */
function blockName({ blockId }: Canonical): string {
  if (blockId === undefined) return 'nil';
  return `${toHex(blockId.hash).slice(0, 10).toUpperCase()}:${blockId.partsTotal}:${toHex(blockId.partsHash).slice(0, 10).toUpperCase()}`;
}
