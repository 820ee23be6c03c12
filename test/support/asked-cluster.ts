import { execFile } from 'node:child_process';
import { createHash, verify } from 'node:crypto';
import { promisify } from 'node:util';
import { AskingNode, type Refused, type Signed, type SignAnswer } from './asking-node.js';
import type { Cleanup } from './cleanup.js';
import { eventually } from './eventually.js';
import { HekateCluster, type ClusterOptions, type HekateProcess } from './hekate-cluster.js';
import { tailOf } from './processes.js';
import { HEKATE_MAIN, TestFolder } from './project.js';
import { ed25519PublicKey } from './public-key.js';
import { writeValidatorKey } from './validator-key.js';
import {
  extensionSignBytes,
  PRECOMMIT,
  PREVOTE,
  proposalSignBytes,
  voteSignBytes,
  type TestBlockId,
  type TestProposal,
  type TestTimestamp,
  type TestVote,
} from './vote-bytes.js';

/** What a node asks to have signed, short enough for a table. */
export interface Ballot {
  readonly step: 'Proposal' | 'Prevote' | 'Precommit';
  readonly height: bigint;
  readonly round?: number;
  /** Any name; 'nil' for no block. Default 'X'. */
  readonly block?: string;
  readonly partsTotal?: number;
  readonly timestamp?: TestTimestamp;
  readonly extension?: Uint8Array;
  readonly skipExtensionSigning?: boolean;
  readonly polRound?: number;
  readonly chainId?: string;
}

export interface AskedClusterOptions extends Partial<Omit<ClusterOptions, 'folder' | 'nodeAddress' | 'keyFile'>> {
  readonly name: string;
  /** Before the processes start: what must be different about their homes. */
  readonly prepare?: (cluster: HekateCluster, folder: TestFolder) => Promise<void> | void;
}

const DEFAULT_TIMESTAMP: TestTimestamp = { seconds: 1_790_000_000n, nanos: 123_456_789 };

/** A cluster of real processes and a node, connected over encrypted tcp, that asks it what a test says. */
export class AskedCluster {
  private constructor(
    readonly folder: TestFolder,
    readonly node: AskingNode,
    readonly cluster: HekateCluster,
    readonly publicKey: Uint8Array,
    readonly chainId: string,
  ) {}

  /** Ready to sign when this resolves. `cleanup` ends and removes it. */
  static async start(cleanup: Cleanup, options: AskedClusterOptions): Promise<AskedCluster> {
    const folder = new TestFolder(options.name);
    cleanup.add(() => folder.remove());
    const { chainId = `${options.name}-1` } = options;
    const node = await AskingNode.listen('tcp', chainId);
    cleanup.add(() => node.close());
    const { keyFile, publicKey } = writeValidatorKey(folder.path);
    const cluster = await HekateCluster.create({
      ...options,
      folder: folder.path,
      chainId,
      nodeAddress: node.address,
      keyFile,
    });
    cleanup.add(() => cluster.stop());
    cleanup.whenFailed(() => {
      for (const { logFile } of cluster.processes) console.error(`--- ${logFile}\n${tailOf(logFile, 15)}`);
    });
    await options.prepare?.(cluster, folder);
    await cluster.start();
    await node.connected(10_000);
    return new AskedCluster(folder, node, cluster, publicKey, chainId);
  }

  ask(ballot: Ballot, deadlineMs?: number): Promise<SignAnswer> {
    return ballot.step === 'Proposal'
      ? this.node.proposal(this.proposal(ballot), deadlineMs)
      : this.node.vote(this.vote(ballot), deadlineMs);
  }

  /**
   * Asks, and throws unless the answer is a signature, and an extension signature exactly where one belongs, that OpenSSL
   * accepts for what was asked with the timestamp that was answered.
   */
  async signed(ballot: Ballot): Promise<Signed> {
    return this.checked(ballot, await this.askLeader(ballot));
  }

