import type { Clock, Timer } from '../../src/shared/ports/clock.js';
import type { Proof } from '../../src/shared/watermark/proof.js';
import { claimedBytes } from '../../src/shared/watermark/proof.js';
import { compareHrs, type HeightRoundStep } from '../../src/shared/watermark/watermark.js';

/** To one cosigner, and to what keeps it, at most this often. */
const TELL_EVERY_MS = 1_000;

/** Where the newest signature of each chain is kept over restarts. Harmless to lose. */
export interface ProofKeeper {
  /** What was kept last, verified; undefined when there is none that can be believed. */
  load(chainId: string): Proof | undefined;
  save(proof: Proof): void;
}

export interface NewestSignatureDeps {
  readonly clock: Clock;
  /** Ids of all cosigners. */
  readonly cosigners: readonly number[];
  readonly keeper: ProofKeeper;
  readonly tell: (cosigner: number, proof: Proof) => void;
}

interface Listener {
  readonly tell: (proof: Proof) => void;
  toldMs: number;
  timer: Timer | undefined;
}

/**
 * The newest completed signature of one chain that this link knows of. Cosigners that took no part in it hear of it, so that no
 * place is known only to the disks of those who signed; who has just heard hears the next one a second later at most.
 */
export class NewestSignature {
  readonly #clock: Clock;
  readonly #cosigners: ReadonlyMap<number, Listener>;
  readonly #keeper: Listener;
  #newest: { readonly proof: Proof; readonly place: HeightRoundStep } | undefined;

  constructor(chainId: string, { clock, cosigners, keeper, tell }: NewestSignatureDeps) {
    this.#clock = clock;
    const listener = (to: (proof: Proof) => void): Listener => ({ tell: to, toldMs: -Infinity, timer: undefined });
    this.#cosigners = new Map(cosigners.map((id) => [id, listener((proof) => tell(id, proof))]));
    this.#keeper = listener((proof) => keeper.save(proof));
    const kept = keeper.load(chainId);
    if (kept !== undefined) this.#newest = { proof: kept, place: claimedBytes(kept, kept).says };
  }

  /** For the hello of a new stream. */
  get proof(): Proof | undefined {
    return this.#newest?.proof;
  }

  /** A signature was completed by these signers. */
  note(proof: Proof, place: HeightRoundStep, signers: readonly number[]): void {
    if (this.#newest !== undefined && compareHrs(place, this.#newest.place) < 0) return;
    this.#newest = { proof, place };
    for (const [id, listener] of this.#cosigners) if (!signers.includes(id)) this.#tellSoon(listener);
    this.#tellSoon(this.#keeper);
  }

  /** What was to be kept later is kept now; nobody is told any more. */
  stop(): void {
    for (const { timer } of this.#cosigners.values()) timer?.cancel();
    if (this.#keeper.timer === undefined) return;
    this.#keeper.timer.cancel();
    this.#tellNow(this.#keeper);
  }

  /** Not before what is going on now is over: the node has its answer first. */
  #tellSoon(listener: Listener): void {
    if (listener.timer !== undefined) return;
    const inMs = Math.max(0, listener.toldMs + TELL_EVERY_MS - this.#clock.nowMs());
    listener.timer = this.#clock.schedule(inMs, () => this.#tellNow(listener));
  }

  #tellNow(listener: Listener): void {
    listener.timer = undefined;
    listener.toldMs = this.#clock.nowMs();
    if (this.#newest !== undefined) listener.tell(this.#newest.proof);
  }
}
