import type { Cosigner } from '../../cosigner/cosigner.js';
import type { LinkSession } from '../../cosigner/links/link-session.js';
import type { EndLink } from '../../cosigner/links/link-stream.js';
import { HEARTBEATS_PER_LEASE, MAX_LEASE_MS } from '../../src/shared/coordination/limits.js';
import type {
  CosignerMessage,
  HeartbeatReply,
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
  #stream: object | undefined;
  /** Whom the last holder handed it to, and until when nobody else may have it. */
  #kept: { readonly link: string; readonly untilMs: number } | undefined;
  readonly #ready = new Map<string, number>();
  /** Since when the promise has been live and its holder heard without a break. */
  #aliveSinceMs = Infinity;

  granted(link: string, term: number, leaseMs: number, nowMs: number, stream: object): void {
    [this.#stream, this.#kept] = [stream, undefined];
    if (link !== this.#holder || !this.#aliveAt(nowMs)) this.#aliveSinceMs = nowMs;
    [this.#holder, this.#term, this.#leaseMs, this.#untilMs] = [link, term, leaseMs, nowMs + leaseMs];
    this.#heardMs = nowMs;
  }

  heard(link: string, nowMs: number): void {
    if (link !== this.#holder) return;
    if (!this.#aliveAt(nowMs)) this.#aliveSinceMs = nowMs;
    this.#heardMs = nowMs;
  }

  released(link: string, term: number, nowMs: number, to = ''): void {
    if (link !== this.#holder || term !== this.#term || nowMs >= this.#untilMs) return;
    this.#untilMs = 0;
    const readyMs = this.#ready.get(to) ?? -Infinity;
    if (to !== link && nowMs - readyMs < MAX_LEASE_MS / 2) this.#kept = { link: to, untilMs: nowMs + MAX_LEASE_MS / 2 };
  }

  closed(stream: object): void {
    if (stream === this.#stream) this.#untilMs = 0;
  }

  /** What a link says of itself with a heartbeat. */
  isReady(link: string, ready: boolean, nowMs: number): void {
    if (ready) this.#ready.set(link, nowMs);
    else this.#ready.delete(link);
  }

  /** For whom it is kept; undefined: for nobody. */
  keptFor(nowMs: number): string | undefined {
    return this.#kept !== undefined && nowMs < this.#kept.untilMs ? this.#kept.link : undefined;
  }

  forget(): void {
    [this.#holder, this.#untilMs, this.#aliveSinceMs, this.#kept] = ['', 0, Infinity, undefined];
    this.#ready.clear();
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
    this.#host.promise.closed(this);
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
    } else if (message.kind === 'heartbeat') {
      promise.isReady(this.#link, message.ready === true, atMs);
      if (message.lease !== undefined) this.#leases.set(message.id, message.lease);
    } else if (message.kind === 'leaseRelease') promise.released(this.#link, message.term, atMs, message.to);
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
        return this.#replies(message);
      case 'leaseFree':
        return coverage.note('cosigner tells that its lease is free');
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

  #replies({ id, granted, holder: named }: HeartbeatReply): void {
    const { promise, clock, checker, coverage, startedMs } = this.#host;
    const lease = this.#leases.get(id);
    this.#leases.delete(id);
    const nowMs = clock.nowMs();
    const holder = promise.holder(nowMs);
    const host = `cosigner ${this.#host.id}`;
    if (!granted || lease === undefined) {
      const why = `${host} says that "${named}" has its lease, and "${holder ?? ''}" has it`;
      return checker.demand('lease', named === (holder ?? ''), why);
    }
    const who = `${host} promises its lease to ${this.#link}`;
    checker.demand('lease', holder === undefined || holder === this.#link, `${who}, and ${holder} has it`);
    const kept = promise.keptFor(nowMs);
    checker.demand('lease', kept === undefined || kept === this.#link, `${who}, and it was handed over to ${kept}`);
    if (kept !== undefined) coverage.note('lease taken by whom it was handed to');
    const early = !lease.renewal && holder === undefined && nowMs < startedMs + MAX_LEASE_MS;
    checker.demand('lease', !early, `${who}, and may have promised it to another before it was started`);
    promise.granted(this.#link, lease.term, lease.leaseMs, nowMs, this);
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
