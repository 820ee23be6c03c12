import { equalBytes } from '../bytes.js';
import { HekateError, isHekateError } from '../errors.js';
import { WireReader } from '../wire/reader.js';
import { WireWriter } from '../wire/writer.js';
import {
  canonicalProblem,
  extensionProblem,
  compareTimestamps,
  STEP_PRECOMMIT,
  STEP_PREVOTE,
  STEP_PROPOSAL,
  type Canonical,
  type CanonicalProposal,
  type CanonicalVote,
  type SignStep,
  type Timestamp,
} from './canonical.js';
import { readBlockId, readTimestamp, writeBlockId, writeTimestamp, ZERO_TIME } from './fields.js';

/** Twice the longest that can be encoded; more is not even looked at. */
const MAX_CANONICAL_BYTES = 384;
/** SignedMsgType of CometBFT's types.proto. */
const TYPE_OF_STEP: Readonly<Record<SignStep, number>> = { 1: 0x20, 2: 1, 3: 2 };
const STEP_OF_TYPE: ReadonlyMap<number, SignStep> = new Map([
  [0x20, STEP_PROPOSAL],
  [1, STEP_PREVOTE],
  [2, STEP_PRECOMMIT],
]);

export interface ExtensionToSign {
  readonly chainId: string;
  readonly height: bigint;
  readonly round: number;
  readonly extension: Uint8Array;
}

/**
 * The bytes that Ed25519 signs, and what they say: length-prefixed CanonicalVote or CanonicalProposal (CometBFT
 * types/canonical.go, VoteSignBytes, ProposalSignBytes). Made by `encode` or by `parse` and in no other way, so the two never
 * differ, and nobody parses them a second time.
 */
export class SignBytes {
  /** Nothing else is of this type, whatever its shape. */
  declare private readonly brand: never;
  readonly bytes: Uint8Array;
  readonly says: Canonical;

  private constructor(bytes: Uint8Array, says: Canonical) {
    this.bytes = bytes;
    this.says = says;
  }

  /**
   * Throws SIGN_BYTES_INVALID for what no correct node asks, such as height 0. The hashes are copied: those of a request are
   * parts of a message with an extension of up to a megabyte, which would be kept as well.
   */
  static encode(says: Canonical): SignBytes {
    return new SignBytes(encodeCanonical(says), withOwnHashes(says));
  }

  /**
   * Of bytes that came from elsewhere; they are copied, for the same reason.
   * Throws SIGN_BYTES_INVALID unless they are, byte for byte, what `encode` makes of the result: whatever else a parser
   * could make of them, nothing hides in them.
   */
  static parse(bytes: Uint8Array): SignBytes {
    refuse(bytes.length > MAX_CANONICAL_BYTES ? `there are ${bytes.length} of them` : undefined);
    const own = new Uint8Array(bytes);
    const says = readLengthPrefixed(own);
    refuse(equalBytes(encodeCanonical(says), own) ? undefined : 'they are not encoded as CometBFT encodes them');
    return new SignBytes(own, says);
  }

  equals(other: SignBytes): boolean {
    return equalBytes(this.bytes, other.bytes);
  }
}

/** Length-prefixed CanonicalVoteExtension: no block and no timestamp, so it is signed anew whenever it is asked for. */
export function extensionSignBytes(extension: ExtensionToSign): Uint8Array {
  refuse(extensionProblem(extension));
  const writer = new WireWriter();
  writer.lengthPrefixed((w) => {
    w.bytes(1, extension.extension);
    w.sfixed64(2, extension.height);
    w.sfixed64(3, BigInt(extension.round));
    w.string(4, extension.chainId);
  });
  return writer.finish();
}

export function withTimestamp<C extends CanonicalVote | CanonicalProposal>(canonical: C, timestamp: Timestamp): C {
  return { ...canonical, timestamp };
}

