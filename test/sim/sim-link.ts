import {
  assembleLink,
  LINK_PARTS,
  type AssembledLink,
  type LinkPorts,
  type NodeServing,
} from '../../sentry-link/assembly.js';
import type { ConnectToNode } from '../../sentry-link/node/dialler.js';
import type { GroupKey } from '../../sentry-link/signing/attempt.js';
import { parseNodeAddress } from '../../src/shared/config/node-address.js';
import type { Group } from '../../src/shared/frost/group.js';
import type { Clock } from '../../src/shared/ports/clock.js';
import { silentLog, type Log } from '../../src/shared/ports/log.js';
import type { Break } from './faults.js';
import type { Prng } from './prng.js';

export interface SimLinkOptions {
  readonly name: string;
  readonly chainId: string;
  readonly threshold: number;
  readonly cosigners: readonly number[];
  readonly key: GroupKey;
  readonly nodes: readonly string[];
  readonly broken: Break | undefined;
}

export interface SimLinkDeps {
  readonly group: Group;
  readonly clock: Clock;
  readonly random: Prng;
  readonly trace: (event: string) => void;
  /** Dials a node by name on behalf of this link. */
  readonly connect: (link: SimLink, node: string, abort: AbortSignal) => ReturnType<ConnectToNode>;
  readonly connectCosigner: (
    link: SimLink,
    ...which: Parameters<LinkPorts['connectCosigner']>
  ) => ReturnType<LinkPorts['connectCosigner']>;
}

/** A sentry-link's host: nothing on it lasts. */
export class SimLink {
  readonly name: string;
  readonly #options: SimLinkOptions;
  readonly #deps: SimLinkDeps;
  #process: AssembledLink | undefined;
  #nodes: NodeServing | undefined;

  constructor(options: SimLinkOptions, deps: SimLinkDeps) {
    this.name = options.name;
    this.#options = options;
    this.#deps = deps;
  }

  start(): void {
    if (this.#process !== undefined) return;
    const { name, chainId, threshold, cosigners, key, broken } = this.#options;
    const { group, clock, random, trace, connect, connectCosigner } = this.#deps;
    const nodes = this.#options.nodes.map((node) => parseNodeAddress(`${node}:1`));
    const note = (event: string, fields: object = {}): void => {
      if (event.startsWith('lease ')) trace(`${name}: ${event} ${JSON.stringify(fields)}`);
    };
    const log: Log = { ...silentLog, info: note };
    this.#process = assembleLink(
      {
        name,
        chains: [{ chainId, threshold, key, nodes, mode: 'active' }],
        ...{ cosigners, leaseMs: 1_000, signDeadlineMs: 4_000 },
      },
      {
        ...{ group, clock, random: random.bytes, log },
        proofs: { load: () => undefined, save: () => undefined },
        connectNode: (address, abort) =>
          connect(this, address.transport === 'tcp' ? address.host : address.path, abort),
        connectCosigner: (id, handlers) => connectCosigner(this, id, handlers),
      },
      {
        nodeService: (chains, deps) => {
          this.#nodes = LINK_PARTS.nodeService(chains, deps);
          return broken === 'lease-close' ? neverClosing(this.#nodes) : this.#nodes;
        },
      },
    );
    this.#process.start();
  }

  /** The process dies; its connections to nodes end with it. */
  crash(): void {
    this.#nodes?.close();
    void this.#process?.stop();
    this.#process = undefined;
    this.#nodes = undefined;
  }
}

/** --break lease-close: a link that lost its lease keeps its connections to nodes. */
function neverClosing(service: NodeServing): NodeServing {
  return {
    open: () => service.open(),
    close: () => undefined,
    status: () => service.status(),
    reaches: (chainId) => service.reaches(chainId),
  };
}
