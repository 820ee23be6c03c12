import type {
  CosignerHello,
  CosignerMessage,
  Heartbeat,
  LinkMessage,
  NonceBatch,
  SignedReply,
  SignRequest,
  ChainReport,
} from '../../src/shared/coordination/messages.js';
import type { InFlight } from '../../src/shared/in-flight.js';
import type { Clock } from '../../src/shared/ports/clock.js';
import type { Log } from '../../src/shared/ports/log.js';
import type { LeaseTable } from '../lease-table.js';
import type { SigningStream } from '../signing/chain-signer.js';
import type { NonceSupply } from '../signing/nonce-supply.js';
import type { LinkHandler } from './link-stream.js';

/** What a session needs of one chain. */
export interface SessionChain {
  readonly chainId: string;
  open(): SigningStream;
  noteSeenSequence(sequence: bigint): void;
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
    this.#host.leases.hear(this.link, this.#deps.clock.nowMs());
    switch (message.kind) {
      case 'linkHello':
        // What a link has seen is told once, before it asks for anything.
        if (this.#greeted) return;
        this.#greeted = true;
        for (const { chainId, sequence } of message.seen) this.#host.chain(chainId)?.noteSeenSequence(sequence);
        return;
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

  #heartbeat(message: Heartbeat): void {
    const { leases } = this.#host;
    const nowMs = this.#deps.clock.nowMs();
    const answer = message.lease
      ? leases.request(this.link, message.lease, nowMs)
      : { ...leases.describe(nowMs), granted: false };
    const others = leases.others(this.link, nowMs);
    this.#send({ kind: 'heartbeatReply', id: message.id, ...answer, ...others, chains: this.#host.report() });
  }

  async #sign(request: SignRequest): Promise<void> {
    const { chainId } = request;
    const stream = this.#streams.get(chainId);
    if (stream === undefined) {
      const message = 'this cosigner has no share of that chain';
      return this.#send({ kind: 'refused', id: request.id, code: 'WRONG_CHAIN', message });
    }
    // What still waits for its turn when the stream ends must not become a half-finished vote for nobody. And a link that
    // has not told what it has seen could not know that this state is an old copy.
    const { leases } = this.#host;
    const { clock } = this.#deps;
    const admits = (): boolean => this.#open && this.#greeted && leases.admits(this.link, request.term, clock.nowMs());
    const reply = await this.#deps.inFlight.during(() => stream.sign(request, admits));
    this.#send(reply.kind === 'signed' ? this.#withFresh(reply, chainId, stream.nonces) : reply);
    clock.schedule(0, () => this.#replace(chainId, stream.nonces));
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
