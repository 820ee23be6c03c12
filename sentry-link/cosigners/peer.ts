import { equalBytes } from '../../src/shared/bytes.js';
import { MAX_CHAINS } from '../../src/shared/coordination/limits.js';
import { FIXES, type ErrorCode } from '../../src/shared/error-codes.js';
import type {
  ChainReport,
  CosignerHello,
  CosignerMessage,
  LinkMessage,
  NonceBatch,
  NonceCommitment,
  SignReply,
  SignRequest,
} from '../../src/shared/coordination/messages.js';
import type { Clock } from '../../src/shared/ports/clock.js';
import type { Log } from '../../src/shared/ports/log.js';
import { CommitmentPool } from './commitment-pool.js';
import { LatencyEstimate } from './latency.js';

/** A cosigner whose share or commitments were bad is left out this long before it is tried again. */
const QUARANTINE_MS = 60_000;
/** A cosigner that made a request wait is asked last for a while; longer each time it happens again. */
const SUSPECT_MS = 5_000;
const MAX_SUSPECT_MS = 60_000;
/**
 * Answers still awaited from a cosigner that keeps its stream alive but never signs. Every chain waits for one at a time, so
 * the oldest of so many belongs to a request that was answered otherwise.
 */
const MAX_PENDING = 4 * MAX_CHAINS;

/** A request takes this many commitments at most: for a vote and its extension. */
const MAX_NONCES = 2;

export interface PeerDeps {
  /** The group public key that this cosigner must hold a share of, by chain. */
  readonly groupKeys: ReadonlyMap<string, Uint8Array>;
  readonly clock: Clock;
  readonly log: Log;
  /** Something changed that a waiting request may have been waiting for, of one chain or of all. */
  readonly onChange: (chainId?: string) => void;
}

/** Undefined when the stream broke before the answer came. */
export type ReplyHandler = (reply: SignReply | undefined) => void;

/** A link's view of one cosigner: its stream, its unspent commitments, how fast it answers and what it last reported. */
export class Peer {
  readonly id: number;
  readonly #deps: PeerDeps;
  readonly #signLatency = new LatencyEstimate();
  readonly #roundTrip = new LatencyEstimate();
  readonly #pools = new Map<string, CommitmentPool>();
  readonly #pending = new Map<number, { readonly sentMs: number; readonly onReply: ReplyHandler }>();
  readonly #seen = new Map<string, bigint>();
  #send: ((message: LinkMessage) => boolean) | undefined;
  #reports: ReadonlyMap<string, ChainReport> = new Map();
  #version = '';
  /** The id it claims; another one than ours for it means that its home was mixed up. */
  #claimedId: number | undefined;
  /** Reasons not to sign that the operator has heard of. */
  readonly #told = new Set<string>();
  #quarantinedUntilMs = 0;
  #suspectUntilMs = 0;
  #suspectMs = SUSPECT_MS;

  constructor(id: number, deps: PeerDeps) {
    this.id = id;
    this.#deps = deps;
  }

  get connected(): boolean {
    return this.#send !== undefined;
  }

  get version(): string {
    return this.#version;
  }

  get signLatencyMs(): number | undefined {
    return this.#signLatency.meanMs;
  }

  /** Mean time of a heartbeat there and back: how far away this cosigner is. */
  get roundTripMs(): number | undefined {
    return this.#roundTrip.meanMs;
  }

  noteRoundTrip(sampleMs: number): void {
    this.#roundTrip.note(sampleMs);
  }

  /** How long to wait for this cosigner before another set is asked as well. */
  patienceMs(): number {
    return this.#signLatency.patienceMs();
  }

  /** It could not serve a request in time: no answer within its patience, busy, or it follows another term. */
  noteStall(): void {
    this.#suspectUntilMs = this.#deps.clock.nowMs() + this.#suspectMs;
    this.#suspectMs = Math.min(MAX_SUSPECT_MS, 2 * this.#suspectMs);
  }

  get suspect(): boolean {
    return this.#deps.clock.nowMs() < this.#suspectUntilMs;
  }

  report(chainId: string): ChainReport | undefined {
    return this.#reports.get(chainId);
  }

