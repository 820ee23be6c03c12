import { QUESTION_BYTES } from './wait-messages.js';
import type { RandomBytes } from '../ports/random.js';

/** A wait of this length is not ended by those that are there alone: one of the others is gone for good. */
export const SIT_OUT_AFTER_MS = 30_000;

export interface StartWaitOptions {
  readonly threshold: number;
  /** Ids of all other cosigners. */
  readonly others: readonly number[];
  /** It may go on after a height that it sits out, once it has waited for long. */
  readonly sitsOut: boolean;
}

/**
 * Every start of a cosigner is taken for a rollback until it is shown otherwise: whether it may sign again is decided here, for
 * one chain. In memory only, and a state machine: what it hears was verified, what it is asked comes in turn (docs/invariants.md,
 * W1, W2 and W7).
 */
export class StartWait {
  readonly #options: StartWaitOptions;
  readonly #startedMs: number;
  readonly #random: RandomBytes;
  /** By cosigner: whether it has not been waiting itself when it was heard. */
  readonly #proven = new Map<number, boolean>();
  #question: Uint8Array;
  /** Those heard once more, after `SIT_OUT_AFTER_MS`. */
  #again: Set<number> | undefined;
  #doubtful: bigint | undefined;

  constructor(options: StartWaitOptions, startedMs: number, random: RandomBytes) {
    this.#options = options;
    this.#startedMs = startedMs;
    this.#random = random;
    this.#question = random(QUESTION_BYTES);
  }

  /** Whom to ask, and with which bytes: an answer to anything else is an old one. */
  ask(nowMs: number): { readonly question: Uint8Array; readonly asked: readonly number[] } {
    const { threshold, others, sitsOut } = this.#options;
    const isLong = nowMs - this.#startedMs >= SIT_OUT_AFTER_MS;
    if (sitsOut && isLong && this.#again === undefined && this.#proven.size >= threshold - 1) {
      this.#again = new Set();
      this.#question = this.#random(QUESTION_BYTES);
    }
    const again = this.#again;
    // One that does not wait itself has nothing more to tell, until it is asked once more.
    const asked = others.filter((id) => this.#proven.get(id) !== true || (again !== undefined && !again.has(id)));
    return { question: this.#question, asked };
  }

  isCurrent(question: Uint8Array): boolean {
    return Buffer.compare(question, this.#question) === 0;
  }

  /** A place of `cosigner` was taken for a floor. */
  hear(cosigner: number, waiting: boolean): void {
    this.#proven.set(cosigner, !waiting || this.#proven.get(cosigner) === true);
    this.#again?.add(cosigner);
  }

  get heard(): readonly number[] {
    return [...this.#proven.keys()].sort((a, b) => a - b);
  }

  /** W1: of any t that signed what this one forgot, one has been heard that remembers, or too few are left that forgot. */
  get over(): boolean {
    const { threshold, others } = this.#options;
    const proven = [...this.#proven.values()].filter(Boolean).length;
    const waiting = this.#proven.size - proven;
    return proven + Math.max(0, waiting - (threshold - 2)) >= others.length + 1 - threshold + 1;
  }

  /**
   * W7, of a request whose height the pace allows: whether it is above every height that may be in doubt, so that it ends the
   * wait. `reached`: of the watermark. The first that is asked for, or reached then, is the last of those.
   */
  goesOn(height: bigint, reached: bigint): boolean {
    if (this.#again === undefined || this.#again.size < this.#options.threshold - 1) return false;
    this.#doubtful ??= height > reached ? height : reached;
    return height > this.#doubtful && height > reached;
  }

  /** The height that is sat out, once it is known. */
  get doubtful(): bigint | undefined {
    return this.#doubtful;
  }
}

/** `heard 1 of 2 others (3 is not within reach)`. */
export function describeWait(heard: readonly number[], others: readonly number[]): string {
  const missing = others.filter((id) => !heard.includes(id));
  const which =
    missing.length === 0 ? '' : ` (${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} not within reach)`;
  return `heard ${others.length - missing.length} of ${others.length} others${which}`;
}
