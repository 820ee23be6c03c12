import { MAX_CHAIN_ID_BYTES } from '../privval/canonical.js';
import type { ChainKey, NonceCommitment } from '../coordination/messages.js';
import { POINT_BYTES, toPoint, type Point } from '../frost/group.js';
import { present, safeNumber, sized, text, type Wire64 } from './wire-values.js';

export interface WireCommitment {
  readonly nonceId: Wire64;
  readonly hiding: Uint8Array;
  readonly binding: Uint8Array;
}

export function readCommitment(wire: WireCommitment | null | undefined, what: string): NonceCommitment {
  const { nonceId, hiding, binding } = present(wire, what);
  return { nonceId: safeNumber(nonceId, 'nonce id'), hiding: point(hiding, what), binding: point(binding, what) };
}

/** 32 bytes; whether they are a point of the group is for the one who uses it to check. */
export function point(bytes: Uint8Array, what: string): Point {
  return toPoint(sized(bytes, POINT_BYTES, POINT_BYTES, what));
}

/** What a message is about. */
export function chainKey({ chainId, groupPublicKey }: ChainKey): ChainKey {
  return {
    chainId: text(chainId, 1, MAX_CHAIN_ID_BYTES, 'chain id'),
    groupPublicKey: point(groupPublicKey, 'group public key'),
  };
}
