import type { Clock } from '../../src/shared/ports/clock.js';
import type { Prng } from './prng.js';

/** Part of the heights in which the chain has trouble, and goes through many rounds. */
const TROUBLE = 0.06;

/** How far the chain is that nodes follow: the others make its blocks, whoever of ours votes, in one round mostly. */
export class ChainHead {
  height = 1n;
  round = 0;
  readonly #clock: Clock;
  readonly #random: Prng;
  /** Rounds that its height takes yet. */
  #rounds = 0;

  constructor(clock: Clock, random: Prng) {
    this.#clock = clock;
    this.#random = random;
    this.#goOn();
  }

  #goOn(): void {
    const random = this.#random;
    const ms = this.#rounds > 3 ? random.between(700, 1_500) : random.between(300, 900);
    this.#clock.schedule(ms, () => {
      if (this.#rounds > 0) {
        this.#rounds--;
        this.round++;
      } else {
        this.height++;
        this.round = 0;
        this.#rounds = random.chance(TROUBLE) ? 5 + random.below(8) : random.below(random.pick([1, 1, 1, 3]));
      }
      this.#goOn();
    });
  }
}
