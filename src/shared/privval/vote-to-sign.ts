import type { Canonical, Timestamp } from './canonical.js';

/** What a node asks to have signed, checked and in the form that is signed. */
export interface VoteToSign {
  /** Length-prefixed canonical bytes: what Ed25519 signs. */
  readonly signBytes: Uint8Array;
  /** What they say. */
  readonly canonical: Canonical;
  /** Raw vote extension to sign with it, also when it is empty; undefined when none is to be signed. */
  readonly extension: Uint8Array | undefined;
}

export interface SignedVote {
  readonly kind: 'signed';
  /** 64 bytes each. */
  readonly signature: Uint8Array;
  /** The one that is signed: for a vote possibly an earlier one than was asked for. */
  readonly timestamp: Timestamp;
  readonly extensionSignature: Uint8Array | undefined;
}

export interface RefusedVote {
  readonly kind: 'refused';
  /** One of our error codes. */
  readonly code: string;
  readonly message: string;
}

/** A refusal is an answer like any other. */
export type SignOutcome = SignedVote | RefusedVote;
