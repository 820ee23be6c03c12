import { equalBytes } from '../../src/shared/bytes.js';
import type {
  ChainKey,
  CosignerHello,
  CosignerMessage,
  Heartbeat,
  LeaseRelease,
  LinkHello,
  LinkMessage,
  NonceBatch,
  RefusedReply,
  SignedReply,
  SignRequest,
  ChainReport,
} from '../../src/shared/coordination/messages.js';
import { tooOld, type Release } from '../../src/shared/coordination/release.js';
import type { ErrorCode } from '../../src/shared/error-codes.js';
import { isHekateError } from '../../src/shared/errors.js';
import type { InFlight } from '../../src/shared/in-flight.js';
import type { Clock, Timer } from '../../src/shared/ports/clock.js';
import type { Log } from '../../src/shared/ports/log.js';
import type { Proof } from '../../src/shared/watermark/proof.js';
import type { WaitAnswer, WaitQuestion } from '../../src/shared/watermark/wait-messages.js';
import type { LeaseTable } from '../lease-table.js';
import type { SigningStream } from '../signing/chain-signer.js';
import type { EndLink, LinkHandler } from './link-stream.js';

/** The others may be there already; after a while one of them is not. */
const ASK_QUICKLY_MS = 250;
const QUICK_ASKS = 40;
const ASK_EVERY_MS = 1_000;

/** What a session needs of one chain. */
export interface SessionChain extends ChainKey {
  open(onDiscarded: () => void): SigningStream;
  readonly others: {
    /** Throws PROOF_INVALID, STATE_WRITE_FAILED. */
    learn(proof: Proof): Promise<void>;
  };
}

/** What a session needs of its cosigner. */
export interface SessionHost {
  readonly leases: LeaseTable;
  /** The lease of `link` has ended before its time: the others are to know. */
  leaseEnded(link: string): void;
  chain(chainId: string): SessionChain | undefined;
  chains(): Iterable<SessionChain>;
  report(): readonly ChainReport[];
  hello(): CosignerHello;
  /** What a link says in its hello of the release that it runs. */
  heard(link: string, release: Release): void;
  /** What it asks other cosigners while chains of it wait; undefined: none does any more. */
  questions(): readonly WaitQuestion[] | undefined;
  /** Undefined: no answer now. */
  answer(link: string, question: WaitQuestion): Promise<WaitAnswer | undefined>;
  /** Throws STATE_WRITE_FAILED. */
  hear(link: string, answer: WaitAnswer): Promise<void>;
}

export interface SessionDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly send: (message: CosignerMessage) => void;
  readonly end: EndLink;
  readonly inFlight: InFlight;
  readonly onFault: (error: unknown) => void;
  /** It is over. */
  readonly closed: () => void;
}

interface OpenChain {
  readonly key: ChainKey;
  readonly stream: SigningStream;
}

/**
 * One stream of one link. The nonces issued on it belong to it and are gone with it; the name of the link comes from
 * its pinned certificate, never from a message.
 */
export class LinkSession implements LinkHandler {
  readonly link: string;
  readonly #host: SessionHost;
  readonly #deps: SessionDeps;
  readonly #streams = new Map<string, OpenChain>();
  #open = true;
  #greeted = false;
  #asking: Timer | undefined;
  #askedTimes = 0;
  /** Chains of which a signature that was shown is still looked at, and what is next. */
  readonly #learning = new Map<string, Proof | undefined>();
  /** Chains of which it has shown what is no signature: nothing more that it shows of them is looked at. */
  readonly #distrusted = new Set<string>();

  constructor(link: string, host: SessionHost, deps: SessionDeps) {
    this.link = link;
    this.#host = host;
    this.#deps = deps;
  }

