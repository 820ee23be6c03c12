import { wipe } from '../../src/shared/bytes.js';
import { MAX_QUEUED_SIGN_REQUESTS } from '../../src/shared/coordination/limits.js';
import type { ChainReport, RefusedReply, SignReply, SignRequest } from '../../src/shared/coordination/messages.js';
import type { ErrorCode } from '../../src/shared/error-codes.js';
import { isHekateError, messageOf } from '../../src/shared/errors.js';
import type { Group } from '../../src/shared/frost/group.js';
import { generateNonces } from '../../src/shared/frost/nonce.js';
import { invariant, InvariantViolation } from '../../src/shared/invariant.js';
import type { RandomBytes } from '../../src/shared/ports/random.js';
import { STEP_PRECOMMIT, type Canonical } from '../../src/shared/privval/canonical.js';
import { SignBytes } from '../../src/shared/privval/sign-bytes.js';
import { SerialQueue } from '../../src/shared/serial-queue.js';
import { takeHeights } from '../../src/shared/watermark/height-pace.js';
import { decide } from '../../src/shared/watermark/rules.js';
import type { Watermark } from '../../src/shared/watermark/watermark.js';
import type { ChainWaitDeps } from './chain-wait.js';
import { FromOthers, type FromOthersOptions } from './from-others.js';
import type { IssuedNonces, NoncePool } from './nonce-pool.js';
import type { NonceSupply } from './nonce-supply.js';
import { makeShares, takeNonces, wipeNonces, type ShareKey, type TakenNonces } from './request-shares.js';

export type ChainSignerOptions = ShareKey & FromOthersOptions;

export interface ChainSignerDeps extends ChainWaitDeps {
  readonly group: Group;
  readonly random: RandomBytes;
  /** An empty pool, one for each stream. */
  readonly noncePool: (generate: () => IssuedNonces, onDiscarded: () => void) => NoncePool;
}

/** One stream's way to shares of one chain. Its nonces are its own and gone with it; all that shows of them is here. */
export interface SigningStream {
  readonly nonces: NonceSupply;
  /** Answers one request. `admits` is asked when its turn has come: the term may have moved on while it waited. */
  sign(request: SignRequest, admits: () => boolean): Promise<SignReply>;
  close(): void;
}

/**
 * One chain's share and the only way to use it: watermark rules → durable write → share → release, one request at a
 * time; write and share side by side, the release after both. Whatever the coordinator says, chain, height, round, step and block are read from the sign bytes.
 */
export class ChainSigner {
  readonly chainId: string;
  readonly groupPublicKey: Uint8Array;
  readonly #options: ChainSignerOptions;
  readonly #deps: ChainSignerDeps;
  /** What others tell of the watermark. */
  readonly others: FromOthers;
  readonly #queue = new SerialQueue(MAX_QUEUED_SIGN_REQUESTS);
  readonly #pools = new Set<NoncePool>();
  /** Why nothing is signed any more, whatever the state says. */
  #stopped: ErrorCode | undefined;

  constructor(options: ChainSignerOptions, deps: ChainSignerDeps) {
    this.chainId = options.chainId;
    this.groupPublicKey = options.groupPublicKey;
    this.#options = options;
    this.#deps = deps;
    this.others = new FromOthers(options, {
      ...deps,
      inTurn: (task) => this.#queue.run(() => task().catch((error: unknown) => this.#failed(error))),
      halted: () => this.#halted(),
      discardNonces: () => this.#pools.forEach((pool) => pool.discard()),
    });
  }

