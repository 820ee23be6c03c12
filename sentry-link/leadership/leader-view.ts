import type { HeartbeatReply } from '../../src/shared/coordination/messages.js';

/** The link that leads, by the name that the cosigners have pinned. */
export interface Leader {
  readonly name: string;
  readonly term: number;
}

interface Heard extends Leader {
  readonly untilMs: number;
}

/** Who leads, from what the cosigners answer: for people to read, nothing is decided by it. */
export class LeaderView {
  readonly #heard = new Map<number, Heard>();

  note(cosigner: number, { holder, term, remainingMs }: HeartbeatReply, nowMs: number): void {
    if (holder === '') this.#heard.delete(cosigner);
    else this.#heard.set(cosigner, { name: holder, term, untilMs: nowMs + remainingMs });
  }

  /** Whom most of the cosigners name whose promise still runs, of equals the one with the newest term; undefined: nobody. */
  leader(nowMs: number): Leader | undefined {
    const live = [...this.#heard.values()].filter(({ untilMs }) => nowMs < untilMs);
    const votes = (one: Leader): number => live.filter(({ name }) => name === one.name).length;
    const [first] = live.sort((a, b) => votes(b) - votes(a) || b.term - a.term);
    return first && { name: first.name, term: first.term };
  }
}
