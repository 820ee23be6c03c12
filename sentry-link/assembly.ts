import type { NodeAddress } from '../src/shared/config/node-address.js';
import type { Group } from '../src/shared/frost/group.js';
import type { Clock } from '../src/shared/ports/clock.js';
import type { Log } from '../src/shared/ports/log.js';
import type { RandomBytes } from '../src/shared/ports/random.js';
import type { CosignerConnection, CosignerHandlers } from './cosigners/cosigner-client.js';
import type { ConnectToNode } from './node/dialler.js';
import type { NodeMode, NodePatience } from './node/node-arbiter.js';
import { NodeService, type NodeServiceChain, type NodeServiceDeps } from './node/node-service.js';
import { SentryLink, type LinkChain } from './sentry-link.js';
import type { ProofKeeper } from './signing/newest-signature.js';

export interface ServedChain extends LinkChain {
  readonly nodes: readonly NodeAddress[];
  readonly mode: NodeMode;
  /** When a node's turn ends by itself; default: as the configuration has it. */
  readonly patience?: NodePatience;
}

export interface LinkOptions {
  /** As the cosigners have pinned it. */
  readonly name: string;
  readonly chains: readonly ServedChain[];
  /** Ids of all cosigners. */
  readonly cosigners: readonly number[];
  readonly leaseMs: number;
  /** From the arrival of a request to its answer. */
  readonly signDeadlineMs: number;
}

/** What a sentry-link has of the world. */
export interface LinkPorts {
  readonly group: Group;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Log;
  readonly proofs: ProofKeeper;
  readonly connectNode: ConnectToNode;
  /** The connection to one cosigner, not started yet. */
  readonly connectCosigner: (id: number, handlers: CosignerHandlers) => CosignerConnection;
}

/** What serves the nodes; production has a NodeService. */
export type NodeServing = Pick<NodeService, 'open' | 'close' | 'retire' | 'status' | 'reaches' | 'use'>;

/** What the simulator exchanges, to show that it would see what goes missing. */
export interface LinkParts {
  readonly nodeService: (chains: readonly NodeServiceChain[], deps: NodeServiceDeps) => NodeServing;
}

export const LINK_PARTS: LinkParts = { nodeService: (chains, deps) => new NodeService(chains, deps) };

export interface AssembledLink {
  readonly link: SentryLink;
  readonly nodes: NodeServing;
  start(): void;
  /** Answers what is being signed, for `maxMs` at most, and lets go of the nodes; then gives the lease to `to`. */
  handOver(to: string, maxMs: number): Promise<void>;
  /** The same before an end; the lease stays until stop(). */
  retire(maxMs: number): Promise<void>;
  /** Closes every connection to nodes, gives the lease back, to a link that is ready if there is one, and closes those to cosigners. */
  stop(): Promise<void>;
}

/**
 * The one place where a sentry-link is put together: cosigners, leadership, coordinators, and the nodes that are dialled while
 * this link leads and let go before anything else when it does not any more (invariant: one dialler per node).
 */
export function assembleLink(options: LinkOptions, ports: LinkPorts, parts: LinkParts = LINK_PARTS): AssembledLink {
  const { name, chains, cosigners, leaseMs, signDeadlineMs } = options;
  const { group, clock, random, log, proofs, connectNode, connectCosigner } = ports;
  const link = new SentryLink(
    { name, chains, cosigners, leaseMs, deadlineMs: signDeadlineMs },
    {
      group,
      clock,
      random,
      log,
      proofs,
      reachesNode: (chainId) => nodes.reaches(chainId),
      onLeading: (term) => {
        log.info('lease acquired', { term });
        nodes.open();
      },
      onLost: (reason) => {
        nodes.close();
        log.info('lease lost', { reason });
      },
    },
  );
  const nodes = parts.nodeService(
    chains.map(({ chainId, key, nodes: addresses, mode, patience }) => ({
      ...{ chainId, publicKey: key.publicKey, nodes: addresses, mode, ...(patience && { patience }) },
    })),
    {
      connect: connectNode,
      sign: (chainId, vote) => link.sign(chainId, vote),
      clock,
      random,
      log,
    },
  );
  const connections = cosigners.map((id) => connectCosigner(id, link.handlersFor(id)));
  return {
    link,
    nodes,
    start: () => {
      link.start();
      for (const connection of connections) connection.start();
    },
    retire: (maxMs) => nodes.retire(maxMs),
    handOver: async (to, maxMs) => {
      await nodes.retire(maxMs);
      link.candidate.handOver(to);
    },
    stop: async () => {
      nodes.close();
      link.stop();
      await Promise.all(connections.map((connection) => connection.close()));
    },
  };
}
