import type {
  CosignerHello,
  CosignerMessage,
  Heartbeat,
  LinkMessage,
  NonceBatch,
  RefusedReply,
  SignedReply,
  SignRequest,
  ChainReport,
} from '../../src/shared/coordination/messages.js';
import { isHekateError } from '../../src/shared/errors.js';
import type { InFlight } from '../../src/shared/in-flight.js';
import type { Clock } from '../../src/shared/ports/clock.js';
import type { Log } from '../../src/shared/ports/log.js';
import type { Proof } from '../../src/shared/watermark/proof.js';
import type { LeaseTable } from '../lease-table.js';
import type { SigningStream } from '../signing/chain-signer.js';
import type { NonceSupply } from '../signing/nonce-supply.js';
import type { LinkHandler } from './link-stream.js';

/** What a session needs of one chain. */
export interface SessionChain {
  readonly chainId: string;
  open(): SigningStream;
  noteSeenSequence(sequence: bigint): void;
  /** Throws PROOF_INVALID, STATE_WRITE_FAILED. */
  learn(proof: Proof): Promise<void>;
}

/** What a session needs of its cosigner. */
export interface SessionHost {
  readonly leases: LeaseTable;
  chain(chainId: string): SessionChain | undefined;
  chains(): Iterable<SessionChain>;
  report(): readonly ChainReport[];
  hello(): CosignerHello;
}

export interface SessionDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly send: (message: CosignerMessage) => void;
  readonly inFlight: InFlight;
  readonly onFault: (error: unknown) => void;
}

/**
 * One stream of one link. The nonces issued on it belong to it and are gone with it; the name of the link comes from
 * its pinned certificate, never from a message.
 */
export class LinkSession implements LinkHandler {
  readonly link: string;
  readonly #host: SessionHost;
  readonly #deps: SessionDeps;
  readonly #streams = new Map<string, SigningStream>();
  #open = true;
  #greeted = false;
  /** Chains of which a signature that was shown is still looked at, and what is next. */
  readonly #learning = new Map<string, Proof | undefined>();
  #toldInvalid = false;

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
      const stream = chain.open();
      this.#streams.set(chain.chainId, stream);
      this.#fill(chain.chainId, stream.nonces);
    }
  }

  receive(message: LinkMessage): void {
    if (!this.#open) return;
    switch (message.kind) {
      case 'linkHello':
        // What a link has seen is told once, before it asks for anything.
        if (this.#greeted) return;
        this.#greeted = true;
        for (const { chainId, sequence } of message.seen) this.#host.chain(chainId)?.noteSeenSequence(sequence);
        for (const proof of message.newest) this.#learn(proof);
        return;
      case 'proof':
        return this.#learn(message.proof);
      case 'heartbeat':
        return this.#heartbeat(message);
      case 'leaseRelease':
        return this.#host.leases.release(this.link, message.term);
      case 'signRequest':
        this.#sign(message).catch(this.#deps.onFault);
        return;
    }
  }

  /** The stream is over: nothing is sent any more, and its nonces are wiped. */
  close(): void {
    this.#open = false;
    for (const stream of this.#streams.values()) stream.close();
  }

  /**
   * Takes its turn in the chain's queue before every request that comes after it. One at a time of each chain, then the last
   * that came meanwhile: a link that shows signatures all the time must not fill the queue.
   */
  #learn(proof: Proof): void {
    const { chainId } = proof;
    const chain = this.#host.chain(chainId);
    if (chain === undefined) return;
    if (this.#learning.has(chainId)) return void this.#learning.set(chainId, proof);
    this.#learning.set(chainId, undefined);
    chain
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
    // A failed write is told where it is known to have stopped the chain.
    if (error.code !== 'PROOF_INVALID' || this.#toldInvalid) return;
    this.#toldInvalid = true;
    const { code, message: reason, fix } = error;
    this.#deps.log.warn('a link shows what is no signature', { code, link: this.link, chain, reason, fix });
  }

  #heartbeat(message: Heartbeat): void {
    const { leases } = this.#host;
    const nowMs = this.#deps.clock.nowMs();
    const answer = message.lease
      ? leases.request(this.link, message.lease, nowMs)
      : { ...leases.describe(nowMs), granted: false };
    this.#send({ kind: 'heartbeatReply', id: message.id, ...answer, chains: this.#host.report() });
  }

  async #sign(request: SignRequest): Promise<void> {
    const { chainId } = request;
    const stream = this.#streams.get(chainId);
    if (stream === undefined) return this.#send(this.#refuseChain(request));
    // What still waits for its turn when the stream ends must not become a half-finished vote for nobody. And a link that
    // has not told what it has seen could not know that this state is an old copy.
    const admits = (): boolean => this.#open && this.#greeted && this.#host.leases.admits(this.link, request.term);
    const reply = await this.#deps.inFlight.during(() => stream.sign(request, admits));
    this.#send(reply.kind === 'signed' ? this.#withFresh(reply, chainId, stream.nonces) : reply);
    this.#deps.clock.schedule(0, () => this.#replace(chainId, stream.nonces));
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
  #replace(chainId: string, nonces: NonceSupply): void {
    nonces.generate(2);
    if (nonces.worthTelling) this.#ship(chainId, nonces);
  }

  /** Fills a new pool in portions, so that many chains do not hold up heartbeats. */
  #fill(chainId: string, nonces: NonceSupply): void {
    const missing = nonces.generate(nonces.batch);
    this.#ship(chainId, nonces);
    if (missing) this.#deps.clock.schedule(0, () => this.#fill(chainId, nonces));
  }

  #ship(chainId: string, nonces: NonceSupply): void {
    const batch = this.#takeReady(chainId, nonces);
    if (batch !== undefined) this.#send(batch);
  }

  #withFresh(reply: SignedReply, chainId: string, nonces: NonceSupply): SignedReply {
    const fresh = this.#takeReady(chainId, nonces);
    return fresh === undefined ? reply : { ...reply, fresh };
  }

  #takeReady(chainId: string, nonces: NonceSupply): NonceBatch | undefined {
    const commitments = nonces.takeReady();
    return commitments.length > 0 ? { kind: 'nonceBatch', chainId, commitments } : undefined;
  }

  #send(message: CosignerMessage): void {
    if (this.#open) this.#deps.send(message);
  }
}
