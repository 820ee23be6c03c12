import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { must } from '../../src/shared/invariant.js';
import { readStatus } from '../../src/shared/status/ask-process.js';
import type { CosignerStatus, LinkStatus } from '../../src/shared/status/process-status.js';
import type { Cleanup } from '../support/cleanup.js';
import { eventually } from '../support/eventually.js';
import { HekateCluster, type ClusterOptions, type HekateProcess } from '../support/hekate-cluster.js';
import { guardAgainstLeftFolder, guardAgainstStopped } from '../support/orphan-guard.js';
import { Evidence } from './evidence.js';
import { isAlive, signal, treeOf } from './process-tree.js';
import { SignatureBook } from './signature-book.js';
import type { Gap, VoteCounts } from './vote-tally.js';
import type { Network, Wire } from './wires.js';

/** The validator's side: what asks for signatures, and counts what becomes of them. */
export interface Validator {
  /** Ports of 127.0.0.1 on which a signer is awaited, one for each node. */
  readonly ports: readonly number[];
  readonly chainId: string;
  readonly keyFile: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Counts anew from now on. */
  beginCount(): void;
  /** Since the last beginCount. */
  counts(): Promise<VoteCounts>;
  /** The longest time without a signature since the last beginCount, in ms of performance.now(). */
  longestGap(): Gap;
  /** Resolves once so many votes in a row were signed from now on. */
  signsOn(votes: number, timeoutMs: number): Promise<void>;
  /** Asks for a second signature at the newest place, where it can be made to. */
  tempt(): Promise<void>;
  /** Of the node at that place in `ports`; default: the first. */
  crashNode(at?: number): Promise<void>;
  startNode(at?: number): Promise<void>;
  freezeNode(at?: number): void;
  thawNodes(): void;
  /** Of `ports`: whose votes are signed. */
  servedNode(): number;
  /** Evidence of double signing that blocks of other validators carry. */
  evidence(): Promise<readonly string[]>;
}

export interface GroundOptions extends Pick<ClusterOptions, 'wrap' | 'logFile' | 'output'> {
  readonly folder: string;
  readonly validator: Validator;
  readonly book: SignatureBook;
  readonly wires: Network;
  readonly cleanup: Cleanup;
  readonly links?: number;
  /** Names instead of 127.0.0.1 in the configuration of the links. */
  readonly hostOf?: (peer: string) => string;
  readonly env?: (name: string) => Readonly<Record<string, string>>;
  /** Once the homes are made. */
  readonly prepare?: (cluster: HekateCluster) => void;
}

export const THRESHOLD = 2;
const SETTLED_MS = 90_000;
const SETTLED_VOTES = 9;
/** A link that is to end answers for 1.5 s at most, and is ended by itself soon after. */
const ENDED_MS = 10_000;

/**
 * A cluster of 2 of 3 with a wire between every link and every cosigner and node, traffic on, and the hands that faults are
 * made with. Kept running from one fault to the next. Links have their watcher, as an operator starts them.
 */
export class Ground {
  private readonly runFolders: ReadonlyMap<string, string>;
  private readonly wiresByEnds: ReadonlyMap<string, Wire>;
  /** With how to forget it. */
  private readonly frozen = new Map<number, () => void>();
  private readonly mending: (() => unknown)[] = [];
  readonly evidence: Evidence;

  private constructor(
    readonly cluster: HekateCluster,
    readonly validator: Validator,
    readonly book: SignatureBook,
    private readonly wires: Network,
    runFolders: ReadonlyMap<string, string>,
    wiresByEnds: ReadonlyMap<string, Wire>,
  ) {
    this.runFolders = runFolders;
    this.wiresByEnds = wiresByEnds;
    this.evidence = new Evidence(cluster, validator.chainId, book);
  }

