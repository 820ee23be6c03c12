import type { ErrorCode } from '../../src/shared/error-codes.js';
import { HekateError } from '../../src/shared/errors.js';
import { must } from '../../src/shared/invariant.js';
import type { ByteChannel } from '../../src/shared/ports/byte-channel.js';
import type { Clock } from '../../src/shared/ports/clock.js';
import type { Log } from '../../src/shared/ports/log.js';
import type { RandomBytes } from '../../src/shared/ports/random.js';
import type { NodeStatus } from '../../src/shared/status/process-status.js';
import { Dialler, type ConnectToNode } from './dialler.js';
import { nodeKey, type NodeAddress } from '../../src/shared/config/node-address.js';
import { describeSince, NodeArbiter, type NodeMode, type NodePatience, type ServedNode } from './node-arbiter.js';
import { findNode } from './find-node.js';
import { NodeRecord } from './node-record.js';
import { NodeSession } from './node-session.js';
import type { SignOutcome, VoteToSign } from '../vote-to-sign.js';

/** One chain, and the nodes that ask for it. */
export interface NodeServiceChain {
  readonly chainId: string;
  readonly publicKey: Uint8Array;
  readonly nodes: readonly NodeAddress[];
  readonly mode: NodeMode;
  /** Default: DEFAULT_NODE_PATIENCE. */
  readonly patience?: NodePatience;
}

export interface NodeServiceDeps {
  readonly connect: ConnectToNode;
  readonly sign: (chainId: string, vote: VoteToSign) => Promise<SignOutcome>;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Log;
}

/** Which node of a chain is served from now on, and which one was before. */
export interface NodeUsed {
  readonly chainId: string;
  readonly node: string;
  readonly before: string | null;
}

interface ServedChain extends NodeServiceChain {
  readonly arbiter: NodeArbiter;
  /** The node of which it was said last that it is served. */
  told: ServedNode | undefined;
}

interface DialledNode {
  readonly address: NodeAddress;
  readonly dialler: Dialler;
  /** On its last connection. A node makes another one at every start, and shares it with no other. */
  peerId: string | undefined;
  /** On its open connection. */
  session: NodeSession | undefined;
  /** What became of requests, by chain: a node that comes back with another chain id is the same one to dial. */
  readonly records: ReadonlyMap<string, NodeRecord>;
}

/**
 * The nodes of all chains: each address dialled once while this link leads, whichever chains are asked for there, and of the
 * nodes of one chain one served (see NodeArbiter). After a hard fork or the reset of a test net the same node asks for
 * another chain; the chain id of each request picks the signer.
 */
export class NodeService {
  readonly #deps: NodeServiceDeps;
  readonly #nodes: readonly DialledNode[];
  readonly #chains: readonly ServedChain[];
  /** Pairs of addresses that were found to lead to one node. */
  readonly #sameNode = new Set<string>();
  /** A connection has ended. */
  #onGone: () => void = () => undefined;

