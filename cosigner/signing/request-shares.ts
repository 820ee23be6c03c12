import { wipe } from '../../src/shared/bytes.js';
import type { NonceCommitment, SignerEntry, SignRequest } from '../../src/shared/coordination/messages.js';
import type { Group, Point, Scalar } from '../../src/shared/frost/group.js';
import { signShare } from '../../src/shared/frost/sign.js';
import type { SignerShare } from '../../src/shared/frost/signature-share.js';
import { must } from '../../src/shared/invariant.js';
import { extensionSignBytes, type SignBytes } from '../../src/shared/privval/sign-bytes.js';
import type { IssuedNonces, NoncePool } from './nonce-pool.js';

/** What one request uses up. */
export interface TakenNonces {
  readonly vote: IssuedNonces;
  readonly extension: IssuedNonces | undefined;
}

/** What a share is made with; the secret share stays its owner's. */
export interface ShareKey {
  readonly id: number;
  readonly groupPublicKey: Point;
  readonly secretShare: Scalar;
}

export interface RequestShares {
  readonly vote: SignerShare;
  readonly extension: SignerShare | undefined;
}

/** Takes this cosigner's nonces out of the pool, whatever becomes of the request; undefined when any is missing. */
export function takeNonces(request: SignRequest, id: number, pool: NoncePool): TakenNonces | undefined {
  const own = request.signers.find((signer) => signer.id === id);
  if (own === undefined) return undefined;
  const vote = pool.take(own.vote.nonceId);
  const extension = own.extension === undefined ? undefined : pool.take(own.extension.nonceId);
  const wanted = request.extension !== undefined;
  const complete = request.signers.every((signer) => (signer.extension !== undefined) === wanted);
  if (vote !== undefined && complete && (extension !== undefined) === wanted) return { vote, extension };
  for (const issued of [vote, extension]) if (issued !== undefined) wipe(issued.nonces.hiding, issued.nonces.binding);
  return undefined;
}

export function wipeNonces({ vote, extension }: TakenNonces): void {
  wipe(vote.nonces.hiding, vote.nonces.binding);
  if (extension !== undefined) wipe(extension.nonces.hiding, extension.nonces.binding);
}

/**
 * The shares over a request's sign bytes and, where it carries one, over its extension: height and round of that come from
 * the sign bytes, never from the request. The nonces are wiped. Throws what signShare throws.
 */
export function makeShares(
  group: Group,
  { id, groupPublicKey, secretShare }: ShareKey,
  request: SignRequest,
  signBytes: SignBytes,
  taken: TakenNonces,
): RequestShares {
  const share = (
    commitmentOf: (signer: SignerEntry) => NonceCommitment | undefined,
    { nonces, commitment }: IssuedNonces,
    message: Uint8Array,
  ): SignerShare => {
    const commitments = request.signers.map((signer) => {
      const { hiding, binding } = must(commitmentOf(signer), 'every signer has committed');
      return { id: signer.id, hiding, binding };
    });
    const issued = { nonces, ownCommitment: commitment };
    return signShare(group, { id, groupPublicKey, secretShare, ...issued, commitments, message });
  };
  const vote = share((signer) => signer.vote, taken.vote, signBytes.bytes);
  if (request.extension === undefined || taken.extension === undefined) return { vote, extension: undefined };
  const { chainId, height, round } = signBytes.says;
  const bytes = extensionSignBytes({ chainId, height, round, extension: request.extension });
  return { vote, extension: share((signer) => signer.extension, taken.extension, bytes) };
}
