import { must } from '../../src/shared/invariant.js';
import type { ByteChannel } from '../../src/shared/ports/byte-channel.js';
import type { Clock } from '../../src/shared/ports/clock.js';
import type { Log } from '../../src/shared/ports/log.js';
import type { RandomBytes } from '../../src/shared/ports/random.js';
import type { NodeStatus } from '../../src/shared/status/process-status.js';
import { Dialler, type ConnectToNode } from './dialler.js';
import type { NodeAddress } from '../../src/shared/config/node-address.js';
import { NodeArbiter, type NodeMode } from './node-arbiter.js';
import { NodeRecord } from './node-record.js';
import { NodeSession } from './node-session.js';
import type { SignOutcome, VoteToSign } from '../vote-to-sign.js';

/** One chain, and the nodes that ask for it. */
export interface NodeServiceChain {
  readonly chainId: string;
  readonly publicKey: Uint8Array;
  readonly nodes: readonly NodeAddress[];
  readonly mode: NodeMode;
}

export interface NodeServiceDeps {
  readonly connect: ConnectToNode;
  readonly sign: (chainId: string, vote: VoteToSign) => Promise<SignOutcome>;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Log;
}

interface ServedChain extends NodeServiceChain {
  readonly arbiter: NodeArbiter;
}

interface ServedNode {
  readonly address: NodeAddress;
  readonly dialler: Dialler;
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
  readonly #nodes: readonly ServedNode[];
  /** A connection has ended. */
  #onGone: () => void = () => undefined;

  constructor(chains: readonly NodeServiceChain[], deps: NodeServiceDeps) {
    this.#deps = deps;
    const served = chains.map((chain) => ({ ...chain, arbiter: new NodeArbiter(chain.mode) }));
    const addresses = new Map(chains.flatMap(({ nodes }) => nodes.map((address) => [address.text, address])));
    this.#nodes = [...addresses.values()].map((address) =>
      this.#node(
        address,
        served.filter(({ nodes }) => nodes.some(({ text }) => text === address.text)),
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

  /** Of each chain at each address. */
  status(): readonly NodeStatus[] {
    return this.#nodes.flatMap(({ address, dialler, records }) =>
      [...records].map(([chainId, record]) => ({
        chainId,
        address: address.text,
        connected: dialler.state === 'connected',
        problem: dialler.lastFailure ?? null,
        signed: record.counters().signed,
        refused: record.counters().refused,
      })),
    );
  }

  #node(address: NodeAddress, chains: readonly ServedChain[]): ServedNode {
    const { connect, clock, random, log } = this.#deps;
    const recordOf = (chain: string): NodeRecord => new NodeRecord(log, clock, { chain, node: address.text });
    const chain = chains.map(({ chainId }) => chainId).join(', ');
    // What is of no chain, a message that is not known say, is told with all of them.
    const record = recordOf(chain);
    const records = new Map(
      chains.map(({ chainId }) => [chainId, chains.length === 1 ? record : recordOf(chainId)] as const),
    );
    const signers = new Map(
      chains.map(({ chainId, publicKey, arbiter }) => [
        chainId,
        {
          publicKey,
          record: must(records.get(chainId), 'every chain has a record'),
          sign: async (vote: VoteToSign): Promise<SignOutcome> =>
            arbiter.mayAsk(address.text) ? this.#deps.sign(chainId, vote) : NOT_SERVED,
        },
      ]),
    );
    const closed = (): void => {
      node.session = undefined;
      for (const { arbiter } of chains) arbiter.gone(address.text);
      this.#onGone();
    };
    const serve = (channel: ByteChannel): void => {
      node.session = new NodeSession(channel, { chains: signers, record, clock, closed });
      node.session.start();
    };
    const dialler = new Dialler({ chain, address, connect, serve, clock, random, log });
    const node: ServedNode = { address, dialler, session: undefined, records };
    return node;
  }
}

const NOT_SERVED: SignOutcome = {
  kind: 'refused',
  code: 'NODE_NOT_SERVED',
  message: 'another node of this chain is being served',
};
