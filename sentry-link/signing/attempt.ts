import type { NonceCommitment, SignedReply, SignerEntry, SignRequest } from '../../src/shared/coordination/messages.js';
import { equalBytes } from '../../src/shared/bytes.js';
import { isHekateError } from '../../src/shared/errors.js';
import { verifySignature, type VerifiedSignature } from '../../src/shared/ed25519/openssl-verify.js';
import { aggregate } from '../../src/shared/frost/aggregate.js';
import type { Group, Point } from '../../src/shared/frost/group.js';
import type { SignerCommitment } from '../../src/shared/frost/nonce.js';
import type { SignatureShare, SignerShare } from '../../src/shared/frost/signature-share.js';
import { computeGroupCommitment } from '../../src/shared/frost/group-commitment.js';
import { findCulprits } from '../../src/shared/frost/verify-share.js';
import { invariant, must } from '../../src/shared/invariant.js';
import type { SignBytes } from '../../src/shared/privval/sign-bytes.js';

/** What every signature of a chain is checked against. */
export interface GroupKey {
  readonly publicKey: Point;
  /** Y_i by cosigner id, from the dealer's Feldman commitments. */
  readonly verificationShares: ReadonlyMap<number, Point>;
}

export interface CompletedSignature {
  readonly signBytes: SignBytes;
  readonly signature: VerifiedSignature;
  readonly extensionSignature: VerifiedSignature | undefined;
}

export type AttemptResult =
  | { readonly kind: 'complete'; readonly signed: CompletedSignature }
  | { readonly kind: 'culprits'; readonly ids: readonly number[] };

interface Part {
  readonly message: Uint8Array;
  readonly commitmentOf: (signer: SignerEntry) => SignerCommitment;
  readonly shareOf: (reply: SignedReply) => SignerShare | undefined;
}

/** One try at a signature: fixed bytes, a fixed set of t signers and their commitments, and the shares that came in. */
export class Attempt {
  readonly request: SignRequest;
  /** Those of the request. */
  readonly signBytes: SignBytes;
  readonly #extensionBytes: Uint8Array | undefined;
  readonly #replies = new Map<number, SignedReply>();
  readonly #waitingFor: Set<number>;
  /** A member refused or was lost: this attempt can no longer complete. */
  dead = false;
  /** Took longer than its members usually do. */
  stalled = false;

  constructor(request: SignRequest, signBytes: SignBytes, extensionBytes: Uint8Array | undefined) {
    this.request = request;
    this.signBytes = signBytes;
    this.#extensionBytes = extensionBytes;
    this.#waitingFor = new Set(request.signers.map((signer) => signer.id));
  }

  isWaitingFor(id: number): boolean {
    return this.#waitingFor.has(id);
  }

  get waitingFor(): ReadonlySet<number> {
    return this.#waitingFor;
  }

  /** Whether any signer has already put these bytes on its disk. */
  get hasShares(): boolean {
    return this.#replies.size > 0;
  }

  answered(id: number): void {
    this.#waitingFor.delete(id);
  }

  /** True when this was the last share that was missing. */
  add(id: number, reply: SignedReply): boolean {
    this.#waitingFor.delete(id);
    this.#replies.set(id, reply);
    return !this.dead && this.#replies.size === this.request.signers.length;
  }

  /**
   * Adds the shares up and checks the signature with OpenSSL; what was not checked is no VerifiedSignature (invariant:
   * verified before released). When the check fails, names the signers whose shares or group commitments were wrong.
   */
  finish(group: Group, key: GroupKey): AttemptResult {
    const vote = this.#combine(group, key, {
      message: this.signBytes.bytes,
      commitmentOf: (signer) => ({ id: signer.id, ...signer.vote }),
      shareOf: (reply) => reply.vote,
    });
    if (!(vote instanceof Uint8Array)) return { kind: 'culprits', ids: vote };
    let extensionSignature: VerifiedSignature | undefined;
    if (this.#extensionBytes !== undefined) {
      const extension = this.#combine(group, key, {
        message: this.#extensionBytes,
        commitmentOf: (signer) => ({ id: signer.id, ...must(signer.extension, 'every signer committed twice') }),
        shareOf: (reply) => reply.extension,
      });
      if (!(extension instanceof Uint8Array)) return { kind: 'culprits', ids: extension };
      extensionSignature = extension;
    }
    return { kind: 'complete', signed: { signBytes: this.signBytes, signature: vote, extensionSignature } };
  }

  /** The signers of which a commitment is not a point of the prime-order group (RFC 9591 §3.1 DeserializeElement). */
  invalidCommitments(group: Group): readonly number[] {
    const valid = ({ hiding, binding }: NonceCommitment): boolean =>
      group.isValidPoint(hiding) && group.isValidPoint(binding);
    return this.request.signers
      .filter(({ vote, extension }) => !valid(vote) || (extension !== undefined && !valid(extension)))
      .map(({ id }) => id);
  }

  #combine(group: Group, key: GroupKey, part: Part): VerifiedSignature | readonly number[] {
    const shares = this.request.signers.map((signer) => {
      const reply = must(this.#replies.get(signer.id), 'an attempt is finished with all its shares');
      return { id: signer.id, share: part.shareOf(reply) };
    });
    const missing = shares.filter(({ share }) => share === undefined).map(({ id }) => id);
    if (missing.length > 0) return missing;
    const full = shares.map(({ id, share }) => ({ id, ...must(share, 'none is missing') }));
    const claimed = must(full[0], 'at least one signer').groupCommitment;
    if (full.every((one) => equalBytes(one.groupCommitment, claimed))) {
      const signature = tryAggregate(
        group,
        claimed,
        full.map((one) => one.share),
      );
      if (signature !== undefined && verifySignature(key.publicKey, part.message, signature)) return signature;
    }
    return this.#culprits(group, key, part, full);
  }

  /** Off the usual path: which signer's group commitment or share does not fit what it committed to. */
  #culprits(
    group: Group,
    key: GroupKey,
    part: Part,
    shares: readonly (SignerShare & { readonly id: number })[],
  ): readonly number[] {
    const invalid = this.invalidCommitments(group);
    if (invalid.length > 0) return invalid;
    const commitments = this.request.signers.map(part.commitmentOf);
    const context = { groupPublicKey: key.publicKey, commitments, message: part.message };
    const groupCommitment = computeGroupCommitment(group, context);
    const wrongCommitment = shares
      .filter((one) => !equalBytes(one.groupCommitment, groupCommitment))
      .map(({ id }) => id);
    const wrongShare = findCulprits(group, {
      ...context,
      groupCommitment,
      shares: shares.map(({ id, share }) => ({
        id,
        share,
        verificationShare: must(key.verificationShares.get(id), 'known id'),
      })),
    });
    const culprits = [...new Set([...wrongCommitment, ...wrongShare])];
    // The key is the constant term of the polynomial on which the verification shares lie (group-file.ts).
    invariant(culprits.length > 0, 'a signature that does not verify has a share that does not');
    return culprits;
  }
}

/** Undefined when a share is not even a canonical scalar. */
function tryAggregate(group: Group, groupCommitment: Point, shares: readonly SignatureShare[]): Uint8Array | undefined {
  try {
    return aggregate(group, groupCommitment, shares);
  } catch (error) {
    if (!isHekateError(error)) throw error;
    return undefined;
  }
}
