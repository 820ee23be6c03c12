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

export interface NodeServiceOptions {
  readonly chainId: string;
  readonly publicKey: Uint8Array;
  readonly nodes: readonly NodeAddress[];
  readonly mode: NodeMode;
}

export interface NodeServiceDeps {
  readonly connect: ConnectToNode;
  readonly sign: (vote: VoteToSign) => Promise<SignOutcome>;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Log;
}

interface ServedNode {
  readonly address: NodeAddress;
  readonly dialler: Dialler;
  readonly record: NodeRecord;
}

/** All nodes of one chain: dialled while this link leads, and one of them served (see NodeArbiter). */
export class NodeService {
  readonly #options: NodeServiceOptions;
  readonly #deps: NodeServiceDeps;
  readonly #arbiter: NodeArbiter;
  readonly #nodes: readonly ServedNode[];

  constructor(options: NodeServiceOptions, deps: NodeServiceDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#arbiter = new NodeArbiter(options.mode);
    this.#nodes = options.nodes.map((address) => this.#node(address));
  }

  /** We lead: dial every node, and keep dialling. */
  open(): void {
    for (const { dialler } of this.#nodes) dialler.open();
  }

  /** We do not lead any more: every connection is gone when this returns (invariant: one dialler per node). */
  close(): void {
    for (const { dialler } of this.#nodes) dialler.close();
  }

  status(): readonly NodeStatus[] {
    return this.#nodes.map(({ address, dialler, record }) => ({
      chainId: this.#options.chainId,
      address: address.text,
      connected: dialler.state === 'connected',
      problem: dialler.lastFailure ?? null,
      signed: record.counters().signed,
      refused: record.counters().refused,
    }));
  }

  #node(address: NodeAddress): ServedNode {
    const { connect, clock, random, log } = this.#deps;
    const record = new NodeRecord(log, clock, { chain: this.#options.chainId, node: address.text });
    const serve = (channel: ByteChannel): void => this.#serve(channel, address, record);
    const dialler = new Dialler({ chain: this.#options.chainId, address, connect, serve, clock, random, log });
    return { address, dialler, record };
  }

  #serve(channel: ByteChannel, address: NodeAddress, record: NodeRecord): void {
    const { chainId, publicKey } = this.#options;
    new NodeSession(channel, {
      chainId,
      publicKey,
      record,
      clock: this.#deps.clock,
      sign: async (vote) => (this.#arbiter.mayAsk(address.text) ? this.#deps.sign(vote) : NOT_SERVED),
      closed: () => this.#arbiter.gone(address.text),
    }).start();
  }
}

const NOT_SERVED: SignOutcome = {
  kind: 'refused',
  code: 'NODE_NOT_SERVED',
  message: 'another node of this chain is being served',
};