  constructor(chains: readonly NodeServiceChain[], deps: NodeServiceDeps) {
    this.#deps = deps;
    this.#chains = chains.map((chain) => {
      const { mode, patience } = chain;
      return { arbiter: new NodeArbiter(mode, patience), told: undefined, ...chain };
    });
    // Of one that is written in two ways, the last that is written.
    const addresses = new Map(chains.flatMap(({ nodes }) => nodes.map((address) => [nodeKey(address), address])));
    this.#nodes = [...addresses].map(([key, address]) =>
      this.#node(
        address,
        this.#chains.filter(({ nodes }) => nodes.some((node) => nodeKey(node) === key)),
      ),
    );
  }

  /** We lead: dial every node, and keep dialling. */
  open(): void {
    for (const { dialler } of this.#nodes) dialler.open();
  }

  /** We do not lead any more: every connection is gone when this returns (invariant: one dialler per node). */
  close(): void {
    for (const { dialler } of this.#nodes) dialler.close();
    for (const chain of this.#chains) {
      chain.arbiter.reset();
      chain.told = undefined;
    }
  }

  /**
   * We are to lead no more: what is being signed is answered, nothing new is taken, and every connection ends when it has nothing
   * left to answer, after `maxMs` in any case. Resolves when all are gone.
   */
  async retire(maxMs: number): Promise<void> {
    for (const { dialler, session } of this.#nodes) {
      dialler.retire();
      session?.retire();
    }
    await new Promise<void>((resolve) => {
      const timer = this.#deps.clock.schedule(maxMs, resolve);
      this.#onGone = () => {
        if (this.#nodes.some(({ session }) => session !== undefined)) return;
        timer.cancel();
        resolve();
      };
      this.#onGone();
    });
    this.#onGone = () => undefined;
    this.close();
  }

  /** Whether a node of the chain is connected, or has accepted a dial and may turn to it. */
  reaches(chainId: string): boolean {
    return this.#nodes.some(({ dialler, records }) => records.has(chainId) && dialler.accepted);
  }

  /**
   * Serves that node of each chain that has it, or of one, from the next height on: the one at which the node before has signed
   * something is finished by it. Throws NODE_UNKNOWN, NODE_NOT_CONNECTED or NODE_ALL_SERVED, and changes nothing then.
   */
  use(asked: string, chainId?: string): readonly NodeUsed[] {
    const chains = this.#chains.filter((chain) => chainId === undefined || chain.chainId === chainId);
    if (chains.length === 0) throw new HekateError('NODE_UNKNOWN', unknownChain(this.#chains));
    const key = findNode(
      asked,
      chains.flatMap(({ nodes }) => nodes),
    );
    const { address, dialler } = must(
      this.#nodes.find((node) => nodeKey(node.address) === key),
      'the nodes of all chains are dialled',
    );
    const having = chains.filter(({ nodes }) => nodes.some((node) => nodeKey(node) === key));
    const active = having.filter(({ mode }) => mode === 'active');
    if (active.length === 0)
      throw new HekateError(
        'NODE_ALL_SERVED',
        `${having.map((chain) => chain.chainId).join(', ')} serves all of its nodes`,
      );
    if (dialler.state !== 'connected')
      throw new HekateError(
        'NODE_NOT_CONNECTED',
        `${address.text} is not connected (${dialler.lastFailure ?? 'being dialled'})`,
      );
    return active.map((chain): NodeUsed => {
      const before = chain.arbiter.served?.node ?? null;
      chain.arbiter.choose(address.text, this.#deps.clock.nowMs());
      if (chain.arbiter.served !== chain.told) this.#tell(chain);
      return { chainId: chain.chainId, node: address.text, before };
    });
  }

  /** Of each chain at each address. */
  status(): readonly NodeStatus[] {
    return this.#nodes.flatMap(({ address, dialler, records }) =>
      [...records].map(([chainId, record]) => ({
        chainId,
        address: address.text,
        connected: dialler.state === 'connected',
        problem: dialler.lastFailure ?? null,
        ...this.#turnOf(chainId, address),
        signed: record.counters().signed,
        refused: record.counters().refused,
      })),
    );
  }

  #turnOf(chainId: string, { text }: NodeAddress): Pick<NodeStatus, 'served' | 'because'> {
    const { arbiter, mode } = must(
      this.#chains.find((chain) => chain.chainId === chainId),
      'nodes are of configured chains',
    );
    if (mode === 'any') return { served: true, because: null };
    const served = arbiter.served?.node === text ? arbiter.served : undefined;
    return { served: served !== undefined, because: served === undefined ? null : describeSince(served.since) };
  }

  /** Signs what that node asks for if it is served. */
  async #sign(chain: ServedChain, node: string, vote: VoteToSign): Promise<SignOutcome> {
    const { arbiter, chainId } = chain;
    const { height, round } = vote.signBytes.says;
    const request = arbiter.ask(node, { height, round }, this.#deps.clock.nowMs());
    if (request === undefined) return this.#notServed(arbiter, node, height);
    if (arbiter.served !== chain.told) this.#tell(chain);
    let code: ErrorCode | undefined = 'INTERNAL';
    try {
      const outcome = await this.#deps.sign(chainId, vote);
      code = outcome.kind === 'refused' ? outcome.code : undefined;
      return outcome;
    } finally {
      arbiter.answered(request, code);
    }
  }

  /** The same words for all requests of one turn, for they are logged once. */
  #notServed(arbiter: NodeArbiter, asking: string, height: bigint): SignOutcome {
    const { node, since } = must(arbiter.served, 'a node is refused while another one is served');
    const first = arbiter.finishing(asking, height, this.#deps.clock.nowMs());
    const message =
      first === undefined
        ? `${node} is served: ${describeSince(since)}`
        : `${first} finishes this height, ${node} is served from the next one on: ${describeSince(since)}`;
    return { kind: 'refused', code: 'NODE_NOT_SERVED', message };
  }

  /** Where there are several, which one is served is news. */
  #tell(chain: ServedChain): void {
    const { chainId, nodes, arbiter } = chain;
    chain.told = arbiter.served;
    if (chain.told === undefined || nodes.length === 1) return;
    const { node, since } = chain.told;
    this.#deps.log.info('node served', { chain: chainId, node, because: describeSince(since) });
  }

  /** Two addresses that no spelling gives away can still lead to one node. */
  #noteIdentity(node: DialledNode, peerId: string | undefined): void {
    node.peerId = peerId;
    const same = this.#nodes.find((other) => other !== node && other.peerId === peerId);
    if (peerId === undefined || same === undefined) return;
    const [one, other] = [same.address.text, node.address.text].sort() as [string, string];
    if (this.#sameNode.has(`${one} ${other}`)) return;
    this.#sameNode.add(`${one} ${other}`);
    const { code, message, fix } = new HekateError(
      'DIAL_SAME_NODE',
      `${one} and ${other} show the same identity (${peerId})`,
    );
    this.#deps.log.warn('two addresses lead to one node', { node: one, other, code, cause: message, fix });
  }

  #node(address: NodeAddress, chains: readonly ServedChain[]): DialledNode {
    const { connect, clock, random, log } = this.#deps;
    const recordOf = (chain: string): NodeRecord => new NodeRecord(log, clock, { chain, node: address.text });
    const chain = chains.map(({ chainId }) => chainId).join(', ');
    // What is of no chain, a message that is not known say, is told with all of them.
    const record = recordOf(chain);
    const records = new Map(
      chains.map(({ chainId }) => [chainId, chains.length === 1 ? record : recordOf(chainId)] as const),
    );
    const signers = new Map(
      chains.map((own) => [
        own.chainId,
        {
          publicKey: own.publicKey,
          record: must(records.get(own.chainId), 'every chain has a record'),
          sign: (vote: VoteToSign): Promise<SignOutcome> => {
            // A node is of one chain at a time.
            for (const other of chains) if (other !== own) other.arbiter.gone(address.text, clock.nowMs());
            return this.#sign(own, address.text, vote);
          },
        },
      ]),
    );
    const closed = (): void => {
      node.session = undefined;
      for (const { arbiter } of chains) arbiter.gone(address.text, clock.nowMs());
      this.#onGone();
    };
    const serve = (channel: ByteChannel, peerId: string | undefined): void => {
      this.#noteIdentity(node, peerId);
      for (const { arbiter } of chains) arbiter.connected(address.text);
      node.session = new NodeSession(channel, { chains: signers, record, clock, closed });
      node.session.start();
    };
    const dialler = new Dialler({ chain, address, connect, serve, clock, random, log });
    const node: DialledNode = { address, dialler, peerId: undefined, session: undefined, records };
    return node;
  }
}

function unknownChain(chains: readonly ServedChain[]): string {
  return `this sentry-link has no chain of that id, only ${chains.map(({ chainId }) => chainId).join(', ')}`;
}
