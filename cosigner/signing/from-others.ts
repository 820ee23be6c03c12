import type { ErrorCode } from '../../src/shared/error-codes.js';
import type { Proof } from '../../src/shared/watermark/proof.js';
import type { StateBinding } from '../../src/shared/watermark/slot-record.js';
import type { Place } from '../../src/shared/watermark/watermark.js';
import {
  ChainWait,
  type ChainWaitDeps,
  type ChainWaitOptions,
  type HeardAnswer,
  type Recovered,
} from './chain-wait.js';
import { learnProof } from './learn-proof.js';

export type FromOthersOptions = ChainWaitOptions & StateBinding;

export interface FromOthersDeps extends ChainWaitDeps {
  /** Runs a task in the chain's queue, and notes what it throws; undefined when the queue is full. */
  readonly inTurn: <T>(task: () => Promise<T>) => Promise<T> | undefined;
  readonly halted: () => ErrorCode | undefined;
  /** All that were issued of this chain, on every stream. */
  readonly discardNonces: () => void;
}

/** Where a cosigner stands, and whether it waits itself. */
export interface Standpoint {
  readonly place: Place;
  readonly waiting: boolean;
}

/**
 * What one chain takes from other processes, and tells them, of its watermark: each in the chain's queue, so that a signature
 * is wholly before it or behind it. What finds no place there is shown, asked or answered again.
 */
export class FromOthers {
  readonly wait: ChainWait;
  readonly #options: FromOthersOptions;
  readonly #deps: FromOthersDeps;

  constructor(options: FromOthersOptions, deps: FromOthersDeps) {
    this.wait = new ChainWait(options, deps);
    this.#options = options;
    this.#deps = deps;
  }

  /** Takes a signature that a link shows into the watermark. Throws PROOF_INVALID, STATE_WRITE_FAILED. */
  async learn(proof: Proof): Promise<void> {
    await this.#unlessHalted(() => learnProof(this.#deps, this.#options, proof));
  }

  /** Takes in what another cosigner answered to this wait. Throws STATE_WRITE_FAILED. */
  async hear(answer: HeardAnswer): Promise<void> {
    await this.#unlessHalted(() => this.wait.hear(answer));
  }

  /**
   * For another cosigner that waits (docs/invariants.md, W3): every nonce that was issued before is void, so that what the
   * asker has forgotten is never completed; then where this one stands. Undefined: it does not tell now.
   */
  async fence(): Promise<Standpoint | undefined> {
    return this.#unlessHalted(async () => {
      this.#deps.discardNonces();
      const { current, waiting } = this.#deps.watermark;
      return { place: current, waiting };
    });
  }

  /** An operator ends the wait. Undefined: not now. Throws as `ChainWait.recover`. */
  async recover(height: bigint): Promise<Recovered | undefined> {
    return this.#deps.inTurn(() => this.wait.recover(height));
  }

  async #unlessHalted<T>(task: () => Promise<T>): Promise<T | undefined> {
    return this.#deps.inTurn(async () => (this.#deps.halted() === undefined ? task() : undefined));
  }
}
