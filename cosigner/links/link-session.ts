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
import type { Clock } from '../../src/shared/ports/clock.js';
import type { Log } from '../../src/shared/ports/log.js';
import { must } from '../../src/shared/invariant.js';
import type { ChainSigner } from '../signing/chain-signer.js';
import type { LeaseTable } from '../lease-table.js';
import type { NoncePool } from '../signing/nonce-pool.js';

/** What a session needs of its cosigner. */
export interface SessionHost {
  readonly leases: LeaseTable;
  chain(chainId: string): ChainSigner | undefined;
  chains(): Iterable<ChainSigner>;
  report(): readonly ChainReport[];
  hello(): CosignerHello;
}

export interface SessionDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly send: (message: CosignerMessage) => void;
  readonly onFault: (error: unknown) => void;
}

/**
 * One stream of one link. The nonces issued on it belong to it and are gone with it; the name of the link comes from
 * its pinned certificate, never from a message.
 */
export class LinkSession {
  readonly link: string;
  readonly #host: SessionHost;
  readonly #deps: SessionDeps;
  readonly #pools = new Map<string, NoncePool>();
  #open = true;
  #greeted = false;

  constructor(link: string, host: SessionHost, deps: SessionDeps) {
    this.link = link;
    this.#host = host;
    this.#deps = deps;
    deps.send(host.hello());
    for (const chain of host.chains()) {
      const pool = chain.newNoncePool();
      this.#pools.set(chain.chainId, pool);
      this.#fill(chain.chainId, pool);
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
    for (const pool of this.#pools.values()) pool.close();
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
    const chain = this.#host.chain(request.chainId);
    if (chain === undefined) {
      const message = 'this cosigner has no share of that chain';
      return this.#send({ kind: 'refused', id: request.id, code: 'WRONG_CHAIN', message });
    }
    const pool = must(this.#pools.get(chain.chainId), 'every chain has a nonce pool in every session');
    // What still waits for its turn when the stream ends must not become a half-finished vote for nobody.
    const admits = (): boolean => this.#open && this.#host.leases.admits(this.link, request.term);
    const reply = await chain.sign(request, pool, admits);
    this.#send(reply.kind === 'signed' ? this.#withFresh(reply, chain.chainId, pool) : reply);
    this.#deps.clock.schedule(0, () => this.#replace(chain.chainId, pool));
  }

  /**
   * After an answer has left, so that nobody waits for it: as many pairs as one request can use. They travel with the next
   * answer, or by themselves where there has been no share for a while.
   */
  #replace(chainId: string, pool: NoncePool): void {
    pool.generate(2);
    if (pool.worthTelling) this.#ship(chainId, pool);
  }

  /** Fills a new pool in portions, so that many chains do not hold up heartbeats. */
  #fill(chainId: string, pool: NoncePool): void {
    const missing = pool.generate(pool.batch);
    this.#ship(chainId, pool);
    if (missing) this.#deps.clock.schedule(0, () => this.#fill(chainId, pool));
  }

  #ship(chainId: string, pool: NoncePool): void {
    const batch = this.#takeReady(chainId, pool);
    if (batch !== undefined) this.#send(batch);
  }

  #withFresh(reply: SignedReply, chainId: string, pool: NoncePool): SignedReply {
    const fresh = this.#takeReady(chainId, pool);
    return fresh === undefined ? reply : { ...reply, fresh };
  }

  #takeReady(chainId: string, pool: NoncePool): NonceBatch | undefined {
    const commitments = pool.takeReady();
    return commitments.length > 0 ? { kind: 'nonceBatch', chainId, commitments } : undefined;
  }

  #send(message: CosignerMessage): void {
    if (this.#open) this.#deps.send(message);
  }
}
