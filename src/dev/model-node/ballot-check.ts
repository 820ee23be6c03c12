import { verifySignature } from '../../shared/ed25519/openssl-verify.js';
import { HekateError } from '../../shared/errors.js';
import { STEP_PROPOSAL } from '../../shared/privval/canonical.js';
import type { PrivvalResponse } from '../../shared/privval/response.js';
import { extensionSignBytes, SignBytes, withTimestamp } from '../../shared/privval/sign-bytes.js';
import type { Ballot, NodeVersion } from './model-chain.js';

export type BallotResult =
  | { readonly kind: 'signed' }
  | { readonly kind: 'refused'; readonly number: number; readonly description: string }
  /** Not an answer to this question: asked again. */
  | { readonly kind: 'wrongAnswer'; readonly got: string }
  /** An answer with a signature that does not hold: the vote is lost. */
  | { readonly kind: 'badSignature' };

/**
 * Judges the answer to a ballot as a node does: every signature is checked with OpenSSL over the bytes that the node
 * expects, of a vote with the timestamp that came back. Throws SIGNER_ANSWER where a real node stops with CONSENSUS FAILURE:
 * over an extension signature that is missing, wrong or uncalled for (consensus/state.go and types/vote.go).
 */
export function checkBallot(
  ballot: Ballot,
  response: PrivvalResponse,
  publicKey: Uint8Array,
  version: NodeVersion,
): BallotResult {
  const { canonical } = ballot;
  if (response.kind === 'refused' && response.of === ballot.request.kind)
    return { kind: 'refused', number: response.error.code, description: response.error.description };
  if (canonical.step === STEP_PROPOSAL) {
    if (response.kind !== 'signedProposal') return { kind: 'wrongAnswer', got: response.kind };
    return verdict(verifySignature(publicKey, SignBytes.encode(canonical).bytes, response.signature));
  }
  if (response.kind !== 'signedVote') return { kind: 'wrongAnswer', got: response.kind };
  const signed = SignBytes.encode(withTimestamp(canonical, response.timestamp)).bytes;
  if (!verifySignature(publicKey, signed, response.signature)) return verdict(false);
  // Up to 0.37 the field is not known and skipped.
  if (version !== '0.37') checkExtension(ballot, response.extensionSignature, publicKey);
  return verdict(true);
}

function checkExtension({ canonical, extension }: Ballot, signature: Uint8Array, publicKey: Uint8Array): void {
  const mayCarryOne = canonical.step === 3 && canonical.blockId !== undefined;
  if (!mayCarryOne && signature.length > 0) throw consensusFailure('an extension signature where none may be');
  if (extension === undefined) return;
  if (signature.length === 0) throw consensusFailure('no extension signature on a precommit');
  const { chainId, height, round } = canonical;
  if (!verifySignature(publicKey, extensionSignBytes({ chainId, height, round, extension }), signature))
    throw consensusFailure('an extension signature that is not valid');
}

function verdict(valid: boolean): BallotResult {
  return valid ? { kind: 'signed' } : { kind: 'badSignature' };
}

function consensusFailure(what: string): HekateError {
  return new HekateError('SIGNER_ANSWER', `CONSENSUS FAILURE: the signer sent ${what}`);
}
