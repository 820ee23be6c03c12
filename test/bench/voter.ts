import { setTimeout as delay } from 'node:timers/promises';
import { checkBallot } from '../../src/dev/model-node/ballot-check.js';
import { ModelChain, type Ballot } from '../../src/dev/model-node/model-chain.js';
import { STEP_PRECOMMIT, STEP_PREVOTE, type BlockId } from '../../src/shared/privval/canonical.js';
import type { PrivvalResponse } from '../../src/shared/privval/response.js';
import type { NodeSide } from './node-side.js';

/** 0.37 is what KIRA runs; a signer cannot tell it from 0.38, so each precommit carries an extension signature too. */
const VERSION = '0.37';

/** Prevote and precommit of one height after the other, without end. */
export class Ballots {
  readonly #chain: ModelChain;
  #height = 1n;
  #block: BlockId | undefined;

  constructor(chainId: string) {
    this.#chain = new ModelChain({ chainId, version: VERSION, extension: undefined });
  }

  /** Goes on with this height; only ever up. */
  skipTo(height: bigint): void {
    this.#height = height;
    this.#block = undefined;
  }

  next(): Ballot {
    const now = performance.now();
    if (this.#block === undefined) {
      this.#block = this.#chain.blockAt(this.#height, 0);
      return this.#chain.vote(STEP_PREVOTE, this.#height, 0, this.#block, now);
    }
    const precommit = this.#chain.vote(STEP_PRECOMMIT, this.#height, 0, this.#block, now);
    this.#block = undefined;
    this.#height++;
    return precommit;
  }
}

/** A node of one chain that has its votes signed, and in the end checks every signature it got. */
export class Voter {
  readonly chainId: string;
  readonly node: NodeSide;
  readonly #publicKey: Uint8Array;
  readonly #ballots: Ballots;
  #unchecked: { readonly ballot: Ballot; readonly response: PrivvalResponse | undefined }[] = [];

  constructor(chainId: string, publicKey: Uint8Array, node: NodeSide) {
    this.chainId = chainId;
    this.node = node;
    this.#publicKey = publicKey;
    this.#ballots = new Ballots(chainId);
  }

  /** One vote, asked and answered; the time at the node's side in ms. */
  async vote(): Promise<number> {
    const ballot = this.#ballots.next();
    const from = performance.now();
    const response = await this.node.ask(ballot.request);
    const ms = performance.now() - from;
    this.#unchecked.push({ ballot, response });
    return ms;
  }

  /** Throws unless everything asked since the last check was signed, and rightly. Returns how many votes that were. */
  check(): number {
    const asked = this.#unchecked;
    this.#unchecked = [];
    for (const { ballot, response } of asked) {
      const verdict = response === undefined ? 'not answered' : checkBallot(ballot, response, this.#publicKey, VERSION);
      if (verdict === 'not answered' || verdict.kind !== 'signed')
        throw new Error(`a vote of ${this.chainId} was not signed: ${JSON.stringify(verdict)}`);
    }
    return asked.length;
  }

  async votes(count: number): Promise<void> {
    await this.backToBack(count);
  }

  /** Latencies of `count` votes, each asked when the one before was answered. */
  async backToBack(count: number): Promise<readonly number[]> {
    const samples: number[] = [];
    for (let i = 0; i < count; i++) samples.push(await this.vote());
    this.check();
    return samples;
  }

  /** Latencies of `count` votes, one every `everyMs`; a late one does not make the next ones hurry. */
  async paced(count: number, everyMs: number): Promise<readonly number[]> {
    const samples: number[] = [];
    for (let i = 0; i < count; i++) {
      const from = performance.now();
      samples.push(await this.vote());
      await delay(Math.max(0, everyMs - (performance.now() - from)));
    }
    this.check();
    return samples;
  }

  /** Back to back until `untilMs` (of performance.now()); the latencies. The signatures are left for check(). */
  async until(untilMs: number): Promise<readonly number[]> {
    const samples: number[] = [];
    while (performance.now() < untilMs) samples.push(await this.vote());
    return samples;
  }
}
