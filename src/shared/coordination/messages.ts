import type { ErrorCode } from '../error-codes.js';
import type { Point } from '../frost/group.js';
import type { SignerShare } from '../frost/signature-share.js';
import type { Proof } from '../watermark/proof.js';
import type { WaitAnswer, WaitQuestion } from '../watermark/wait-messages.js';
import type { Release } from './release.js';

/**
 * What a sentry-link and a cosigner say to each other on their one stream (proto/hekate/v1/cosigner.proto). Plain data:
 * the gRPC transport and the simulator carry the same objects. Nothing in a message is trusted because of who sent it;
 * chain, height, round, step and block come from the sign bytes alone. What a message is about is named by chain id and group
 * public key, as two validators may sign on one chain; both stand in each message, so that it can be read by itself.
 */

/** Public nonce commitments of one signer for one signature (RFC 9591 §5.1). */
export interface NonceCommitment {
  /** Names the secret pair at its cosigner; counts up within one stream. */
  readonly nonceId: number;
  readonly hiding: Point;
  readonly binding: Point;
}

export interface SignerEntry {
  /** Cosigner id, 1…n. */
  readonly id: number;
  readonly vote: NonceCommitment;
  /** Present exactly when the request carries an extension. */
  readonly extension: NonceCommitment | undefined;
}

/** A key on a chain: what is signed with, and for whom. */
export interface ChainKey {
  readonly chainId: string;
  /** The validator's consensus key, 32 bytes. */
  readonly groupPublicKey: Uint8Array;
}

/** First message of a link. */
export interface LinkHello extends Release {
  readonly kind: 'linkHello';
  /** The newest signature that it has seen completed, of each chain. */
  readonly newest: readonly Proof[];
}

/** Sent every few hundred milliseconds: a ping, and for a leader or a candidate also the request for a lease. */
export interface Heartbeat {
  readonly kind: 'heartbeat';
  readonly id: number;
  /** Undefined: a standby that only asks how things are. */
  readonly lease: LeaseRequest | undefined;
  /** A standby that could have everything signed if it led, as far as it can tell. */
  readonly ready?: boolean;
}

export interface LeaseRequest {
  readonly term: number;
  readonly leaseMs: number;
  /** The link holds a live lease and prolongs it; a candidate asks with false. A cosigner that just started tells them apart. */
  readonly renewal: boolean;
}

/** A leader on its way out, or a candidate without enough promises, gives its grant back. */
export interface LeaseRelease {
  readonly kind: 'leaseRelease';
  readonly term: number;
  /** Pinned name of the link that is to lead next; undefined: whichever. */
  readonly to?: string | undefined;
}

export interface SignRequest extends ChainKey {
  readonly kind: 'signRequest';
  readonly id: number;
  readonly term: number;
  /** Length-prefixed canonical vote or proposal: the bytes that Ed25519 signs. */
  readonly signBytes: Uint8Array;
  /** Raw vote extension of a non-nil precommit; the cosigner makes its sign bytes itself. */
  readonly extension: Uint8Array | undefined;
  /** The bytes are the newest that some cosigner stored; see the watermark rules, "other timestamp". */
  readonly settle: boolean;
  /** The t signers of this attempt, ascending by id. */
  readonly signers: readonly SignerEntry[];
}

/** A signature that the link has seen completed. */
export interface ProofMessage {
  readonly kind: 'proof';
  readonly proof: Proof;
}

/** Between cosigners links are postmen: questions and answers of a wait pass through as they are. */
export type Carried = WaitQuestion | WaitAnswer;

export type LinkMessage = LinkHello | Heartbeat | LeaseRelease | SignRequest | ProofMessage | Carried;

/** Its key is zeros where `halted` says that the group file could not be read. */
export interface ChainReport extends ChainKey {
  /** No place at all, but 0, where `tellsWatermark` is false. */
  readonly height: bigint;
  readonly round: number;
  /** 0 when nothing was ever signed. */
  readonly step: number;
  readonly sequence: bigint;
  /** Heights above its watermark that this cosigner refuses. */
  readonly maxHeightJump: bigint;
  /** Why this chain refuses to sign (no share, a bad state, a failed write). */
  readonly halted: ErrorCode | undefined;
  /** It was started, and signs nothing yet: ids of the others that it has heard since. Undefined: it does not wait. */
  readonly waiting?: readonly number[] | undefined;
}

/** First message of a cosigner. */
export interface CosignerHello extends Release {
  readonly kind: 'cosignerHello';
  readonly id: number;
  readonly chains: readonly ChainReport[];
}

export interface HeartbeatReply {
  readonly kind: 'heartbeatReply';
  readonly id: number;
  readonly granted: boolean;
  /** Of the last lease that this cosigner granted; 0 before the first. */
  readonly term: number;
  /** Pinned name of the link that holds the lease here, empty when nobody does. */
  readonly holder: string;
  readonly remainingMs: number;
  /** The highest term that another link asked to renew here of late, granted or not; 0 when none did. */
  readonly renewedTerm: number;
  /** Another link is connected here, and could lead. */
  readonly otherLink: boolean;
  /** Told the holder of the lease: pinned names of the links that said that they are ready to lead. */
  readonly standbys?: readonly string[] | undefined;
  readonly chains: readonly ChainReport[];
}

/** The lease here has ended before its time: given back, or its holder's stream is closed. */
export interface LeaseFree {
  readonly kind: 'leaseFree';
  /** In which of the links that hear this is the one that gets it to ask: 0 at once, the others each a little after the last. */
  readonly turn: number;
}

/** Fresh commitments for the coordinator's pool. */
export interface NonceBatch extends ChainKey {
  readonly kind: 'nonceBatch';
  readonly commitments: readonly NonceCommitment[];
  /** All that came before are void. */
  readonly replaces?: boolean;
}

export interface SignedReply {
  readonly kind: 'signed';
  readonly id: number;
  readonly vote: SignerShare;
  readonly extension: SignerShare | undefined;
  /** In place of the nonces that were used, made after an earlier answer. */
  readonly fresh?: NonceBatch;
}

/** The same vote was stored with another timestamp: sign these bytes instead. */
export interface StoredReply {
  readonly kind: 'stored';
  readonly id: number;
  readonly signBytes: Uint8Array;
}

export interface RefusedReply {
  readonly kind: 'refused';
  readonly id: number;
  readonly code: ErrorCode;
  readonly message: string;
}

export type SignReply = SignedReply | StoredReply | RefusedReply;
export type CosignerMessage = CosignerHello | HeartbeatReply | LeaseFree | NonceBatch | SignReply | Carried;