  reports(): readonly ChainReport[] {
    return [...this.#reports.values()];
  }

  /** The highest sequence number seen by chain, for the hello of the next stream. */
  seen(): readonly { readonly chainId: string; readonly sequence: bigint }[] {
    return [...this.#seen].map(([chainId, sequence]) => ({ chainId, sequence }));
  }

  opened(hello: CosignerHello, send: (message: LinkMessage) => boolean): void {
    this.#send = send;
    this.#version = hello.version;
    this.#claimedId = hello.id;
    this.#told.clear();
    if (hello.id !== this.id) this.quarantine(`it says that it is cosigner ${hello.id}`);
    this.#noteReports(hello.chains);
    this.#deps.onChange();
  }

  /** The stream is gone, and with it every commitment that came on it. */
  lost(): void {
    this.#send = undefined;
    this.#pools.clear();
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { onReply } of pending) onReply(undefined);
    this.#deps.onChange();
  }

  receive(message: CosignerMessage): void {
    switch (message.kind) {
      case 'cosignerHello':
        return;
      case 'heartbeatReply':
        return this.#noteReports(message.chains);
      case 'nonceBatch':
        return this.#addCommitments(message);
      case 'signed':
        if (message.fresh !== undefined) this.#addCommitments(message.fresh);
        return this.#answered(message);
      case 'stored':
      case 'refused':
        return this.#answered(message);
    }
  }

  #answered(reply: SignReply): void {
    const pending = this.#pending.get(reply.id);
    if (pending === undefined) return;
    this.#pending.delete(reply.id);
    this.#signLatency.note(this.#deps.clock.nowMs() - pending.sentMs);
    if (!this.suspect) this.#suspectMs = SUSPECT_MS;
    pending.onReply(reply);
  }

  send(message: LinkMessage): boolean {
    return this.#send?.(message) ?? false;
  }

  /** Sends a sign request; `onReply` is called at most once, and always when the stream ends. */
  ask(request: SignRequest, onReply: ReplyHandler): void {
    this.#pending.set(request.id, { sentMs: this.#deps.clock.nowMs(), onReply });
    // A stream that breaks while it is written to has told of it already.
    if (!this.send(request) && this.#pending.delete(request.id)) onReply(undefined);
    if (this.#pending.size > MAX_PENDING) this.#forgetOldest();
  }

  #forgetOldest(): void {
    for (const [id, { onReply }] of this.#pending) {
      this.#pending.delete(id);
      return onReply(undefined);
    }
  }

  /** Whether it can take part in a signature of this chain that needs `nonces` commitments. */
  ready(chainId: string, nonces: number): boolean {
    return (
      this.connected &&
      !this.quarantined &&
      this.report(chainId)?.halted === undefined &&
      (this.#pools.get(chainId)?.size ?? 0) >= nonces
    );
  }

  takeCommitment(chainId: string): NonceCommitment | undefined {
    return this.#pools.get(chainId)?.take();
  }

  get quarantined(): boolean {
    return this.#deps.clock.nowMs() < this.#quarantinedUntilMs;
  }

  quarantine(reason: string): void {
    const known = this.quarantined;
    this.#quarantinedUntilMs = this.#deps.clock.nowMs() + QUARANTINE_MS;
    if (known) return;
    this.#deps.log.error('cosigner left out', { code: 'COSIGNER_BAD', cosigner: this.id, reason });
  }

  #addCommitments({ chainId, commitments }: NonceBatch): void {
    if (!this.#reports.has(chainId)) return;
    let pool = this.#pools.get(chainId);
    if (pool === undefined) this.#pools.set(chainId, (pool = new CommitmentPool()));
    const wanting = pool.size < MAX_NONCES;
    if (!pool.add(commitments)) this.quarantine('more nonce commitments than were asked for');
    if (wanting) this.#deps.onChange(chainId);
  }

  /** Only of our own chains: what else a cosigner names must not pile up here. */
  #noteReports(all: readonly ChainReport[]): void {
    const reports = all.filter(({ chainId }) => this.#deps.groupKeys.has(chainId));
    this.#reports = new Map(reports.map((report) => [report.chainId, this.#checked(report)]));
    for (const { chainId, halted } of this.#reports.values()) {
      if (halted !== undefined) this.#tellHalted(chainId, halted);
    }
    for (const { chainId, sequence } of reports) {
      if (sequence > (this.#seen.get(chainId) ?? 0n)) this.#seen.set(chainId, sequence);
    }
  }

  /** Once for each stream: reports come with every heartbeat. */
  #tellHalted(chain: string, halted: string): void {
    const known = Object.hasOwn(FIXES, halted) ? (halted as ErrorCode) : 'INTERNAL';
    const what = `${chain} ${known}`;
    if (this.#told.has(what)) return;
    this.#told.add(what);
    const fields = { code: known, cosigner: this.id, chain, fix: FIXES[known] };
    this.#deps.log.error('cosigner does not sign for this chain', fields);
  }

  /** A share of another key, or of another cosigner, is of no use, whatever the cosigner thinks. */
  #checked(report: ChainReport): ChainReport {
    const expected = this.#deps.groupKeys.get(report.chainId);
    const own = this.#claimedId === this.id;
    if (own && expected !== undefined && equalBytes(expected, report.groupPublicKey)) return report;
    return { ...report, halted: 'GROUP_MISMATCH' };
  }
}
