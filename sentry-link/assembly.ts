import type { NodeAddress } from '../src/shared/config/node-address.js';
import type { Group } from '../src/shared/frost/group.js';
import { InFlight } from '../src/shared/in-flight.js';
import type { Clock } from '../src/shared/ports/clock.js';
import type { Log } from '../src/shared/ports/log.js';
import type { RandomBytes } from '../src/shared/ports/random.js';
import type { CosignerConnection, CosignerHandlers } from './cosigners/cosigner-client.js';
import type { ConnectToNode } from './node/dialler.js';
import type { NodeMode } from './node/node-arbiter.js';
import { NodeService, type NodeServiceDeps, type NodeServiceOptions } from './node/node-service.js';
import { SentryLink, type LinkChain } from './sentry-link.js';

export interface ServedChain extends LinkChain {
  readonly nodes: readonly NodeAddress[];
  readonly mode: NodeMode;
}

export interface LinkOptions {
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
  readonly connectNode: ConnectToNode;
  /** The connection to one cosigner, not started yet. */
  readonly connectCosigner: (id: number, handlers: CosignerHandlers) => CosignerConnection;
}

/** What serves the nodes of one chain; production has a NodeService. */
export type NodeServing = Pick<NodeService, 'open' | 'close' | 'status'>;

/** What the simulator exchanges, to show that it would see what goes missing. */
export interface LinkParts {
  readonly nodeService: (options: NodeServiceOptions, deps: NodeServiceDeps) => NodeServing;
}

export const LINK_PARTS: LinkParts = { nodeService: (options, deps) => new NodeService(options, deps) };

export interface AssembledLink {
  readonly link: SentryLink;
  /** In the order of the chains. */
  readonly services: readonly NodeServing[];
  /** Requests that nodes wait for. */
  readonly inFlight: InFlight;
  start(): void;
  /** Gives the lease back, then closes every connection to nodes, then those to cosigners. */
  stop(): Promise<void>;
}

/**
 * The one place where a sentry-link is put together: cosigners, leadership, coordinators, and the nodes that are dialled while
 * this link leads and let go before anything else when it does not any more (invariant: one dialler per node).
 */
export function assembleLink(options: LinkOptions, ports: LinkPorts, parts: LinkParts = LINK_PARTS): AssembledLink {
  const { chains, cosigners, leaseMs, signDeadlineMs } = options;
  const { group, clock, random, log, connectNode, connectCosigner } = ports;
  const link = new SentryLink(
    { chains, cosigners, leaseMs, deadlineMs: signDeadlineMs },
    {
      group,
      clock,
      random,
      log,
      onLeading: (term) => {
        log.info('lease acquired', { term });
        for (const service of services) service.open();
      },
      onLost: (reason) => {
        for (const service of services) service.close();
        log.info('lease lost', { reason });
      },
    },
  );
  const inFlight = new InFlight();
  const services = chains.map(({ chainId, key, nodes, mode }) =>
    parts.nodeService(
      { chainId, publicKey: key.publicKey, nodes, mode },
      {
        connect: connectNode,
        sign: (vote) => inFlight.during(() => link.sign(chainId, vote)),
        clock,
        random,
        log,
      },
    ),
  );
  const connections = cosigners.map((id) => connectCosigner(id, link.handlersFor(id)));
  return {
    link,
    services,
    inFlight,
    start: () => {
      link.start();
      for (const connection of connections) connection.start();
    },
    stop: async () => {
      link.stop();
      for (const service of services) service.close();
      await Promise.all(connections.map((connection) => connection.close()));
    },
  };
}