  /** `onDiscarded`: all that was issued on it is void. */
  open(onDiscarded: () => void): SigningStream {
    const { group, random, noncePool } = this.#deps;
    const pool = noncePool(() => generateNonces(group, this.#options.secretShare, random), onDiscarded);
    this.#pools.add(pool);
    return {
      nonces: pool,
      sign: (request, admits) => this.#sign(request, pool, admits),
      close: () => {
        this.#pools.delete(pool);
        pool.close();
      },
    };
  }

  report(): ChainReport {
    const { current, sequence } = this.#deps.watermark;
    const { height, round, step } = current;
    return {
      sequence,
      ...{ chainId: this.chainId, groupPublicKey: this.groupPublicKey, height, round, step },
      maxHeightJump: this.#options.maxHeightJump,
      halted: this.#halted(),
      waiting: this.others.wait.heard,
    };
  }

  async #sign(request: SignRequest, pool: NoncePool, admits: () => boolean): Promise<SignReply> {
    const answer = this.#queue.run(() => this.#takeThenAnswer(request, pool, admits));
    if (answer !== undefined) return answer;
    const unused = takeNonces(request, this.#options.id, pool);
    if (unused !== undefined) wipeNonces(unused);
    return refusal(request, 'BUSY', `${this.#queue.size} requests are waiting already`);
  }

  async #takeThenAnswer(request: SignRequest, pool: NoncePool, admits: () => boolean): Promise<SignReply> {
    // Not before its turn: what was issued before a fence is void behind it.
    const taken = takeNonces(request, this.#options.id, pool);
    if (taken === undefined)
      return refusal(request, 'NONCE_UNKNOWN', 'it names nonces that this stream never issued, or already used');
    try {
      return await this.#answer(request, taken, admits);
    } catch (error) {
      this.#noteFailure(error);
      if (error instanceof InvariantViolation) throw error;
      if (!isHekateError(error)) return refusal(request, 'INTERNAL', messageOf(error));
      return refusal(request, error.code, error.message);
    } finally {
      wipeNonces(taken);
    }
  }

  async #answer(request: SignRequest, taken: TakenNonces, admits: () => boolean): Promise<SignReply> {
    const { threshold, maxHeightJump, maxHeightsPerSecond } = this.#options;
    const { watermark, wallSecond } = this.#deps;
    if (request.signers.length !== threshold)
      return refusal(request, 'SIGNERS_INVALID', `${request.signers.length} signers, the threshold is ${threshold}`);
    const halted = this.#halted();
    if (halted !== undefined) return this.#refuseHalted(request, halted);
    if (!admits()) return refusal(request, 'TERM_OLD', `term ${request.term} is not the current leader's`);
    const signBytes = SignBytes.parse(request.signBytes);
    const { says } = signBytes;
    if (says.chainId !== this.chainId)
      return refusal(request, 'WRONG_CHAIN', `the sign bytes are of another chain than ${this.chainId}`);
    if (request.extension !== undefined && !mayCarryExtension(says))
      return refusal(request, 'EXTENSION_NOT_ALLOWED', 'only a precommit for a block carries a vote extension');
    const decision = decide(watermark.current, { signBytes, settle: request.settle }, maxHeightJump);
    if (watermark.waiting && says.height <= watermark.current.height) this.others.wait.goesOn(says.height);
    if (decision.kind === 'refuse') return refusal(request, decision.code, decision.message);
    if (decision.kind === 'stored' && !watermark.waiting)
      return { kind: 'stored', id: request.id, signBytes: decision.signBytes.bytes };
    const heights = takeHeights(maxHeightsPerSecond, watermark.current, says, wallSecond());
    if (heights.kind === 'refuse') return refusal(request, heights.code, heights.message);
    const next = decision.kind === 'sign' ? decision.next && { ...decision.next, pace: heights.pace } : undefined;
    if (watermark.waiting && (next === undefined || !this.others.wait.goesOn(next.height)))
      return refusal(request, 'WAITING', this.others.wait.describe());
    return this.#persistThenRelease(request, signBytes, next, taken);
  }

  /**
   * Invariant: the watermark is on disk before a share leaves. The share is computed while the disk works, and handed
   * over only after the write has succeeded and the stored watermark covers these very bytes. A throw waits too.
   */
  async #persistThenRelease(
    request: SignRequest,
    signBytes: SignBytes,
    next: Watermark | undefined,
    taken: TakenNonces,
  ): Promise<SignReply> {
    const { group, watermark } = this.#deps;
    invariant(request.signers.length === this.#options.threshold, 'a share is made for exactly t signers');
    const durable = next && (watermark.waiting ? watermark.endWait(next) : watermark.advance(next));
    let shares: ReturnType<typeof makeShares>;
    try {
      shares = makeShares(group, this.#options, request, signBytes, taken);
    } finally {
      await durable;
    }
    // Stopped while the disk was at work.
    const halted = this.#halted();
    if (halted !== undefined) return this.#refuseHalted(request, halted);
    const covered = watermark.current.signBytes?.equals(signBytes) === true;
    invariant(covered, 'a share is released only for the sign bytes of the durable watermark');
    invariant(!watermark.waiting, 'no share leaves while it is not known what this state has forgotten');
    return { kind: 'signed', id: request.id, ...shares };
  }

  #halted(): ErrorCode | undefined {
    return this.#deps.watermark.halted ?? this.#stopped;
  }

  #failed(error: unknown): never {
    this.#noteFailure(error);
    throw error;
  }

  #noteFailure(error: unknown): void {
    // The process is about to end; what waits in the queue must not be signed until it has.
    if (error instanceof InvariantViolation) this.#stopped ??= 'INTERNAL';
    // Comes once: afterwards the store is halted, and nothing is written to it any more.
    if (!isHekateError(error) || error.code !== 'STATE_WRITE_FAILED') return;
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
