import { MAX_EXTENSION_BYTES } from '../src/shared/coordination/limits.js';
import type { VerifiedSignature } from '../src/shared/ed25519/openssl-verify.js';
import type { ErrorCode } from '../src/shared/error-codes.js';
import { HekateError } from '../src/shared/errors.js';
import {
  canonicalProblem,
  MAX_CHAIN_ID_BYTES,
  isNoBlock,
  STEP_PRECOMMIT,
  STEP_PREVOTE,
  STEP_PROPOSAL,
  type Canonical,
  type CanonicalVote,
  type Timestamp,
} from '../src/shared/privval/canonical.js';
import type { VoteMessage } from '../src/shared/privval/node-messages.js';
import type { SignProposalRequest, SignVoteRequest } from '../src/shared/privval/request.js';
import { SignBytes } from '../src/shared/privval/sign-bytes.js';

/** What a node asks to have signed, checked and in the form that is signed. */
export interface VoteToSign {
  readonly signBytes: SignBytes;
  /** Raw vote extension to sign with it, also when it is empty; undefined when none is to be signed. */
  readonly extension: Uint8Array | undefined;
}

export interface SignedVote {
  readonly kind: 'signed';
  /** 64 bytes each. */
  readonly signature: VerifiedSignature;
  /** The one that is signed: for a vote possibly an earlier one than was asked for. */
  readonly timestamp: Timestamp;
  readonly extensionSignature: VerifiedSignature | undefined;
}

export interface RefusedVote {
  readonly kind: 'refused';
  readonly code: ErrorCode;
  readonly message: string;
}

/** A refusal is an answer like any other. */
export type SignOutcome = SignedVote | RefusedVote;

export type SignRequestOfNode = SignVoteRequest | SignProposalRequest;

/** In a refusal. */
const MAX_NAMED_CHAINS = 3;

const STEP_OF_TYPE: ReadonlyMap<number, CanonicalVote['step']> = new Map([
  [1, STEP_PREVOTE],
  [2, STEP_PRECOMMIT],
]);

/** A request for a chain that is not among ours; what the node said is quoted and cut. */
export function wrongChain(asked: string, ours: readonly string[]): HekateError {
  const quoted = JSON.stringify(asked.slice(0, MAX_CHAIN_ID_BYTES));
  const named = ours.slice(0, MAX_NAMED_CHAINS).map((id) => JSON.stringify(id));
  const others = ours.length > named.length ? ` and ${ours.length - named.length} more` : '';
  return new HekateError('WRONG_CHAIN', `the node asks for chain ${quoted}, this is ${named.join(', ')}${others}`);
}

/** A node's request as it will be signed, under the chain id that it names. Throws REQUEST_INVALID or EXTENSION_NOT_ALLOWED: both are refusals. */
export function voteToSign(request: SignRequestOfNode): VoteToSign {
  const canonical = request.kind === 'signVote' ? canonicalVote(request) : canonicalProposal(request);
  const problem = canonicalProblem(canonical);
  if (problem !== undefined) throw invalid(problem);
  const extension = request.kind === 'signVote' ? extensionToSign(request, canonical) : undefined;
  return { signBytes: SignBytes.encode(canonical), extension };
}

function canonicalVote({ vote, chainId }: SignVoteRequest): Canonical {
  const { height, round, timestamp } = vote;
  const step = STEP_OF_TYPE.get(vote.type);
  if (step === undefined) throw invalid(`vote type ${vote.type} is neither prevote nor precommit`);
  return { step, chainId, height, round, blockId: isNoBlock(vote.blockId) ? undefined : vote.blockId, timestamp };
}

function canonicalProposal({ proposal, chainId }: SignProposalRequest): Canonical {
  const { height, round, timestamp, blockId } = proposal;
  if (blockId.hash.length === 0) throw invalid('the proposal names no block');
  return { step: STEP_PROPOSAL, chainId, height, round, polRound: BigInt(proposal.polRound), blockId, timestamp };
}

/**
 * Classic nodes want every precommit for a block extended, with an empty extension too: 0.38.0 to 0.38.10 stop over a
 * missing extension signature even where the chain has none (consensus/state.go, signVote). 1.0 says when to leave it out.
 */
function extensionToSign(
  { vote, skipExtensionSigning }: SignVoteRequest,
  canonical: Canonical,
): Uint8Array | undefined {
  const { extension } = vote;
  if (canonical.step !== STEP_PRECOMMIT || canonical.blockId === undefined) {
    if (extension.length > 0) throw notAllowed(vote);
    return undefined;
  }
  if (extension.length > MAX_EXTENSION_BYTES)
    throw invalid(`the vote extension has ${extension.length} bytes, ${MAX_EXTENSION_BYTES} are allowed`);
  return skipExtensionSigning ? undefined : extension;
}

function notAllowed(vote: VoteMessage): HekateError {
  const message = `a vote extension of ${vote.extension.length} bytes on something else than a precommit for a block`;
  return new HekateError('EXTENSION_NOT_ALLOWED', message);
}

function invalid(problem: string): HekateError {
  return new HekateError('REQUEST_INVALID', problem);
}
