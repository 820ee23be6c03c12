import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../src/shared/errors.js';
import { initCluster } from '../../src/setup/init/init.js';
import { nodeDisk } from '../../src/shared/ports/node-disk.js';
import { systemRandom } from '../../src/shared/ports/random.js';
import { HekateCluster } from '../support/hekate-cluster.js';
import { writeValidatorKey } from '../support/validator-key.js';
import { DelayProxies } from './delay-proxies.js';
import { NodeSide } from './node-side.js';
import { Voter } from './voter.js';

export interface BenchClusterOptions {
  /** Everything is below it. */
  readonly folder: string;
  readonly name: string;
  readonly threshold: number;
  readonly cosigners: number;
  readonly links?: number;
  readonly chains?: number;
  /** Between link and each cosigner, each way. */
  readonly delayMs?: number;
  /** Nodes that all ask for the (one) chain, each of them served. */
  readonly nodes?: number;
}

/** Where `--profile` wants a CPU profile of each process. */
export const PROFILE_VARIABLE = 'HEKATE_BENCH_PROFILE';

/** A cluster of real processes, and the node sides that it signs for. */
export class BenchCluster {
  private constructor(
    readonly cluster: HekateCluster,
    /** One for each chain; where several nodes ask for one chain, of the first of them. */
    readonly voters: readonly Voter[],
    readonly nodes: readonly NodeSide[],
    readonly publicKey: Uint8Array,
    private readonly proxies: DelayProxies | undefined,
  ) {}

  static async create(options: BenchClusterOptions): Promise<BenchCluster> {
    const { name, threshold, cosigners, links = 2, chains = 1, nodes = 1, delayMs } = options;
    const folder = join(options.folder, name);
    mkdirSync(folder, { recursive: true });
    const { keyFile, publicKey } = writeValidatorKey(folder);
    const sides = await Promise.all(Array.from({ length: nodes }, () => NodeSide.listen()));
    const [first] = sides;
    if (first === undefined) throw new Error('a cluster signs for at least one node');
    const chainId = `${name}-1`;
    const base = { folder, chainId, nodeAddress: first.address, keyFile, cosigners, threshold, links };
    const cluster = await HekateCluster.create({ ...base, unwatched: true, nodeArgs: profileOf(name) });
    const voters = [new Voter(chainId, publicKey, first)];
    for (let i = 2; i <= chains; i++) voters.push(await addChain(cluster.folder, `${name}-${i}`));
    if (nodes > 1) serveAll(cluster, sides);
    const proxies = delayMs === undefined ? undefined : await DelayProxies.start(cluster.ports, delayMs);
    if (proxies !== undefined) redirect(cluster, proxies.ports);
    return new BenchCluster(
      cluster,
      voters,
      [...new Set([...sides, ...voters.map(({ node }) => node)])],
      publicKey,
      proxies,
    );
  }

  get voter(): Voter {
    const [first] = this.voters;
    if (first === undefined) throw new Error('no chain');
    return first;
  }

  /** Of everything that takes part in a signature, but not of this process. */
  get pids(): readonly number[] {
    return this.cluster.processes.filter(({ running }) => running).map(({ pid }) => pid);
  }

  get allPids(): readonly number[] {
    return this.proxies === undefined ? this.pids : [...this.pids, this.proxies.pid];
  }

  /** Resolves once every node has its signer. */
  async start(): Promise<void> {
    await this.cluster.start();
    await Promise.all(this.nodes.map((node) => node.connected()));
  }

  /** The last lines of each process that are about no single vote. */
  lastWords(): string {
    const about = (name: string, logFile: string): string[] =>
      readFileSync(logFile, 'utf8')
        .split('\n')
        .filter((line) => line !== '' && !line.includes('"signed '))
        .slice(-6)
        .map((line) => `${name}: ${line}`);
    return this.cluster.processes.flatMap(({ name, logFile }) => about(name, logFile)).join('\n');
  }

  async stop(): Promise<void> {
    await this.cluster.stop();
    await this.proxies?.stop();
    await Promise.all(this.nodes.map((node) => node.close()));
  }
}

/** Runs `use` on a started cluster and ends it, whatever happens. */
export async function withCluster<T>(
  options: BenchClusterOptions,
  use: (bench: BenchCluster) => Promise<T>,
): Promise<T> {
  const bench = await BenchCluster.create(options);
  try {
    await bench.start();
    return await use(bench);
  } catch (error) {
    throw new Error(`${messageOf(error)}; what the processes said last:\n${bench.lastWords()}`, { cause: error });
  } finally {
    await bench.stop();
  }
}

/** As `hekate init` run again in the same folder, but without a new process for each. */
async function addChain(dir: string, chainId: string): Promise<Voter> {
  const node = await NodeSide.listen();
  const taken = { key: undefined, start: undefined, threshold: undefined, cosigners: undefined, links: undefined };
  const request = { dir, chainId, nodes: [node.address], ...taken };
  const { info } = await initCluster(request, { disk: nodeDisk, random: systemRandom });
  return new Voter(chainId, info.groupPublicKey, node);
}

/** Lets several nodes ask for the one chain. */
function serveAll(cluster: HekateCluster, sides: readonly NodeSide[]): void {
  const addresses = sides.map(({ address }) => JSON.stringify(address)).join(', ');
  editLinks(cluster, (text) =>
    text.replace(/^nodes = .*$/m, `nodes = [${addresses}]`).replace(/^node_mode = "active"/m, 'node_mode = "any"'),
  );
}

/** Makes the links go through the proxies. */
function redirect(cluster: HekateCluster, ports: readonly number[]): void {
  editLinks(cluster, (text) =>
    cluster.ports.reduce(
      (all, port, i) => all.replace(`address = "127.0.0.1:${port}"`, `address = "127.0.0.1:${ports[i] ?? 0}"`),
      text,
    ),
  );
}

function editLinks(cluster: HekateCluster, edit: (text: string) => string): void {
  for (const { home } of cluster.links) {
    const path = join(home, 'sentry-link.toml');
    const text = readFileSync(path, 'utf8');
    const edited = edit(text);
    if (edited === text) throw new Error(`${path} is not as expected`);
    writeFileSync(path, edited);
  }
}

function profileOf(cluster: string): (process: string) => readonly string[] {
  const folder = process.env[PROFILE_VARIABLE];
  if (folder === undefined) return () => [];
  return (name) => ['--cpu-prof', '--cpu-prof-dir', folder, '--cpu-prof-name', `${cluster}-${name}.cpuprofile`];
}
