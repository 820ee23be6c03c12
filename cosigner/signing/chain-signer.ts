import type { Group, Point, Scalar } from '../../src/shared/frost/group.js';
import { generateNonces } from '../../src/shared/frost/nonce.js';
import { wipe } from '../../src/shared/bytes.js';
import { isHekateError, messageOf, type HekateError } from '../../src/shared/errors.js';
import type { ErrorCode } from '../../src/shared/error-codes.js';
import { invariant, InvariantViolation } from '../../src/shared/invariant.js';
import { STEP_PRECOMMIT, type Canonical } from '../../src/shared/privval/canonical.js';
import { parseSignBytes } from '../../src/shared/privval/sign-bytes.js';
import type { Clock } from '../../src/shared/ports/clock.js';
import type { Log } from '../../src/shared/ports/log.js';
import type { RandomBytes } from '../../src/shared/ports/random.js';
import { SerialQueue } from '../../src/shared/serial-queue.js';
import { MAX_QUEUED_SIGN_REQUESTS } from '../../src/shared/coordination/limits.js';
import type { ChainReport, RefusedReply, SignReply, SignRequest } from '../../src/shared/coordination/messages.js';
import { heightPaceLimit, startHeightPace, takeHeights } from '../../src/shared/watermark/height-pace.js';
import type { HeightPace, HeightPaceLimit } from '../../src/shared/watermark/height-pace.js';
import { decide, type Refusal } from '../../src/shared/watermark/rules.js';
import type { Watermark } from '../../src/shared/watermark/watermark.js';
import { NoncePool } from './nonce-pool.js';
import { makeShares, takeNonces, wipeNonces, type RequestShares, type TakenNonces } from './request-shares.js';

/** What the signer needs of its durable watermark; production passes a WatermarkStore. */
export interface WatermarkPort {
  readonly current: Watermark;
  readonly sequence: bigint;
  /** Error code after a failed write: nothing is signed any more. */
  readonly halted: ErrorCode | undefined;
  /** Resolves only when `next` is on disk. */
  advance(next: Watermark): Promise<void>;
}

export interface ChainSignerOptions {
  readonly chainId: string;
  readonly id: number;
  readonly threshold: number;
  readonly groupPublicKey: Point;
  readonly secretShare: Scalar;
  readonly maxHeightJump: bigint;
  readonly maxHeightsPerSecond: number | undefined;
  /** Unspent nonce pairs kept for each stream. */
  readonly noncePoolTarget: number;
}

export interface ChainSignerDeps {
  readonly group: Group;
  readonly watermark: WatermarkPort;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Log;
}

/**
 * One chain's share and the only way to use it: watermark rules → durable write → share → release, one request at a
 * time. Whatever the coordinator says, chain, height, round, step and block are read from the sign bytes.
 */
export class ChainSigner {
  readonly chainId: string;
  readonly #options: ChainSignerOptions;
  readonly #deps: ChainSignerDeps;
  readonly #queue = new SerialQueue(MAX_QUEUED_SIGN_REQUESTS);
  readonly #paceLimit: HeightPaceLimit | undefined;
  #pace: HeightPace | undefined;
  /** Why nothing is signed any more, whatever the state says. */
  #stopped: ErrorCode | undefined;

  constructor(options: ChainSignerOptions, deps: ChainSignerDeps) {
    this.chainId = options.chainId;
    this.#options = options;
    this.#deps = deps;
    const perSecond = options.maxHeightsPerSecond;
    this.#paceLimit = perSecond === undefined ? undefined : heightPaceLimit(perSecond);
    this.#pace = this.#paceLimit && startHeightPace(this.#paceLimit, deps.clock.nowMs());
  }

  newNoncePool(): NoncePool {
    const { group, random } = this.#deps;
    const { secretShare, noncePoolTarget } = this.#options;
    return new NoncePool(() => generateNonces(group, secretShare, random), noncePoolTarget);
  }

