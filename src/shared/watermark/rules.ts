import { toHex } from '../bytes.js';
import type { ErrorCode } from '../error-codes.js';
import { STEP_PROPOSAL, type Canonical } from '../privval/canonical.js';
import { isLaterTimestampOfSameVote, sameExceptTimestamp, type SignBytes } from '../privval/sign-bytes.js';
import { compareHrs, describePlace, type Place, type Watermark } from './watermark.js';

/** What a cosigner is asked to sign, parsed by itself. */
export interface SigningRequest {
  readonly signBytes: SignBytes;
  /** They are the newest that some cosigner stored for this vote (the coordinator settles differing timestamps). */
  readonly settle: boolean;
}

/** A request more than this many heights above the watermark is refused, unless the operator says otherwise: a week at 6 s. */
export const DEFAULT_MAX_HEIGHT_JUMP = 100_000n;

export type RefusalCode = Extract<
  ErrorCode,
  | 'DOUBLE_SIGN'
  | 'HEIGHT_REGRESSION'
  | 'ROUND_REGRESSION'
  | 'STEP_REGRESSION'
  | 'PROPOSAL_TIMESTAMP'
  | 'HEIGHT_JUMP'
  | 'HEIGHT_PACE'
>;

export interface Refusal {
  readonly kind: 'refuse';
  readonly code: RefusalCode;
  /** Says what was asked and where the watermark stands. */
  readonly message: string;
}

export type Decision =
  /** Persist `next`, then let the share go; undefined: these very bytes are stored already. */
  | { readonly kind: 'sign'; readonly next: Watermark | undefined }
  /** The same vote is stored with another timestamp: answer with those bytes. */
  | { readonly kind: 'stored'; readonly signBytes: SignBytes }
  | Refusal;

/**
 * The whole decision of a cosigner for one chain and key. Pure. CometBFT's privval/file.go (CheckHRS, signVote,
 * signProposal) with four differences: a stored vote is answered with its sign bytes and not with a signature; a link that
 * settles a half-finished vote may have its latest timestamp signed; a proposal that differs in its timestamp alone is refused
 * because the node would drop it anyway; and a height far above the watermark is refused. There is no rule across the steps of a round.
 */
export function decide(stored: Watermark, request: SigningRequest, maxHeightJump: bigint): Decision {
  const asked = request.signBytes.says;
  const order = compareHrs(asked, stored);
  if (order < 0) return refuseRegression(stored, asked);
  if (order === 0) return decideAtWatermark(stored, request);

  const jump = asked.height - stored.height;
  if (!stored.fresh && jump > maxHeightJump) {
    return refuse('HEIGHT_JUMP', stored, asked, `is ${jump} heights up, allowed are ${maxHeightJump}`);
  }
  return { kind: 'sign', next: raise(request.signBytes) };
}

/** A refusal that names both places; `height-pace.ts` makes its own with it. */
export function refuse(code: RefusalCode, stored: Watermark, asked: Place, why: string): Refusal {
  const message = `${describePlace(asked)} ${why}; the watermark is ${describePlace(stored)}`;
  return { kind: 'refuse', code, message };
}

function raise(signBytes: SignBytes): Watermark {
  const { height, round, step } = signBytes.says;
  return { height, round, step, signBytes, fresh: false, pace: undefined };
}

function refuseRegression(stored: Watermark, asked: Canonical): Refusal {
  if (asked.height < stored.height) return refuse('HEIGHT_REGRESSION', stored, asked, 'would go back in height');
  if (asked.round < stored.round) return refuse('ROUND_REGRESSION', stored, asked, 'would go back in round');
  return refuse('STEP_REGRESSION', stored, asked, 'would go back in step');
}

function decideAtWatermark(stored: Watermark, { signBytes, settle }: SigningRequest): Decision {
  const asked = signBytes.says;
  if (stored.signBytes === undefined) {
    return refuse('DOUBLE_SIGN', stored, asked, 'may be signed already, and it is not known for which block');
  }
  if (signBytes.equals(stored.signBytes)) return { kind: 'sign', next: undefined };

  const before = stored.signBytes.says;
  if (!sameExceptTimestamp(asked, before)) {
    const why = `for block ${blockName(asked)} would double sign: block ${blockName(before)} is signed there`;
    return refuse('DOUBLE_SIGN', stored, asked, why);
  }
  if (asked.step === STEP_PROPOSAL) {
    const why = 'differs in its timestamp alone from the one signed, and a node ignores the timestamp of an answer';
    return refuse('PROPOSAL_TIMESTAMP', stored, asked, why);
  }
  if (settle && isLaterTimestampOfSameVote(asked, before)) return { kind: 'sign', next: raise(signBytes) };
  return { kind: 'stored', signBytes: stored.signBytes };
}

/** As in the log line of a signed vote: the first ten hex digits, or what else may differ. */
export function blockName({ blockId }: Canonical): string {
  if (blockId === undefined) return 'nil';
  return `${toHex(blockId.hash).slice(0, 10).toUpperCase()}:${blockId.partsTotal}:${toHex(blockId.partsHash).slice(0, 10).toUpperCase()}`;
}
