import type { ChainReport, CosignerHello, CosignerMessage } from '../src/shared/coordination/messages.js';
import { InFlight } from '../src/shared/in-flight.js';
import type { Clock } from '../src/shared/ports/clock.js';
import type { Log } from '../src/shared/ports/log.js';
import { reportHalted, type HaltedChain } from './halted-chain.js';
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

export interface CosignerChains {
  readonly signers: readonly ChainSigner[];
  /** Those that this start could not open. */
  readonly halted: readonly HaltedChain[];
}

/** One cosigner: its chains, its promise of leadership, and a session for each link that has a stream open. */
export class Cosigner {
  readonly id: number;
  readonly leases: LeaseTable;
  /** Chains that this start could not open. */
  readonly halted: readonly HaltedChain[];
  /** Requests that links wait for. */
  readonly inFlight = new InFlight();
  readonly #options: CosignerOptions;
  readonly #deps: CosignerDeps;
  readonly #chains: ReadonlyMap<string, ChainSigner>;

  constructor(options: CosignerOptions, { signers, halted }: CosignerChains, deps: CosignerDeps) {
    this.id = options.id;
    this.halted = halted;
    this.#options = options;
    this.#deps = deps;
    this.#chains = new Map(signers.map((chain) => [chain.chainId, chain]));
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
    return [...[...this.#chains.values()].map((chain) => chain.report()), ...this.halted.map(reportHalted)];
  }

  #hello(): CosignerHello {
    return { kind: 'cosignerHello', version: this.#options.version, id: this.id, chains: this.report() };
  }

  close(): void {
    for (const chain of this.#chains.values()) chain.close();
  }
}