  /**
   * A link that saw a higher sequence number knows of signatures this state does not: it was restored from a copy.
   * Holds until the process is restarted on a state that an operator vouched for.
   */
  noteSeenSequence(sequence: bigint): void {
    if (sequence <= this.#deps.watermark.sequence || this.#stopped !== undefined) return;
    this.#stopped = 'STATE_ROLLED_BACK';
    this.#deps.log.error('state is older than what a sentry-link has seen: this chain signs nothing', {
      code: 'STATE_ROLLED_BACK',
      chain: this.chainId,
      sequence: this.#deps.watermark.sequence,
      seen: sequence,
    });
  }

  report(): ChainReport {
    const { current, sequence } = this.#deps.watermark;
    return {
      chainId: this.chainId,
      groupPublicKey: this.#options.groupPublicKey,
      height: current.height,
      round: current.round,
      step: current.step,
      sequence,
      halted: this.#halted(),
    };
  }

  /**
   * Answers one request of a link whose nonces are in `pool`. `admits` is asked when the request's turn has come: the
   * term may have moved on while it waited.
   */
  async sign(request: SignRequest, pool: NoncePool, admits: () => boolean): Promise<SignReply> {
    const taken = takeNonces(request, this.#options.id, pool);
    if (taken === undefined) {
      return refusal(
        request,
        'NONCE_UNKNOWN',
        'the request names nonces that this stream never issued, or already used',
      );
    }
    try {
      const answer = this.#queue.run(() => this.#inTurn(request, taken, admits));
      return await (answer ?? refusal(request, 'BUSY', `${this.#queue.size} requests are waiting already`));
    } catch (error) {
      if (error instanceof InvariantViolation) {
        // The process is about to end; what waits in the queue must not be signed until it has.
        this.#stopped ??= 'INTERNAL';
        throw error;
      }
      const code = isHekateError(error) ? error.code : 'INTERNAL';
      if (isHekateError(error) && code === 'STATE_WRITE_FAILED') this.#tellFailedWrite(error);
      return refusal(request, code, messageOf(error));
    } finally {
      wipeNonces(taken);
    }
  }

  async #inTurn(request: SignRequest, taken: TakenNonces, admits: () => boolean): Promise<SignReply> {
    const { threshold } = this.#options;
    if (request.signers.length !== threshold) {
      return refusal(
        request,
        'SIGNERS_INVALID',
        `${request.signers.length} signers named, the threshold is ${threshold}`,
      );
    }
    const halted = this.#halted();
    if (halted !== undefined) return this.#refuseHalted(request, halted);
    if (!admits()) return refusal(request, 'TERM_OLD', `term ${request.term} is not the current leader's`);
    const canonical = parseSignBytes(request.signBytes);
    if (canonical.chainId !== this.chainId) {
      return refusal(request, 'WRONG_CHAIN', `the sign bytes are of another chain than ${this.chainId}`);
    }
    if (request.extension !== undefined && !mayCarryExtension(canonical)) {
      return refusal(request, 'EXTENSION_NOT_ALLOWED', 'only a precommit for a block carries a vote extension');
    }
    const decision = decide(
      this.#deps.watermark.current,
      { canonical, signBytes: request.signBytes, settle: request.settle },
      { maxHeightJump: this.#options.maxHeightJump },
    );
    if (decision.kind === 'refuse') return refusal(request, decision.code, decision.message);
    if (decision.kind === 'stored') return { kind: 'stored', id: request.id, signBytes: decision.signBytes };
    const tooFast = this.#takeHeights(canonical);
    if (tooFast !== undefined) return refusal(request, tooFast.code, tooFast.message);
    return this.#persistThenRelease(request, canonical, decision.next, taken);
  }

  #takeHeights(canonical: Canonical): Refusal | undefined {
    if (this.#paceLimit === undefined || this.#pace === undefined) return undefined;
    const { watermark, clock } = this.#deps;
    const result = takeHeights(this.#paceLimit, this.#pace, watermark.current, canonical, clock.nowMs());
    this.#pace = result.pace;
    return result.refusal;
  }

  /**
   * Invariant: the watermark is on disk before a share leaves. The share is computed while the disk works, and handed
   * over only after the write has succeeded and the stored watermark is the one that covers these very bytes.
   */
  async #persistThenRelease(
    request: SignRequest,
    canonical: Canonical,
    next: Watermark | undefined,
    taken: TakenNonces,
  ): Promise<SignReply> {
    const { watermark } = this.#deps;
    const durable = next === undefined ? Promise.resolve() : watermark.advance(next);
    const [written, computed] = await Promise.allSettled([durable, this.#computeShares(request, canonical, taken)]);
    if (written.status === 'rejected') throw written.reason;
    if (computed.status === 'rejected') throw computed.reason;
    // Stopped, or found to be rolled back, while the disk was at work.
    const halted = this.#halted();
    if (halted !== undefined) return this.#refuseHalted(request, halted);
    invariant(
      Buffer.compare(watermark.current.signBytes, request.signBytes) === 0,
      'a share is released only for the sign bytes of the durable watermark',
    );
    return { kind: 'signed', id: request.id, ...computed.value };
  }

  /** A promise, so that a throw waits for the write like everything else. */
  async #computeShares(request: SignRequest, canonical: Canonical, taken: TakenNonces): Promise<RequestShares> {
    invariant(request.signers.length === this.#options.threshold, 'a share is made for exactly t signers');
    return makeShares(this.#deps.group, this.#options, request, canonical, taken);
  }

  #halted(): ErrorCode | undefined {
    return this.#deps.watermark.halted ?? this.#stopped;
  }

  /** Comes once: afterwards the store is halted, and nothing is written to it any more. */
  #tellFailedWrite(error: HekateError): void {
    const reason = `${messageOf(error)} (${error.cause === undefined ? 'no cause' : messageOf(error.cause)})`;
    const fields = { code: error.code, chain: this.chainId, reason, fix: error.fix };
    this.#deps.log.error('state could not be written: this chain signs nothing', fields);
  }

  #refuseHalted(request: SignRequest, code: ErrorCode): RefusedReply {
    return refusal(request, code, `chain ${this.chainId} is halted on this cosigner`);
  }

  /** Ends the use of this share for good. */
  close(): void {
    this.#stopped ??= 'STATE_CLOSED';
    wipe(this.#options.secretShare);
  }
}

function mayCarryExtension(canonical: Canonical): boolean {
  return canonical.step === STEP_PRECOMMIT && canonical.blockId !== undefined;
}

function refusal(request: SignRequest, code: ErrorCode, message: string): RefusedReply {
  return { kind: 'refused', id: request.id, code, message };
}