  /** Signs when this resolves. */
  static async start(options: GroundOptions): Promise<Ground> {
    const { folder, validator, book, wires, cleanup, links = 2 } = options;
    const runFolders = new Map<string, string>();
    const env = (name: string): Readonly<Record<string, string>> => {
      const path = runFolders.get(name) ?? newRunFolder(cleanup);
      runFolders.set(name, path);
      return { RUNTIME_DIRECTORY: path, ...options.env?.(name) };
    };
    const [port = 0] = validator.ports;
    const cluster = await HekateCluster.create({
      ...{ folder, chainId: validator.chainId, keyFile: validator.keyFile, threshold: THRESHOLD, links, env },
      watched: true,
      nodeAddress: `tcp://127.0.0.1:${port}`,
      ...(options.wrap && { wrap: options.wrap }),
      ...(options.logFile && { logFile: options.logFile }),
      ...(options.output && { output: options.output }),
    });
    const wiresByEnds = await connect(cluster, options);
    options.prepare?.(cluster);
    const ground = new Ground(cluster, validator, book, wires, runFolders, wiresByEnds);
    cleanup.add(() => ground.stop());
    await validator.start();
    await Promise.all(cluster.processes.map((process) => process.start()));
    await ground.settle();
    ground.evidence.start();
    return ground;
  }

  /** Everything ends, frozen or not. */
  async stop(): Promise<void> {
    await this.evidence.stop();
    this.thaw();
    for (const process of this.cluster.processes) await this.loseHost(process);
    await this.validator.stop();
  }

  wire(link: HekateProcess, peer: string): Wire {
    return must(this.wiresByEnds.get(endsOf(link.name, peer)), 'a link has a wire to each peer');
  }

  /** From one link to every cosigner. */
  wiresToCosigners(link: HekateProcess): readonly Wire[] {
    return this.cluster.cosigners.map(({ name }) => this.wire(link, name));
  }

  wiresToNodes(link: HekateProcess): readonly Wire[] {
    return this.validator.ports.map((_, i) => this.wire(link, nodeName(i)));
  }

  leader(timeoutMs = 30_000): Promise<HekateProcess> {
    return eventually('a link that leads', timeoutMs, async () => {
      for (const link of this.cluster.links) if (link.running && (await leads(link))) return link;
      return undefined;
    });
  }

  /** A link that does not lead. */
  async standby(): Promise<HekateProcess> {
    const leader = await this.leader();
    return must(
      this.cluster.links.find((link) => link !== leader && link.running),
      'there is a standby',
    );
  }

  /** Hands over until this one leads. */
  async leadBy(link: HekateProcess): Promise<void> {
    for (let leader = await this.leader(); leader !== link; leader = await this.leader()) {
      await leader.stop();
      await this.leader();
      await leader.start();
      await this.settle();
    }
  }

  /** SIGKILL of what does the work; a watcher ends with it. */
  async kill(process: HekateProcess): Promise<void> {
    if (!process.running) return;
    signal(workerOf(process), 'SIGKILL');
    await process.ended();
  }

  /** SIGKILL of a link's watcher alone; resolves when the link has ended as well. */
  async killWatcher(link: HekateProcess): Promise<void> {
    const worker = workerOf(link);
    signal(link.pid, 'SIGKILL');
    await eventually('a link ends with its watcher', ENDED_MS, () => !isAlive(worker) || undefined, 10);
    await link.ended();
  }

  /** SIGKILL of everything that it is made of. */
  async loseHost(process: HekateProcess): Promise<void> {
    if (!process.running) return;
    for (const pid of treeOf(process.pid)) signal(pid, 'SIGKILL');
    await process.crash();
  }

  /** SIGSTOP of what does the work, not of what may watch over it. */
  freeze(process: HekateProcess): void {
    this.stopOne(workerOf(process));
  }

  /** SIGSTOP of what watches over a link, not of the link. */
  freezeWatcher(link: HekateProcess): void {
    this.stopOne(link.pid);
  }

  thaw(): void {
    for (const [pid, forget] of this.frozen) {
      signal(pid, 'SIGCONT');
      forget();
    }
    this.frozen.clear();
  }

