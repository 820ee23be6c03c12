import { setTimeout as delay } from 'node:timers/promises';
import { must } from '../../src/shared/invariant.js';
import type { CometVersion } from '../support/comet-home.js';
import { createNetwork, type CometNode } from '../support/comet-node.js';
import { eventually } from '../support/eventually.js';
import type { ConversationEvents, SignRecord } from '../support/privval-conversation.js';
import { PrivvalTap } from './privval-tap.js';
import { blockName, nameOf, type Place, type SignatureBook } from './signature-book.js';
import type { Validator } from './ground.js';
import { signal } from './process-tree.js';
import { VoteTally, type Gap, type VoteCounts } from './vote-tally.js';

export const CHAOS_NODE: CometVersion = 'v0.38.21';

export interface CometValidatorOptions {
  readonly folder: string;
  readonly chainId: string;
  readonly book: SignatureBook;
  readonly timeoutCommit: string;
  /** Default 1: every block needs our signature. */
  readonly validators?: number;
  /** Nodes for our validator besides the first. */
  readonly twins?: number;
  /** Each of its nodes signs by itself, with a copy of the key: there is no privval port, and nothing is seen of what is asked. */
  readonly unprotected?: true;
}

/** CometBFT's BlockIDFlag: the validator has not signed. */
const FLAG_ABSENT = 1;
const STARTED_MS = 60_000;

/**
 * Real CometBFT nodes that have our validator's votes signed, and a tap on each of their privval ports. With other validators in
 * the network it is their blocks that tell whether a vote was missed.
 */
export class CometValidator implements Validator {
  readonly ports: readonly number[];
  readonly chainId: string;
  readonly keyFile: string;
  private tally = new VoteTally(performance.now());
  private signedInARow = 0;
  private lastSigned = 0;
  private newestHeight = 0;
  private fromHeight = 0;
  private readonly frozen = new Set<number>();

  private constructor(
    private readonly ours: readonly CometNode[],
    /** One that nobody breaks; the only one where there are no others. */
    private readonly witness: CometNode,
    private readonly others: readonly CometNode[],
    private readonly taps: readonly PrivvalTap[],
    { chainId, keyFile }: { readonly chainId: string; readonly keyFile: string },
  ) {
    this.ports = taps.map(({ port }) => port);
    this.chainId = chainId;
    this.keyFile = keyFile;
  }

  static async create(options: CometValidatorOptions): Promise<CometValidator> {
    const { folder, chainId, timeoutCommit, validators = 1, twins = 0, unprotected = false, book } = options;
    const network = await createNetwork({
      ...{ version: CHAOS_NODE, folder, chainId, timeoutCommit, validators, twins },
      ...{ privval: unprotected ? 'file' : 'tcp', voteExtensions: true, paced: true },
    });
    const first = must(network[0], 'a network has a node');
    const ours = [first, ...network.slice(validators)];
    const others = network.slice(1, validators);
    const taps: PrivvalTap[] = [];
    const told: ((at: number) => ConversationEvents)[] = [];
    for (const [i, node] of unprotected ? [] : ours.entries()) {
      const events: ConversationEvents = {
        asked: (record) => told[0]?.(i).asked?.(record),
        answered: (record) => told[0]?.(i).answered?.(record),
        lost: (record) => told[0]?.(i).lost?.(record),
      };
      taps.push(await PrivvalTap.listen(portOf(node), events));
    }
    const keyFile = unprotected ? '' : must(first.key, 'its key was moved away').keyFile;
    const validator = new CometValidator(ours, others[0] ?? first, others, taps, { chainId, keyFile });
    told.push((at) => validator.tapEvents(at, book));
    return validator;
  }

  async start(): Promise<void> {
    for (const node of [...this.ours, ...this.others]) node.start();
  }

  async stop(): Promise<void> {
    this.thawNodes();
    await Promise.all([...this.ours, ...this.others].map((node) => node.crash()));
    await Promise.all(this.taps.map((tap) => tap.close()));
  }

  beginCount(): void {
    this.tally = new VoteTally(performance.now());
    this.fromHeight = this.newestHeight;
  }

