import type { Cosigner } from '../../cosigner/cosigner.js';
import type { LinkSession } from '../../cosigner/links/link-session.js';
import type { EndLink } from '../../cosigner/links/link-stream.js';
import { HEARTBEATS_PER_LEASE, MAX_LEASE_MS } from '../../src/shared/coordination/limits.js';
import type {
  CosignerMessage,
  LeaseRequest,
  LinkMessage,
  NonceBatch,
  NonceCommitment,
  SignedReply,
  SignRequest,
} from '../../src/shared/coordination/messages.js';
import type { Group } from '../../src/shared/frost/group.js';
import { computeGroupCommitment } from '../../src/shared/frost/group-commitment.js';
import { verifyShare } from '../../src/shared/frost/verify-share.js';
import { isHekateError } from '../../src/shared/errors.js';
import type { Watermark } from '../../src/shared/watermark/watermark.js';
import type { Checker, CheckedChain } from './checker.js';
import type { Coverage } from './coverage.js';
import type { ProcessClock } from './process-clock.js';

/** What watching needs of the host. */
export interface WatchedHost {
  readonly id: number;
  readonly group: Group;
  readonly clock: ProcessClock;
  readonly checker: Checker;
  readonly coverage: Coverage;
  readonly chains: ReadonlyMap<string, CheckedChain>;
  durable(chainId: string): Watermark | undefined;
  /** Why no share of a chain may leave, whatever the process thinks. */
  mustNotSign(chainId: string): string | undefined;
  /** On its clock. */
  readonly startedMs: number;
  readonly promise: PromiseSeen;
  /** Whoever asks is served, whoever has the promise. */
  servesAll(): boolean;
  /** How many requests wait, before another one is handed over. */
  looksAtQueues(): void;
  readonly failed: (error: unknown) => void;
}

/** Whom a cosigner has promised the lease, as its replies say. */
export class PromiseSeen {
  #holder = '';
  #term = 0;
  #untilMs = 0;
  #leaseMs = 0;
  #heardMs = -Infinity;
  /** Since when the promise has been live and its holder heard without a break. */
  #aliveSinceMs = Infinity;

