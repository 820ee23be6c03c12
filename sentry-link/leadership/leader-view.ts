import { MAX_LEASE_MS } from '../../src/shared/coordination/limits.js';
import type { HeartbeatReply } from '../../src/shared/coordination/messages.js';

/** The link that leads, by the name that the cosigners have pinned. */
export interface Leader {
  readonly name: string;
  readonly term: number;
}

/** `name` is empty where a cosigner names nobody. */
interface Heard extends Leader {
  readonly untilMs: number;
}

/** Who leads, from what the cosigners answer: for people to read, nothing is decided by it. */
export class LeaderView {
  readonly #heard = new Map<number, Heard>();

  note(cosigner: number, { holder, term, remainingMs }: HeartbeatReply, nowMs: number): void {
    // No promise is longer, and no answer is worth anything for longer.
    const forMs = holder === '' ? MAX_LEASE_MS : Math.min(remainingMs, MAX_LEASE_MS);
    this.#heard.set(cosigner, { name: holder, term, untilMs: nowMs + forMs });
  }

  /**
   * Whom most of the cosigners name whose promise still runs, of equals the one with the newest term. Undefined: nobody, or one
   * whom fewer than half of them name: so few may lie.
   */
  leader(nowMs: number): Leader | undefined {
    const live = [...this.#heard.values()].filter(({ untilMs }) => nowMs < untilMs);
    const votes = (one: Leader): number => live.filter(({ name }) => name === one.name).length;
    const [first] = live.filter(({ name }) => name !== '').sort((a, b) => votes(b) - votes(a) || b.term - a.term);
    if (first === undefined || 2 * votes(first) < live.length) return undefined;
    return { name: first.name, term: first.term };
  }
}
