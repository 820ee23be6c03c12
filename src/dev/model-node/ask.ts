import { isHekateError, type HekateError } from '../../shared/errors.js';
import type { PrivvalResponse } from '../../shared/privval/response.js';
import { checkBallot } from './ballot-check.js';
import type { Ballot, NodeVersion } from './model-chain.js';
import type { SignerEndpoint } from './signer-endpoint.js';
import type { Waits } from './wait.js';

/** Of CometBFT's node/setup.go: without a connection this takes 155 s, for every try waits 3 s for one. */
const TRIES = 50;
const RETRY_MS = 100;

export type AskResult =
  | { readonly kind: 'signed' }
  | { readonly kind: 'refused' | 'unanswered' | 'badSignature'; readonly reason: string }
  | { readonly kind: 'stopped' };

export interface AskDeps {
  readonly endpoint: SignerEndpoint;
  readonly publicKey: Uint8Array;
  readonly version: NodeVersion;
  readonly waits: Waits;
  /** There was no answer; the same is asked again. */
  readonly unanswered: (reason: HekateError) => void;
}

/**
 * Has one ballot signed, as CometBFT's privval/retry_signer_client.go does: a refusal is final, everything else is asked
 * again with the same bytes, 50 times with 100 ms between. Throws what `checkBallot` throws.
 */
export async function askForSignature(ballot: Ballot, deps: AskDeps): Promise<AskResult> {
  let reason = '';
  for (let tries = 0; tries < TRIES && !deps.waits.stopped; tries++) {
    if (tries > 0) await deps.waits.sleep(RETRY_MS);
    const answer = await tryOnce(ballot, deps.endpoint);
    if (isHekateError(answer)) {
      reason = `${answer.code}: ${answer.message}`;
      deps.unanswered(answer);
      continue;
    }
    const result = checkBallot(ballot, answer, deps.publicKey, deps.version);
    switch (result.kind) {
      case 'signed':
        return result;
      case 'refused':
        return { kind: 'refused', reason: `error #${result.number}: ${result.description}` };
      case 'badSignature':
        return { kind: 'badSignature', reason: 'the signature does not hold' };
      case 'wrongAnswer':
        reason = `the signer answers ${result.got}`;
    }
  }
  return deps.waits.stopped ? { kind: 'stopped' } : { kind: 'unanswered', reason };
}

/** The answer, or why there is none. */
async function tryOnce(ballot: Ballot, endpoint: SignerEndpoint): Promise<PrivvalResponse | HekateError> {
  try {
    return await endpoint.request(ballot.request);
  } catch (error) {
    if (!isHekateError(error)) throw error;
    return error;
  }
}