  /** As a reboot does; there is an empty one at the next start. */
  loseRunFolder(process: HekateProcess): void {
    const path = must(this.runFolders.get(process.name), 'a process has a run-time folder');
    rmSync(path, { recursive: true, force: true });
    mkdirSync(path, { mode: 0o700 });
  }

  /** Will be done before the next fault at the latest, also when this one goes wrong. */
  later(mend: () => unknown): void {
    this.mending.push(mend);
  }

  /** Everything is mended, all run, and signing goes on. Throws when it does not. */
  async settle(votes = SETTLED_VOTES): Promise<void> {
    for (const mend of this.mending.splice(0)) await mend();
    this.thaw();
    this.validator.thawNodes();
    await this.wires.heal();
    for (let i = 0; i < this.validator.ports.length; i++) await this.validator.startNode(i);
    for (const process of this.cluster.processes) if (!process.running) await process.start();
    await eventually('all processes are well', SETTLED_MS, async () => ((await this.isWell()) ? true : undefined), 100);
    await this.validator.signsOn(votes, SETTLED_MS);
  }

  private stopOne(pid: number): void {
    if (!this.frozen.has(pid)) this.frozen.set(pid, guardAgainstStopped(pid));
    signal(pid, 'SIGSTOP');
  }

  private async isWell(): Promise<boolean> {
    const cosigners = await Promise.all(this.cluster.cosigners.map(statusOf));
    const links = await Promise.all(this.cluster.links.map(statusOf));
    const signs = (status: CosignerStatus): boolean =>
      status.chains.every(({ waiting, halted }) => waiting === null && halted === null);
    const connected = (status: LinkStatus): boolean => status.cosigners.every((peer) => peer.connected);
    return (
      cosigners.every((status) => status?.kind === 'cosigner' && signs(status)) &&
      links.every((status) => status?.kind === 'sentry-link' && connected(status)) &&
      links.some((status) => status?.kind === 'sentry-link' && status.leading)
    );
  }
}

export function nodeName(at: number): string {
  return at === 0 ? 'node' : `node-${at + 1}`;
}

/** What a watcher has started, or the process itself. */
function workerOf(process: HekateProcess): number {
  const [top, below] = treeOf(process.pid);
  return below ?? must(top, 'a process is of its own tree');
}

async function statusOf(process: HekateProcess): Promise<CosignerStatus | LinkStatus | undefined> {
  return readStatus(process.home).catch(() => undefined);
}

async function leads(link: HekateProcess): Promise<boolean> {
  const status = await statusOf(link);
  return status?.kind === 'sentry-link' && status.leading;
}

function newRunFolder(cleanup: Cleanup): string {
  const path = mkdtempSync('/dev/shm/hekate-test-run-');
  guardAgainstLeftFolder(path);
  cleanup.add(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function endsOf(link: string, peer: string): string {
  return `${link} to ${peer}`;
}

/** Puts the wires into the configuration of the links. */
async function connect(
  cluster: HekateCluster,
  { validator, wires, hostOf = () => '127.0.0.1' }: GroundOptions,
): Promise<ReadonlyMap<string, Wire>> {
  const made = new Map<string, Wire>();
  const add = async (link: HekateProcess, peer: string, target: number): Promise<string> => {
    const wire = await wires.add(endsOf(link.name, peer), target);
    if (wire !== undefined) made.set(wire.name, wire);
    return `${hostOf(peer)}:${wire?.port ?? target}`;
  };
  for (const link of cluster.links) {
    const file = join(link.home, 'sentry-link.toml');
    let text = readFileSync(file, 'utf8');
    for (const [i, port] of cluster.ports.entries())
      text = text.replace(`address = "127.0.0.1:${port}"`, `address = "${await add(link, `cosigner-${i + 1}`, port)}"`);
    const nodes: string[] = [];
    for (const [i, port] of validator.ports.entries()) nodes.push(`"tcp://${await add(link, nodeName(i), port)}"`);
    writeFileSync(file, text.replace(/^nodes = .*$/m, `nodes = [${nodes.join(', ')}]`));
  }
  return made;
}
