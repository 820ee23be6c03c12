import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  cometBinary,
  copyKey,
  genesisTimeOf,
  initHome,
  moveKeyAway,
  nodeIdOf,
  setPersistentPeers,
  validatorOf,
  writeGenesis,
  type CometVersion,
  type GenesisValidator,
  type ValidatorKeyFiles,
} from './comet-home.js';
import { CometRpc } from './comet-rpc.js';
import { eventually } from './eventually.js';
import { freePorts } from './ports.js';
import { TestProcess, tailOf, type Exit } from './processes.js';

/** How a node gets its signatures: from its own file, or from a signer that dials it. */
export type Privval = 'file' | 'tcp' | 'unix';

export interface CometNetworkOptions {
  readonly version: CometVersion;
  /** Everything of the network is below it. */
  readonly folder: string;
  readonly chainId: string;
  /** Of the first node; all others sign by themselves. */
  readonly privval: Privval;
  readonly voteExtensions: boolean;
  readonly validators?: number;
  /** More nodes for the first validator, signed for as the first is: with `file`, by a copy of its key. They come after all others. */
  readonly twins?: number;
  /** Default "0ms": as fast as it goes. Several validators need some time, or late precommits are left out of commits. */
  readonly timeoutCommit?: string;
  /** See CometHomeOptions.paced. */
  readonly paced?: boolean;
}

/** Homes of a whole network, ready to start; the first node is the remote-signed one. */
export async function createNetwork(options: CometNetworkOptions): Promise<CometNode[]> {
  const { validators: count = 1, twins = 0 } = options;
  const ports = await freePorts((count + twins) * 3);
  const nodes: CometNode[] = [];
  for (let i = 0; i < count + twins; i++) {
    const [rpcPort = 0, p2pPort = 0, privvalPort = 0] = ports.slice(i * 3);
    const home = join(options.folder, `node${i}`);
    const privval = i === 0 || i >= count ? options.privval : 'file';
    const addresses = { file: undefined, tcp: `tcp://127.0.0.1:${privvalPort}`, unix: `unix://${home}/privval.sock` };
    const timeoutCommit = options.timeoutCommit ?? '0ms';
    const privvalAddress = addresses[privval];
    const { version, paced = false } = options;
    await initHome({ version, home, rpcPort, p2pPort, privvalAddress, timeoutCommit, paced });
    const [first] = nodes;
    if (privval === 'file' && i >= count && first !== undefined) copyKey(first.home, home);
    const key = privval === 'file' ? undefined : moveKeyAway(home, join(options.folder, `node${i}-key`));
    const validator = (i < count ? undefined : nodes[0]?.validator) ?? validatorOf(home);
    nodes.push(new CometNode({ version: options.version, home, rpcPort, p2pPort, privvalAddress, key, validator }));
  }
  const validators = nodes.slice(0, count).map((node) => node.validator);
  const genesisTime = genesisTimeOf(join(options.folder, 'node0'));
  for (const node of nodes) {
    const others = nodes.filter((other) => other !== node);
    writeGenesis(node.home, { ...options, validators, genesisTime });
    setPersistentPeers(
      node.home,
      others.map((other) => other.peerAddress),
    );
  }
  return nodes;
}

/** A network of one validator. */
export async function createSingleNode(options: Omit<CometNetworkOptions, 'validators'>): Promise<CometNode> {
  const [node] = await createNetwork(options);
  if (node === undefined) throw new Error('a network of no nodes');
  return node;
}

interface CometNodeParts {
  readonly version: CometVersion;
  readonly home: string;
  readonly rpcPort: number;
  readonly p2pPort: number;
  readonly privvalAddress: string | undefined;
  readonly key: ValidatorKeyFiles | undefined;
  readonly validator: GenesisValidator;
}

/** A real CometBFT node as a child process, restarted like a service when it ends because no signer came within 3 s. */
export class CometNode {
  readonly home: string;
  readonly rpc: CometRpc;
  readonly logFile: string;
  readonly privvalAddress: string | undefined;
  readonly key: ValidatorKeyFiles | undefined;
  readonly validator: GenesisValidator;
  readonly peerAddress: string;
  /** Starts that ended for want of a signer. */
  startsWithoutSigner = 0;
  private process: TestProcess | undefined;
  private wanted = false;

  constructor(private readonly parts: CometNodeParts) {
    this.home = parts.home;
    this.rpc = new CometRpc(parts.rpcPort);
    this.logFile = join(parts.home, 'node.log');
    this.privvalAddress = parts.privvalAddress;
    this.key = parts.key;
    this.validator = parts.validator;
    this.peerAddress = `${nodeIdOf(parts.home)}@127.0.0.1:${parts.p2pPort}`;
  }

  /** The validator's 32-byte Ed25519 key. */
  get publicKey(): Uint8Array {
    return new Uint8Array(Buffer.from(this.validator.pub_key.value, 'base64'));
  }

  get running(): boolean {
    return this.process?.running ?? false;
  }

  get pid(): number {
    if (this.process === undefined) throw new Error(`${this.home} was never started`);
    return this.process.pid;
  }

  /** Starts it and returns at once; `waitForHeight` tells when it works. */
  start(): void {
    if (this.running) throw new Error(`${this.home} runs already`);
    this.wanted = true;
    this.launch();
  }

  /** SIGTERM; a node that waits for its signer may not hear that for minutes, so SIGKILL follows after `graceMs`. */
  async stop(graceMs = 5000): Promise<Exit | undefined> {
    this.wanted = false;
    return this.process?.stop(graceMs);
  }

  async crash(): Promise<void> {
    this.wanted = false;
    await this.process?.crash();
  }

  /** Resolves with the height once it is at least `height`. */
  waitForHeight(height: number, timeoutMs: number): Promise<number> {
    return eventually(`height ${height} of ${this.parts.version}`, timeoutMs, async () => {
      if (!this.running && !this.wanted) throw new Error(`the node ended:\n${this.logTail()}`);
      const now = await this.rpc.height();
      if (now >= height) return now;
      throw new Error(`it is at ${now}:\n${this.logTail()}`);
    });
  }

  /** Lines of its log that contain `text`. */
  logLines(text: string): string[] {
    return readFileSync(this.logFile, 'utf8')
      .split('\n')
      .filter((line) => line.includes(text));
  }

  logTail(): string {
    return tailOf(this.logFile, 12);
  }

  private launch(): void {
    // The node does not remove the socket of an unclean exit, and then cannot listen.
    if (this.privvalAddress?.startsWith('unix://'))
      rmSync(this.privvalAddress.slice('unix://'.length), { force: true });
    const started = new TestProcess({
      name: `cometbft ${this.parts.version}`,
      command: cometBinary(this.parts.version),
      args: ['start', '--home', this.home],
      logFile: this.logFile,
    });
    let withoutSigner = false;
    started.onLine((line) => {
      if (line.includes("can't get pubkey")) withoutSigner = true;
    });
    this.process = started;
    void started.exited.then(() => {
      if (!this.wanted || this.process !== started) return;
      this.wanted = withoutSigner;
      if (!withoutSigner) return;
      this.startsWithoutSigner++;
      this.launch();
    });
  }
}