  /** Greets the link and sends it the first commitments. */
  start(): void {
    this.#send(this.#host.hello());
    for (const chain of this.#host.chains()) {
      // What is sent can end the stream: then no more nonces are made for it.
      if (!this.#open) return;
      const { chainId, groupPublicKey } = chain;
      const open: OpenChain = {
        key: { chainId, groupPublicKey },
        stream: chain.open(() => this.#fill(open)),
      };
      this.#streams.set(chainId, open);
      this.#fill(open);
    }
    this.#ask();
  }

  receive(message: LinkMessage): void {
    if (!this.#open) return;
    this.#host.leases.hear(this.link, this.#deps.clock.nowMs());
    switch (message.kind) {
      case 'linkHello':
        return this.#greet(message);
      case 'proof':
        return this.#learn(message.proof);
      case 'heartbeat':
        return this.#heartbeat(message);
      case 'leaseRelease':
        return this.#release(message);
      case 'signRequest':
        this.#sign(message).catch(this.#deps.onFault);
        return;
      case 'waitQuestion':
        this.#answer(message).catch((error: unknown) => this.#noteFault(error));
        return;
      case 'waitAnswer':
        this.#host.hear(this.link, message).catch((error: unknown) => this.#noteFault(error));
        return;
    }
  }

  /** The stream is over: nothing is sent any more, and its nonces are wiped. */
  close(): void {
    this.#open = false;
    this.#asking?.cancel();
    for (const { stream } of this.#streams.values()) stream.close();
    this.#deps.closed();
    if (this.#host.leases.closed(this, this.#deps.clock.nowMs())) this.#host.leaseEnded(this.link);
  }

  /** Another link's lease has ended here: this one may ask for it in its turn. */
  tellFree(turn: number): void {
    this.#send({ kind: 'leaseFree', turn });
  }

  /** What a link runs, and what it has seen, is told once, before it asks for anything. */
  #greet(hello: LinkHello): void {
    if (this.#greeted) return;
    const { version, protocol, features } = hello;
    this.#host.heard(this.link, { version, protocol, features });
    const old = tooOld(this.link, hello);
    if (old !== undefined) {
      // Ended, not left idle: a stream that stays open looks to the link like a cosigner that it may count on.
      this.close();
      return this.#deps.end(old);
    }
    this.#greeted = true;
    for (const proof of hello.newest) this.#learn(proof);
  }

  /**
   * Takes its turn in the chain's queue before every request that comes after it. One at a time of each chain, then the last
   * that came meanwhile: a link that shows signatures all the time must not fill the queue.
   */
  #learn(proof: Proof): void {
    const { chainId } = proof;
    const chain = this.#host.chain(chainId);
    if (chain === undefined || this.#distrusted.has(chainId)) return;
    if (this.#learning.has(chainId)) return void this.#learning.set(chainId, proof);
    this.#learning.set(chainId, undefined);
    chain.others
      .learn(proof)
      .catch((error: unknown) => this.#notLearned(chainId, error))
      .finally(() => {
        const next = this.#learning.get(chainId);
        this.#learning.delete(chainId);
        if (next !== undefined && this.#open) this.#learn(next);
      });
  }

  #notLearned(chain: string, error: unknown): void {
    if (!isHekateError(error)) return this.#deps.onFault(error);
    if (error.code !== 'PROOF_INVALID') return;
    this.#distrusted.add(chain);
    const { code, message: reason, fix } = error;
    this.#deps.log.warn('a link shows what is no signature', { code, link: this.link, chain, reason, fix });
  }

  /** Links carry questions of a cosigner that waits, each to whom it asks; who is not there yet is asked again. */
  #ask(): void {
    const questions = this.#open ? this.#host.questions() : undefined;
    if (questions === undefined) return;
    for (const question of questions) this.#send(question);
    const inMs = this.#askedTimes++ < QUICK_ASKS ? ASK_QUICKLY_MS : ASK_EVERY_MS;
    this.#asking = this.#deps.clock.schedule(inMs, () => this.#ask());
  }

  async #answer(question: WaitQuestion): Promise<void> {
    const answer = await this.#host.answer(this.link, question);
    if (answer !== undefined) this.#send(answer);
  }

  /** A failed write is told where it is known to have stopped the chain. */
  #noteFault(error: unknown): void {
    if (!isHekateError(error)) this.#deps.onFault(error);
  }

  #heartbeat(message: Heartbeat): void {
    const { leases } = this.#host;
    const nowMs = this.#deps.clock.nowMs();
    leases.noteReady(this.link, message.ready === true);
    const answer = message.lease
      ? leases.request(this.link, message.lease, nowMs, this)
      : { granted: false, ...leases.describe(nowMs) };
    const others = leases.others(this.link, nowMs);
    this.#send({ kind: 'heartbeatReply', id: message.id, ...answer, ...others, chains: this.#host.report() });
  }

  #release({ term, to }: LeaseRelease): void {
    if (this.#host.leases.release(this.link, term, this.#deps.clock.nowMs(), to)) this.#host.leaseEnded(this.link);
  }

  async #sign(request: SignRequest): Promise<void> {
    const open = this.#streams.get(request.chainId);
    if (open === undefined) return this.#send(this.#refuseChain(request));
    if (!equalBytes(open.key.groupPublicKey, request.groupPublicKey))
      return this.#refuse(request, 'GROUP_MISMATCH', 'this cosigner has a share of another key of that chain');
    const { stream } = open;
    // What still waits for its turn when the stream ends must not become a half-finished vote for nobody. And a link that
    // has not told what it has seen could not know that this state is an old copy.
    const { leases } = this.#host;
    const { clock } = this.#deps;
    const admits = (): boolean => this.#open && this.#greeted && leases.admits(this.link, request.term, clock.nowMs());
    const reply = await this.#deps.inFlight.during(() => stream.sign(request, admits));
    this.#send(reply.kind === 'signed' ? this.#withFresh(reply, open) : reply);
    clock.schedule(0, () => this.#replace(open));
  }

  /** Before any nonce is taken: such a request uses nothing up. */
  #refuse({ id }: SignRequest, code: ErrorCode, message: string): void {
    this.#send({ kind: 'refused', id, code, message });
  }

  /** Of a chain without a signing stream: it was halted at the start, or is none of this cosigner's. */
  #refuseChain({ id, chainId }: SignRequest): RefusedReply {
    const halted = this.#host.report().find((chain) => chain.chainId === chainId)?.halted;
    if (halted === undefined)
      return { kind: 'refused', id, code: 'WRONG_CHAIN', message: 'this cosigner has no share of that chain' };
    return { kind: 'refused', id, code: halted, message: `chain ${chainId} is halted on this cosigner` };
  }

  /**
   * After an answer has left, so that nobody waits for it: as many pairs as one request can use. They travel with the next
   * answer, or by themselves where there has been no share for a while.
   */
  #replace(open: OpenChain): void {
    const { nonces } = open.stream;
    nonces.generate(2);
    if (nonces.worthTelling) this.#ship(open);
  }

  /** Fills a new pool in portions, so that many chains do not hold up heartbeats. */
  #fill(open: OpenChain): void {
    const { nonces } = open.stream;
    const missing = nonces.generate(nonces.batch);
    this.#ship(open);
    if (missing) this.#deps.clock.schedule(0, () => this.#fill(open));
  }

  #ship(open: OpenChain): void {
    const batch = this.#takeReady(open);
    if (batch !== undefined) this.#send(batch);
  }

  #withFresh(reply: SignedReply, open: OpenChain): SignedReply {
    const fresh = this.#takeReady(open);
    // The spread last: CONTRIBUTING.md.
    return fresh === undefined ? reply : { fresh, ...reply };
  }

  #takeReady({ key, stream }: OpenChain): NonceBatch | undefined {
    const ready = stream.nonces.takeReady();
    return ready.commitments.length > 0 ? { kind: 'nonceBatch', ...key, ...ready } : undefined;
  }

  #send(message: CosignerMessage): void {
    if (this.#open) this.#deps.send(message);
  }
}
