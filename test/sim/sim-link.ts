import type { GroupKey } from '../../sentry-link/signing/attempt.js';
import type { ConnectToNode } from '../../sentry-link/node/dialler.js';
import { parseNodeAddress } from '../../src/shared/config/node-address.js';
import { NodeService } from '../../sentry-link/node/node-service.js';
import { SentryLink } from '../../sentry-link/sentry-link.js';
import type { Group } from '../../src/shared/frost/group.js';
import type { Clock } from '../../src/shared/ports/clock.js';
import { silentLog } from '../../src/shared/ports/log.js';
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
}

/** A sentry-link's host: nothing on it lasts. */
export class SimLink {
  readonly name: string;
  readonly #options: SimLinkOptions;
  readonly #deps: SimLinkDeps;
  #process: SentryLink | undefined;
  #nodes: NodeService | undefined;

  constructor(options: SimLinkOptions, deps: SimLinkDeps) {
    this.name = options.name;
    this.#options = options;
    this.#deps = deps;
  }

  get process(): SentryLink | undefined {
    return this.#process;
  }

  start(): void {
    if (this.#process !== undefined) return;
    const { name, chainId, threshold, cosigners, key, broken } = this.#options;
    const { group, clock, random, trace, connect } = this.#deps;
    const nodes = new NodeService(
      {
        chainId,
        publicKey: key.publicKey,
        nodes: this.#options.nodes.map((node) => parseNodeAddress(`${node}:1`)),
        mode: 'active',
      },
      {
        connect: (address, abort) => connect(this, address.transport === 'tcp' ? address.host : address.path, abort),
        sign: (vote) => link.sign(chainId, vote),
        clock,
        random: random.bytes,
        log: silentLog,
      },
    );
    const link: SentryLink = new SentryLink(
      { chains: [{ chainId, threshold, key }], cosigners, leaseMs: 1_000, deadlineMs: 4_000 },
      {
        group,
        clock,
        random: random.bytes,
        log: silentLog,
        onLeading: (term) => {
          trace(`${name} leads in term ${term}`);
          nodes.open();
        },
        onLost: (reason) => {
          trace(`${name} lost its lease: ${reason}`);
          if (broken !== 'lease-close') nodes.close();
        },
      },
    );
    this.#process = link;
    this.#nodes = nodes;
    link.start();
  }

  /** The process dies; its connections to nodes end with it. */
  crash(): void {
    this.#nodes?.close();
    this.#process?.stop();
    this.#process = undefined;
    this.#nodes = undefined;
  }
}