  /** Asks, and throws unless it is refused. */
  async refused(ballot: Ballot): Promise<Refused> {
    const answer = await this.askLeader(ballot);
    if (answer.kind === 'signed') throw new Error(`${ballot.step} at ${ballot.height} was signed`);
    return answer;
  }

  /** Asks until it is signed: what a test waits for after it broke something. */
  async signedAtLast(ballot: Ballot, timeoutMs = 15_000): Promise<Signed> {
    return eventually(`${ballot.step} at ${ballot.height} is signed`, timeoutMs, async () =>
      this.checked(ballot, await this.ask(ballot)),
    );
  }

  /**
   * Connections that ended although the link that had them still led. A machine that stands still for a second costs a
   * leader its lease, and then closing is right.
   */
  unexplainedDrops(): number {
    const events = this.cluster.links.flatMap((link) => link.events());
    return Math.max(0, this.node.dropped - events.filter(({ event }) => event === 'lease lost').length);
  }

  /** As a real node, which asks the next signer that connects when the one before is gone. */
  private askLeader(ballot: Ballot): Promise<SignAnswer> {
    return eventually('a leader answers', 15_000, async () => {
      const answer = await this.ask(ballot);
      return answer.kind === 'refused' && /^NOT_LEADER/.test(answer.error) ? undefined : answer;
    });
  }

  private checked(ballot: Ballot, answer: SignAnswer): Signed {
    if (answer.kind === 'refused') throw new Error(`refused: ${answer.error}`);
    const key = ed25519PublicKey(this.publicKey);
    const vote = { ...this.vote(ballot), timestamp: answer.timestamp };
    const signBytes = ballot.step === 'Proposal' ? proposalSignBytes(this.proposal(ballot)) : voteSignBytes(vote);
    if (!verify(null, signBytes, key, answer.signature)) throw new Error('the signature does not verify');
    const extended = ballot.step === 'Precommit' && vote.blockId !== undefined && ballot.skipExtensionSigning !== true;
    if (!extended && answer.extensionSignature.length > 0) throw new Error('an extension signature where none belongs');
    if (extended && !verify(null, extensionSignBytes(vote), key, answer.extensionSignature))
      throw new Error('the extension signature does not verify');
    return answer;
  }

  vote({ step, height, round = 0, timestamp = DEFAULT_TIMESTAMP, chainId = this.chainId, ...rest }: Ballot): TestVote {
    const type = step === 'Precommit' ? PRECOMMIT : PREVOTE;
    const { extension, skipExtensionSigning = false } = rest;
    const vote = { type, height, round, blockId: blockIdOf(rest), timestamp, chainId, skipExtensionSigning };
    return extension === undefined ? vote : { ...vote, extension };
  }

  proposal({
    height,
    round = 0,
    timestamp = DEFAULT_TIMESTAMP,
    chainId = this.chainId,
    ...rest
  }: Ballot): TestProposal {
    return { height, round, polRound: rest.polRound ?? -1, blockId: blockIdOf(rest), timestamp, chainId };
  }

  /** `h/r/s` of each cosigner's state file. */
  async watermarks(): Promise<string[]> {
    return Promise.all(this.cluster.cosigners.map((cosigner) => watermarkOf(cosigner)));
  }
}

/** What `hekate state show` says of the first chain of a home. */
async function watermarkOf(cosigner: HekateProcess): Promise<string> {
  const args = [HEKATE_MAIN, 'state', 'show', cosigner.home, '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const [state] = JSON.parse(stdout) as { watermark: { height: string; round: number; step: number } }[];
  if (state === undefined) throw new Error(`${cosigner.home} has no state`);
  return `${state.watermark.height}/${state.watermark.round}/${state.watermark.step}`;
}

function blockIdOf({ block = 'X', partsTotal = 1 }: Pick<Ballot, 'block' | 'partsTotal'>): TestBlockId | undefined {
  if (block === 'nil') return undefined;
  const hash = createHash('sha256').update(`block ${block}`).digest();
  const partsHash = createHash('sha256').update(`parts of ${block}`).digest();
  return { hash, partsTotal, partsHash };
}
