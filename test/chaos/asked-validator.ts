import { freePorts } from '../support/ports.js';
import { writeValidatorKey } from '../support/validator-key.js';
import type { Validator } from './ground.js';
import type { SignatureBook } from './signature-book.js';
import { TrafficNode } from './traffic-node.js';
import { VoteTally, type Gap, type VoteCounts } from './vote-tally.js';

/** One node of ours that asks every 50 ms, faster than any chain. */
export class AskedValidator implements Validator {
  private node: TrafficNode | undefined;

  private constructor(
    readonly chainId: string,
    readonly keyFile: string,
    readonly ports: readonly number[],
    private readonly publicKey: Uint8Array,
    private readonly book: SignatureBook,
  ) {}

  static async create(folder: string, chainId: string, book: SignatureBook): Promise<AskedValidator> {
    const { keyFile, publicKey } = writeValidatorKey(folder);
    return new AskedValidator(chainId, keyFile, await freePorts(1), publicKey, book);
  }

  async start(): Promise<void> {
    const [port = 0] = this.ports;
    this.node = await TrafficNode.create(this.chainId, this.publicKey, this.book, port);
  }

  async stop(): Promise<void> {
    await this.node?.crash();
  }

  beginCount(): void {
    if (this.node) this.node.tally = new VoteTally(performance.now());
  }

  async counts(): Promise<VoteCounts> {
    return this.running.tally.counts(performance.now());
  }

  longestGap(): Gap {
    return this.running.tally.longestGap(performance.now());
  }

  signsOn(votes: number, timeoutMs: number): Promise<void> {
    return this.running.signsOn(votes, timeoutMs);
  }

  tempt(): Promise<void> {
    return this.running.tempt();
  }

  crashNode(): Promise<void> {
    return this.running.crash();
  }

  async startNode(): Promise<void> {
    if (!this.running.isRunning) await this.running.start();
  }

  /** It is no process of its own. */
  freezeNode(): void {
    throw new Error('only a real node is frozen');
  }

  thawNodes(): void {}

  servedNode(): number {
    return 0;
  }

  async evidence(): Promise<readonly string[]> {
    return [];
  }

  private get running(): TrafficNode {
    if (this.node === undefined) throw new Error('the node was never started');
    return this.node;
  }
}
