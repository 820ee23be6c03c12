export type NodeMode = 'active' | 'any';

/**
 * Which of a chain's nodes may ask for signatures. `active`: one of them until its connection is gone, because two nodes can
 * hold different consensus locks and must not vote against each other through one key (PubKey and Ping are answered to all).
 * `any`: whoever asks; the cosigners' watermarks refuse what conflicts.
 */
export class NodeArbiter {
  readonly #mode: NodeMode;
  #served: string | undefined;

  constructor(mode: NodeMode) {
    this.#mode = mode;
  }

  /** The node that is served now, if there is only one. */
  get served(): string | undefined {
    return this.#served;
  }

  mayAsk(node: string): boolean {
    if (this.#mode === 'any') return true;
    this.#served ??= node;
    return this.#served === node;
  }

  /** Its connection has ended. */
  gone(node: string): void {
    if (this.#served === node) this.#served = undefined;
  }
}
