import { invariant } from '../invariant.js';
import { SCALAR_BYTES, type Point } from './group.js';

declare const brand: unique symbol;

/** z_i of RFC 9591 §5.2: 32 bytes as they came in. Whether they are a scalar is for `isCanonicalScalar` to say. */
export type SignatureShare = Uint8Array & { readonly [brand]: 'signature share' };

/** What a signer hands over for one signature. */
export interface SignerShare {
  /** R as this signer computed it, so that a coordinator need not. */
  readonly groupCommitment: Point;
  readonly share: SignatureShare;
}

/** Takes 32 bytes, whatever they are, for a signature share. Not a copy. */
export function toSignatureShare(bytes: Uint8Array): SignatureShare {
  invariant(bytes.length === SCALAR_BYTES, 'a signature share has 32 bytes');
  return bytes as SignatureShare;
}
