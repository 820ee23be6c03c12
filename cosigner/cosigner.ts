import type { ChainReport, CosignerHello, CosignerMessage } from '../src/shared/coordination/messages.js';
import { ownRelease, tooOld, type Release } from '../src/shared/coordination/release.js';
import { HekateError } from '../src/shared/errors.js';
import { InFlight } from '../src/shared/in-flight.js';
import { LogLimiter } from '../src/shared/log-limiter.js';
import type { Clock } from '../src/shared/ports/clock.js';
import type { Log } from '../src/shared/ports/log.js';
import { reportHalted, type HaltedChain } from './halted-chain.js';
import type { Recovered } from './signing/chain-wait.js';
import type { ChainSigner } from './signing/chain-signer.js';
import { LeaseTable } from './lease-table.js';
import { Answerer } from './waiting/answerer.js';
import { Asker } from './waiting/asker.js';
import { Forgeries } from './waiting/forgeries.js';
import type { IdentityKeys } from './waiting/identity-keys.js';
import { WaitLog } from './waiting/wait-log.js';
import { LinkSession, type SessionHost } from './links/link-session.js';
import type { EndLink } from './links/link-stream.js';

/** An older link dials again and again until it is upgraded. */
const OLD_RELEASE_INTERVAL_MS = 600_000;

export interface CosignerOptions {
  readonly id: number;
  readonly version: string;
  /** Longest lease granted to a link. */
  readonly leaseCapMs: number;
}

export interface CosignerDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly keys: IdentityKeys;
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
  /** Links are those of the configuration, so that there are not many. */
  readonly #releases = new Map<string, Release>();
  readonly #oldReleases: LogLimiter;
  readonly #asker: Asker;
  readonly #answerer: Answerer;
  readonly #waitLog: WaitLog;
  readonly #sessions = new Set<LinkSession>();

  constructor(options: CosignerOptions, { signers, halted }: CosignerChains, deps: CosignerDeps) {
    this.id = options.id;
    this.halted = halted;
    this.#options = options;
    this.#deps = deps;
    this.#chains = new Map(signers.map((chain) => [chain.chainId, chain]));
    this.#oldReleases = new LogLimiter(deps.clock, OLD_RELEASE_INTERVAL_MS);
    const { clock, log, keys } = deps;
    const forgeries = new Forgeries(clock, log);
    const chains = (): Iterable<ChainSigner> => this.#chains.values();
    const chain = (chainId: string): ChainSigner | undefined => this.#chains.get(chainId);
    this.#asker = new Asker(options.id, { keys, forgeries, chain, chains });
    this.#answerer = new Answerer(options.id, { keys, forgeries, chain, clock });
    this.#waitLog = new WaitLog(chains, clock, log);
    this.#waitLog.start();
    this.leases = new LeaseTable(deps.clock.nowMs(), options.leaseCapMs);
  }

  /**
   * A link, named by its pinned certificate, has a stream; `send` carries answers back on it, `end` ends it. The session is
   * not started.
   */
  open(link: string, send: (message: CosignerMessage) => void, end: EndLink = () => undefined): LinkSession {
    const chains = this.#chains;
    // Only its sessions can reach a signer.
    const host: SessionHost = {
      leases: this.leases,
      leaseEnded: (name) => this.#leaseEnded(name),
      chain: (chainId) => chains.get(chainId),
      chains: () => chains.values(),
      report: () => this.report(),
      hello: () => this.#hello(),
      heard: (name, release) => this.#heard(name, release),
      questions: () => this.#asker.questions(),
      answer: (carrier, question) => this.#answerer.answer(carrier, question),
      hear: (carrier, answer) => this.#asker.hear(carrier, answer),
    };
    const session = new LinkSession(link, host, {
      ...{ inFlight: this.inFlight, send, end },
      closed: () => this.#sessions.delete(session),
      ...this.#deps,
    });
    this.#sessions.add(session);
    return session;
  }

  /** Whoever may lead next asks at once instead of waiting for its next heartbeat. */
  #leaseEnded(link: string): void {
    const others = [...this.#sessions].filter((session) => session.link !== link);
    const names = [...new Set(others.map((session) => session.link))];
    const nowMs = this.#deps.clock.nowMs();
    for (const session of others) session.tellFree(this.leases.turn(session.link, names, nowMs));
  }

  /** What each link said last of the release that it runs, by name. */
  releases(): ReadonlyMap<string, Release> {
    return this.#releases;
  }

  /** What chains wait for after the start, in words. */
  waits(): ReadonlyMap<string, string> {
    const waiting = [...this.#chains.values()].filter(({ others }) => others.wait.waiting);
    return new Map(waiting.map(({ chainId, others }) => [chainId, others.wait.describe()]));
  }

  /** An operator ends the wait of a chain; as FromOthers.recover. Throws COMMAND_INVALID, or what halts the chain. */
  async recover(chainId: string, height: bigint): Promise<Recovered | undefined> {
    const halted = this.halted.find((chain) => chain.chainId === chainId);
    if (halted !== undefined) throw halted.error;
    const chain = this.#chains.get(chainId);
    if (chain === undefined) throw new HekateError('COMMAND_INVALID', 'this cosigner has no chain of that id');
    return chain.others.recover(height);
  }

  report(): readonly ChainReport[] {
    return [...[...this.#chains.values()].map((chain) => chain.report()), ...this.halted.map(reportHalted)];
  }

  #hello(): CosignerHello {
    return { kind: 'cosignerHello', ...ownRelease(this.#options.version), id: this.id, chains: this.report() };
  }

  #heard(link: string, release: Release): void {
    this.#releases.set(link, release);
    const old = tooOld(link, release);
    if (old === undefined) return;
    const { log } = this.#deps;
    const fields = { code: old.code, link, version: release.version, reason: old.message, fix: old.fix };
    const event = 'sentry-link runs a release that is too old';
    this.#oldReleases.write(link, (text, all) => log.error(text, all), event, fields);
  }

  close(): void {
    this.#waitLog.stop();
    for (const chain of this.#chains.values()) chain.close();
  }
}
