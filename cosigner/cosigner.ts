import type { ChainReport, CosignerHello, CosignerMessage } from '../src/shared/coordination/messages.js';
import { InFlight } from '../src/shared/in-flight.js';
import type { Clock } from '../src/shared/ports/clock.js';
import type { Log } from '../src/shared/ports/log.js';
import type { ChainSigner } from './signing/chain-signer.js';
import { LeaseTable } from './lease-table.js';
import { LinkSession, type SessionHost } from './links/link-session.js';

export interface CosignerOptions {
  readonly id: number;
  readonly version: string;
  /** Longest lease granted to a link. */
  readonly leaseCapMs: number;
}

export interface CosignerDeps {
  readonly clock: Clock;
  readonly log: Log;
  /** A fault in hekate itself: the process must not go on. */
  readonly onFault: (error: unknown) => void;
}

/** One cosigner: its chains, its promise of leadership, and a session for each link that has a stream open. */
export class Cosigner {
  readonly id: number;
  readonly leases: LeaseTable;
  /** Requests that links wait for. */
  readonly inFlight = new InFlight();
  readonly #options: CosignerOptions;
  readonly #deps: CosignerDeps;
  readonly #chains: ReadonlyMap<string, ChainSigner>;

  constructor(options: CosignerOptions, chains: readonly ChainSigner[], deps: CosignerDeps) {
    this.id = options.id;
    this.#options = options;
    this.#deps = deps;
    this.#chains = new Map(chains.map((chain) => [chain.chainId, chain]));
    this.leases = new LeaseTable(deps.clock.nowMs(), options.leaseCapMs);
  }

  /** A link, named by its pinned certificate, has a stream; `send` carries answers back on it. The session is not started. */
  open(link: string, send: (message: CosignerMessage) => void): LinkSession {
    const chains = this.#chains;
    // Only its sessions can reach a signer.
    const host: SessionHost = {
      leases: this.leases,
      chain: (chainId) => chains.get(chainId),
      chains: () => chains.values(),
      report: () => this.report(),
      hello: () => this.#hello(),
    };
    return new LinkSession(link, host, { ...this.#deps, inFlight: this.inFlight, send });
  }

  report(): readonly ChainReport[] {
    return [...this.#chains.values()].map((chain) => chain.report());
  }

  #hello(): CosignerHello {
    return { kind: 'cosignerHello', version: this.#options.version, id: this.id, chains: this.report() };
  }

  close(): void {
    for (const chain of this.#chains.values()) chain.close();
  }
}