  async counts(): Promise<VoteCounts> {
    const counts = this.tally.counts(performance.now());
    if (this.others.length === 0) return counts;
    const { asked, missed } = await this.commits();
    return { ...counts, asked, signed: asked - missed, missed };
  }

  longestGap(): Gap {
    return this.tally.longestGap(performance.now());
  }

  async signsOn(votes: number, timeoutMs: number): Promise<void> {
    await eventually('all nodes answer', STARTED_MS, async () => {
      const heights = await Promise.all(this.ours.map((node) => node.rpc.height()));
      this.newestHeight = Math.max(await this.witness.rpc.height(), ...heights);
      return this.newestHeight - Math.min(...heights) <= 2 || undefined;
    });
    this.signedInARow = 0;
    const until = performance.now() + timeoutMs;
    while (this.signedInARow < votes) {
      if (performance.now() > until) throw new Error(`no ${votes} signatures in a row within ${timeoutMs} ms`);
      await delay(20);
    }
  }

  /** A node cannot be made to ask for a second block. */
  async tempt(): Promise<void> {}

  async crashNode(at = 0): Promise<void> {
    await this.node(at).crash();
    if (this.others.length === 0) this.tally.forgetOpen();
  }

  async startNode(at = 0): Promise<void> {
    if (!this.node(at).running) this.node(at).start();
  }

  freezeNode(at = 0): void {
    const { pid } = this.node(at);
    this.frozen.add(pid);
    signal(pid, 'SIGSTOP');
  }

  thawNodes(): void {
    for (const pid of this.frozen) signal(pid, 'SIGCONT');
    this.frozen.clear();
  }

  servedNode(): number {
    return this.lastSigned;
  }

  async evidence(): Promise<readonly string[]> {
    if (this.others.length === 0) return [];
    const found: string[] = [];
    const to = await this.witness.rpc.height();
    for (let height = this.fromHeight + 1; height <= to; height++) {
      const { evidence } = (await this.witness.rpc.block(height)).block.evidence;
      for (const one of evidence ?? []) found.push(`height ${height}: ${JSON.stringify(one)}`);
    }
    return found;
  }

  /** How many our validator has. */
  get nodes(): number {
    return this.ours.length;
  }

  /** Of blocks that are final. */
  height(): Promise<number> {
    return this.witness.rpc.height();
  }

  private node(at: number): CometNode {
    return must(this.ours[at], 'the validator has that node');
  }

  /** Heights since the count began, up to the last one whose commit is final, and those without our precommit. */
  private async commits(): Promise<{ readonly asked: number; readonly missed: number }> {
    const to = (await this.witness.rpc.height()) - 1;
    const { address } = this.node(0).validator;
    let missed = 0;
    for (let height = this.fromHeight + 1; height <= to; height++) {
      const { signatures } = (await this.witness.rpc.commit(height)).signed_header.commit;
      const own = signatures.find(({ validator_address: of }) => of === address);
      if (own === undefined || own.block_id_flag === FLAG_ABSENT) missed++;
    }
    return { asked: Math.max(0, to - this.fromHeight), missed };
  }

  private tapEvents(at: number, book: SignatureBook): ConversationEvents {
    const placeOf = ({ height, round, step }: SignRecord): Place => ({ chainId: this.chainId, height, round, step });
    return {
      asked: (record) => this.tally.asked(nameOf(placeOf(record)), performance.now()),
      answered: (record) => {
        const place = placeOf(record);
        if (record.outcome !== 'signed') {
          // A node that was killed forgets what it had signed last, and asks for another block there.
          if (book.isSigned(place)) this.tally.forget(nameOf(place));
          else this.tally.wasMissed(nameOf(place));
          if (at === this.lastSigned) this.signedInARow = 0;
          return;
        }
        book.signature(`node ${at + 1}`, place, blockName(Buffer.from(record.block, 'hex')));
        this.tally.wasSigned(nameOf(place), performance.now());
        this.lastSigned = at;
        this.signedInARow++;
      },
      lost: () => this.tally.wasLost(),
    };
  }
}

function portOf({ privvalAddress = '' }: CometNode): number {
  return Number(privvalAddress.slice(privvalAddress.lastIndexOf(':') + 1));
}
