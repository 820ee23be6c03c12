import { equalBytes } from '../bytes.js';
import { verifySignature } from '../ed25519/openssl-verify.js';
import { HekateError, isHekateError } from '../errors.js';
import { SignBytes } from '../privval/sign-bytes.js';
import type { StateBinding } from './slot-record.js';

/**
 * A completed signature with what it is over: whoever has it knows, and can show, that this place is taken. Nothing in it is
 * secret.
 */
export interface Proof extends StateBinding {
  /** Length-prefixed canonical vote or proposal, as sign-bytes.ts. */
  readonly signBytes: Uint8Array;
  /** 64 bytes, over `signBytes`. */
  readonly signature: Uint8Array;
}

/** What a proof says is signed; not shown yet. Throws PROOF_INVALID unless it is of this chain and key. */
export function claimedBytes(proof: Proof, { chainId, groupPublicKey }: StateBinding): SignBytes {
  if (proof.chainId !== chainId) throw invalid(`is for chain ${JSON.stringify(proof.chainId)}`);
  if (!equalBytes(proof.groupPublicKey, groupPublicKey)) throw invalid('is of another key');
  const signBytes = parse(proof.signBytes);
  if (signBytes.says.chainId !== chainId) throw invalid('has sign bytes of another chain');
  return signBytes;
}

/** Throws PROOF_INVALID unless the signature is one. */
export function checkProof({ groupPublicKey, signBytes, signature }: Proof): void {
  if (!verifySignature(groupPublicKey, signBytes, signature)) throw invalid('does not verify');
}

function parse(bytes: Uint8Array): SignBytes {
  try {
    return SignBytes.parse(bytes);
  } catch (error) {
    if (!isHekateError(error)) throw error;
    throw invalid('has sign bytes that say nothing');
  }
}

function invalid(problem: string): HekateError {
  return new HekateError('PROOF_INVALID', `what is shown as a signature of this key ${problem}`);
}
