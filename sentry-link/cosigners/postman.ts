import type { Carried } from '../../src/shared/coordination/messages.js';
import type { Clock } from '../../src/shared/ports/clock.js';

/** A cosigner that waits asks each of the others four times a second for each chain, and answers as often where it is asked. */
const USUAL_PER_SECOND = 8;
const WINDOW_MS = 1_000;

export interface PostmanDeps {
  readonly clock: Clock;
  /** Ids of all cosigners. */
  readonly cosigners: readonly number[];
  readonly chains: number;
  readonly send: (cosigner: number, message: Carried) => void;
}

/**
 * Carries what cosigners that wait ask each other, and the answers: from the one that it names as its sender to the one that it
 * is for. What they say is theirs alone, and signed; a cosigner that sends more than any that waits is carried no further for
 * the rest of a second, so that the streams of the others stay open.
 */
export class Postman {
  readonly #deps: PostmanDeps;
  readonly #most: number;
  #windowMs = -Infinity;
  readonly #carried = new Map<number, number>();

  constructor(deps: PostmanDeps) {
    this.#deps = deps;
    this.#most = USUAL_PER_SECOND * deps.chains * deps.cosigners.length;
  }

  carry(from: number, message: Carried): void {
    const isQuestion = message.kind === 'waitQuestion';
    const [sender, receiver] = isQuestion ? [message.asker, message.asked] : [message.answerer, message.asker];
    if (sender !== from || receiver === from || !this.#deps.cosigners.includes(receiver)) return;
    const nowMs = this.#deps.clock.nowMs();
    if (nowMs - this.#windowMs >= WINDOW_MS) {
      this.#windowMs = nowMs;
      this.#carried.clear();
    }
    const carried = 1 + (this.#carried.get(from) ?? 0);
    this.#carried.set(from, carried);
    if (carried <= this.#most) this.#deps.send(receiver, message);
  }
}
