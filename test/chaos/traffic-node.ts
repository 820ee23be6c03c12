import { setTimeout as delay } from 'node:timers/promises';
import { askForSignature } from '../../src/dev/model-node/ask.js';
import { Backlog } from '../../src/dev/model-node/backlog.js';
import { listenForSigners, type Listening } from '../../src/dev/model-node/listen.js';
import { ModelChain, type Ballot } from '../../src/dev/model-node/model-chain.js';
import { SignerEndpoint } from '../../src/dev/model-node/signer-endpoint.js';
import { Waits } from '../../src/dev/model-node/wait.js';
import { systemClock } from '../../src/shared/ports/clock.js';
import { systemRandom } from '../../src/shared/ports/random.js';
import { STEP_NAMES, STEP_PRECOMMIT, STEP_PREVOTE } from '../../src/shared/privval/canonical.js';
import { blockNameOf, nameOf, type Place, type SignatureBook } from './signature-book.js';
import { VoteTally } from './vote-tally.js';

/** From one request to the next, where the one before has been answered. */
const ASK_EVERY_MS = 50;
const VERSION = '0.38';

/**
 * A node that asks every 50 ms, height after height, with the habits of CometBFT's privval client: one connection, one request
 * at a time, 5 s for an answer, the same bytes again after 100 ms when the connection is lost, never after a refusal.
 */
export class TrafficNode {
  tally = new VoteTally(performance.now());
  private readonly chain: ModelChain;
  private height = 1n;
  /** 0: its proposal is next; then prevote, precommit. */
  private step = 0;
  private signedInARow = 0;
  private last: Ballot | undefined;
  private running: Running | undefined;

  private constructor(
    readonly chainId: string,
    private readonly publicKey: Uint8Array,
    private readonly book: SignatureBook,
    readonly port: number,
  ) {
    const extension = (height: bigint): Uint8Array => Buffer.from(`extension of ${height}`);
    this.chain = new ModelChain({ chainId, version: VERSION, extension });
  }

  static async create(chainId: string, publicKey: Uint8Array, book: SignatureBook, port: number): Promise<TrafficNode> {
    const node = new TrafficNode(chainId, publicKey, book, port);
    await node.start();
    return node;
  }

  get isRunning(): boolean {
    return this.running !== undefined;
  }

  /** Goes on where it was: what was under way is asked again with a newer timestamp, as by a node that restarts. */
  async start(): Promise<void> {
    if (this.running !== undefined) throw new Error('the node runs already');
    const backlog = new Backlog(systemClock);
    const where = { transport: 'tcp', host: '127.0.0.1', port: this.port } as const;
    const listening = await listenForSigners(where, backlog, { clock: systemClock, random: systemRandom });
    const endpoint = new SignerEndpoint({ backlog, clock: systemClock });
    const waits = new Waits(systemClock);
    endpoint.start();
    this.running = { listening, endpoint, waits, loop: this.askForEver(endpoint, waits) };
  }

  /** Port and connection close at once. */
  async crash(): Promise<void> {
    const { running } = this;
    if (running === undefined) return;
    this.running = undefined;
    running.waits.stop();
    running.endpoint.stop();
    await Promise.all([running.loop, running.listening.close()]);
  }

  /** Resolves once so many in a row were signed from now on. */
  async signsOn(count: number, timeoutMs: number): Promise<void> {
    this.signedInARow = 0;
    const until = performance.now() + timeoutMs;
    while (this.signedInARow < count) {
      if (performance.now() > until)
        throw new Error(`no ${count} signatures in a row within ${timeoutMs} ms; at ${this.height}`);
      await delay(20);
    }
  }

  /**
   * Asks for another block at the place that was signed last. It must be refused; what is signed all the same goes into the
   * book, and makes a double there. Not counted as a vote.
   */
  async tempt(): Promise<void> {
    const { last, running } = this;
    if (last === undefined || running === undefined) return;
    const { height, round, step } = last.canonical;
    const other = this.chain.blockAt(height, 1_000_000 + round);
    const ballot =
      step === STEP_PREVOTE || step === STEP_PRECOMMIT
        ? this.chain.vote(step, height, round, other, performance.now())
        : this.chain.proposal(height, round, other, -1);
    const response = await running.endpoint.request(ballot.request).catch(() => undefined);
    if (response?.kind === 'signedVote' || response?.kind === 'signedProposal')
      this.book.signature('the node, which asked for another block', placeOf(ballot), blockNameOf(other));
  }

  private async askForEver(endpoint: SignerEndpoint, waits: Waits): Promise<void> {
    while (!waits.stopped) {
      const from = performance.now();
      const ballot = this.nextBallot(from);
      const name = nameOf(placeOf(ballot));
      this.tally.asked(name, from);
      const result = await askForSignature(ballot, {
        ...{ endpoint, waits, publicKey: this.publicKey, version: VERSION },
        unanswered: () => this.tally.wasLost(),
      });
      const nowMs = performance.now();
      if (result.kind === 'stopped') return;
      if (result.kind === 'signed') {
        this.book.signature('the node', placeOf(ballot), blockNameOf(ballot.canonical.blockId));
        this.tally.wasSigned(name, nowMs);
        this.signedInARow++;
        this.last = ballot;
      } else {
        this.tally.wasMissed(name);
        this.signedInARow = 0;
      }
      this.advance();
      await waits.sleep(Math.max(0, ASK_EVERY_MS - (nowMs - from)));
    }
  }

  private nextBallot(nowMs: number): Ballot {
    const block = this.chain.blockAt(this.height, 0);
    if (this.step === 0) return this.chain.proposal(this.height, 0, block, -1);
    return this.chain.vote(this.step === 1 ? STEP_PREVOTE : STEP_PRECOMMIT, this.height, 0, block, nowMs);
  }

  private advance(): void {
    this.step = (this.step + 1) % 3;
    if (this.step === 0) this.height++;
  }
}

interface Running {
  readonly listening: Listening;
  readonly endpoint: SignerEndpoint;
  readonly waits: Waits;
  readonly loop: Promise<void>;
}

function placeOf({ canonical }: Ballot): Place {
  const { chainId, height, round, step } = canonical;
  return { chainId, height, round, step: STEP_NAMES[step] as Place['step'] };
}