  granted(link: string, term: number, leaseMs: number, nowMs: number): void {
    if (link !== this.#holder || !this.#aliveAt(nowMs)) this.#aliveSinceMs = nowMs;
    [this.#holder, this.#term, this.#leaseMs, this.#untilMs] = [link, term, leaseMs, nowMs + leaseMs];
    this.#heardMs = nowMs;
  }

  heard(link: string, nowMs: number): void {
    if (link !== this.#holder) return;
    if (!this.#aliveAt(nowMs)) this.#aliveSinceMs = nowMs;
    this.#heardMs = nowMs;
  }

  released(link: string, term: number): void {
    if (link === this.#holder && term === this.#term) this.#untilMs = 0;
  }

  forget(): void {
    [this.#holder, this.#untilMs, this.#aliveSinceMs] = ['', 0, Infinity];
  }

  holder(nowMs: number): string | undefined {
    return nowMs < this.#untilMs ? this.#holder : undefined;
  }

  /** The link that has had the promise, and was heard, since before `sinceMs` until now. */
  holderSince(sinceMs: number, nowMs: number): string | undefined {
    return this.#aliveAt(nowMs) && this.#aliveSinceMs < sinceMs ? this.#holder : undefined;
  }

  #aliveAt(nowMs: number): boolean {
    const quietMs = nowMs - this.#heardMs;
    return nowMs < this.#untilMs && quietMs <= (2 * this.#leaseMs) / HEARTBEATS_PER_LEASE;
  }
}

interface Asked {
  readonly request: SignRequest;
  readonly atMs: number;
  readonly byAnyone: boolean;
}

/** A session of an honest cosigner, between its link and the checker: what is asked, and what leaves. */
export class WatchedSession {
  readonly #link: string;
  readonly #host: WatchedHost;
  readonly #session: LinkSession;
  /** By id, which a link that lies may use twice. */
  readonly #asked = new Map<number, Asked[]>();
  readonly #leases = new Map<number, LeaseRequest>();
  readonly #issued = new Map<string, Map<number, NonceCommitment>>();
  /** Requests that were not answered yet. */
  #unanswered = 0;

  constructor(
    link: string,
    host: WatchedHost,
    cosigner: Cosigner,
    send: (message: CosignerMessage) => void,
    end: EndLink,
  ) {
    this.#link = link;
    this.#host = host;
    const watched = (message: CosignerMessage): void => {
      try {
        this.#leaves(message);
      } catch (error) {
        host.failed(error);
      }
      send(message);
    };
    this.#session = cosigner.open(link, watched, end);
  }

  get unanswered(): number {
    return this.#unanswered;
  }

  start(): void {
    this.#session.start();
  }

  close(): void {
    this.#unanswered = 0;
    this.#session.close();
  }

  receive(message: LinkMessage): void {
    const { checker, id, clock, promise } = this.#host;
    const atMs = clock.nowMs();
    promise.heard(this.#link, atMs);
    if (message.kind === 'signRequest') {
      checker.asked(id, message);
      this.#host.looksAtQueues();
      this.#unanswered++;
      const asked = this.#asked.get(message.id) ?? [];
      this.#asked.set(message.id, asked);
      asked.push({ request: message, atMs, byAnyone: this.#host.servesAll() });
    } else if (message.kind === 'heartbeat' && message.lease !== undefined) this.#leases.set(message.id, message.lease);
    else if (message.kind === 'leaseRelease') promise.released(this.#link, message.term);
    else if (message.kind === 'waitAnswer') checker.answered(id, message);
    else if (message.kind === 'proof') checker.shown(id, message.proof);
    else if (message.kind === 'linkHello') for (const proof of message.newest) checker.shown(id, proof);
    this.#session.receive(message);
  }

  #leaves(message: CosignerMessage): void {
    const { coverage } = this.#host;
    if (message.kind === 'signed' || message.kind === 'refused' || message.kind === 'stored') this.#unanswered--;
    switch (message.kind) {
      case 'nonceBatch':
        return this.#noncesLeave(message);
      case 'refused':
        return coverage.note(`cosigner says ${message.code}`);
      case 'stored':
        return coverage.note('cosigner says stored');
      case 'heartbeatReply':
        return this.#replies(message.id, message.granted);
      case 'signed':
        this.#shareLeaves(message);
        if (message.fresh !== undefined) this.#noncesLeave(message.fresh);
        return;
      case 'waitQuestion':
        return coverage.note('cosigner asks where others stand');
      case 'waitAnswer':
        return coverage.note(`cosigner answers, ${message.waiting ? 'waiting itself' : 'and does not wait'}`);
      case 'cosignerHello':
        return;
    }
  }

  #noncesLeave(batch: NonceBatch): void {
    this.#host.checker.noncesLeave(batch);
    let issued = this.#issued.get(batch.chainId);
    if (issued === undefined) this.#issued.set(batch.chainId, (issued = new Map<number, NonceCommitment>()));
    for (const commitment of batch.commitments) issued.set(commitment.nonceId, commitment);
  }

  #replies(id: number, granted: boolean): void {
    const { promise, clock, checker, startedMs } = this.#host;
    const lease = this.#leases.get(id);
    this.#leases.delete(id);
    if (!granted || lease === undefined) return;
    const nowMs = clock.nowMs();
    const holder = promise.holder(nowMs);
    const who = `cosigner ${this.#host.id} promises its lease to ${this.#link}`;
    checker.demand('lease', holder === undefined || holder === this.#link, `${who}, and ${holder} has it`);
    const early = !lease.renewal && holder === undefined && nowMs < startedMs + MAX_LEASE_MS;
    checker.demand('lease', !early, `${who}, and may have promised it to another before it was started`);
    promise.granted(this.#link, lease.term, lease.leaseMs, nowMs);
  }

  #shareLeaves(reply: SignedReply): void {
    const { id, checker, coverage, clock, promise } = this.#host;
    const { request, atMs, byAnyone } = this.#askedFor(reply);
    const { chainId } = request;
    coverage.note('cosigner gives a share');
    const forbidden = this.#host.mustNotSign(chainId);
    checker.demand('stays-halted', forbidden === undefined, `cosigner ${id} signs for ${chainId}: ${forbidden}`);
    const holder = promise.holderSince(atMs, clock.nowMs()) ?? this.#link;
    const why = `cosigner ${id} signs for ${this.#link}, while it hears ${holder}, which has its promise`;
    checker.demand('lease', byAnyone || holder === this.#link, why);
    const issued = this.#issued.get(chainId) ?? new Map<number, never>();
    checker.shareLeaves({ cosigner: id, request, reply, issued, durable: this.#host.durable(chainId) });
  }

  /** Which request a share is for: the only one of that id, or the one that it fits. */
  #askedFor(reply: SignedReply): Asked {
    const asked = this.#asked.get(reply.id) ?? [];
    const found = asked.length === 1 ? asked[0] : asked.find(({ request }) => this.#fits(reply, request));
    if (found === undefined) throw new Error(`cosigner ${this.#host.id} gives a share that nobody asked for`);
    return found;
  }

  #fits({ vote }: SignedReply, request: SignRequest): boolean {
    const { group, id, chains } = this.#host;
    const chain = chains.get(request.chainId);
    const verificationShare = chain?.key.verificationShares.get(id);
    if (chain === undefined || verificationShare === undefined) return false;
    const commitments = request.signers.map(({ id: signer, vote: listed }) => ({ id: signer, ...listed }));
    const context = { groupPublicKey: chain.key.publicKey, commitments, message: request.signBytes };
    try {
      const groupCommitment = computeGroupCommitment(group, context);
      return verifyShare(group, { ...context, groupCommitment, id, share: vote.share, verificationShare });
    } catch (error) {
      if (isHekateError(error)) return false;
      throw error;
    }
  }
}