/** Whether both are the same but for their timestamps, compared as CometBFT's privval/file.go does: encoded. */
export function sameExceptTimestamp(a: Canonical, b: Canonical): boolean {
  // Most votes of a chain differ here: no need to encode those.
  if (a.height !== b.height || a.round !== b.round || a.step !== b.step) return false;
  return equalBytes(encodeCanonical(withTimestamp(a, ZERO_TIME)), encodeCanonical(withTimestamp(b, ZERO_TIME)));
}

/** The same vote (never a proposal) with a later timestamp: the one way in which what is signed at a place may change. */
export function isLaterTimestampOfSameVote(later: Canonical, earlier: Canonical): boolean {
  return (
    later.step !== STEP_PROPOSAL &&
    sameExceptTimestamp(later, earlier) &&
    compareTimestamps(later.timestamp, earlier.timestamp) > 0
  );
}

function encodeCanonical(canonical: Canonical): Uint8Array {
  refuse(canonicalProblem(canonical));
  const writer = new WireWriter();
  writer.lengthPrefixed((w) => writeCanonical(w, canonical));
  return writer.finish();
}

function withOwnHashes(canonical: Canonical): Canonical {
  if (canonical.blockId === undefined) return canonical;
  const { hash, partsTotal, partsHash } = canonical.blockId;
  return { ...canonical, blockId: { hash: hash.slice(), partsTotal, partsHash: partsHash.slice() } };
}

function writeCanonical(w: WireWriter, canonical: Canonical): void {
  const isProposal = canonical.step === STEP_PROPOSAL;
  // The fields of a proposal behind its pol_round are numbered one higher than those of a vote.
  const shift = isProposal ? 1 : 0;
  w.int32(1, TYPE_OF_STEP[canonical.step]);
  w.sfixed64(2, canonical.height);
  w.sfixed64(3, BigInt(canonical.round));
  if (isProposal) w.int64(4, canonical.polRound);
  if (canonical.blockId !== undefined) writeBlockId(w, 4 + shift, canonical.blockId);
  writeTimestamp(w, 5 + shift, canonical.timestamp);
  w.string(6 + shift, canonical.chainId);
}

function readLengthPrefixed(bytes: Uint8Array): Canonical {
  // The re-encoding decides whether the prefix is right; here it is only stepped over.
  const prefixLength = (bytes[0] ?? 0) < 0x80 ? 1 : 2;
  try {
    return readCanonical(new WireReader(bytes, Math.min(prefixLength, bytes.length)));
  } catch (error) {
    if (isHekateError(error) && error.code === 'WIRE_MALFORMED') throw invalid(error.message, error);
    throw error;
  }
}

function readCanonical(reader: WireReader): Canonical {
  const type = reader.next() && reader.field === 1 ? reader.int32() : 0;
  const step = STEP_OF_TYPE.get(type);
  if (step === undefined) throw invalid(`type ${type} is no prevote, precommit or proposal`);
  const shift = step === STEP_PROPOSAL ? 1 : 0;
  let height = 0n;
  let round = 0n;
  let polRound = 0n;
  let blockId: CanonicalVote['blockId'];
  let timestamp: Timestamp | undefined;
  let chainId = '';
  while (reader.next()) {
    const { field } = reader;
    if (field === 2) height = reader.sfixed64();
    else if (field === 3) round = reader.sfixed64();
    else if (field === 4 && shift === 1) polRound = reader.int64();
    else if (field === 4 + shift) blockId = readBlockId(reader.message());
    else if (field === 5 + shift) timestamp = readTimestamp(reader.message());
    else if (field === 6 + shift) chainId = reader.string();
    else throw invalid(`field ${field} does not belong there`);
  }
  if (timestamp === undefined) throw invalid('the timestamp is missing');
  const common = { chainId, height, round: Number(round), blockId, timestamp };
  return step === STEP_PROPOSAL ? { step, ...common, polRound } : { step, ...common };
}

function refuse(problem: string | undefined): void {
  if (problem !== undefined) throw invalid(problem);
}

function invalid(problem: string, cause?: unknown): HekateError {
  return new HekateError('SIGN_BYTES_INVALID', `the sign bytes are not valid: ${problem}`, { cause });
}
