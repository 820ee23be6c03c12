import type { CosignerHello, CosignerMessage, NonceBatch, SignReply } from '../../src/shared/coordination/messages.js';
import type { Release } from '../../src/shared/coordination/release.js';
import type { ErrorCode } from '../../src/shared/error-codes.js';
import type { Clock } from '../../src/shared/ports/clock.js';
import type { Log } from '../../src/shared/ports/log.js';
import { PeerChains } from './peer-chains.js';
import { PeerHealth } from './peer-health.js';
import { PeerStream, type Outgoing } from './peer-stream.js';

export interface PeerDeps {
  /** The group public key that this cosigner must hold a share of, by chain. */
  readonly groupKeys: ReadonlyMap<string, Uint8Array>;
  readonly clock: Clock;
  readonly log: Log;
  /** Something changed that a waiting request may have been waiting for, of one chain or of all. */
  readonly onChange: (chainId?: string) => void;
}

/** A link's view of one cosigner: its stream, what it has for our chains, and how good it has been. */
export class Peer {
  readonly id: number;
  readonly stream: PeerStream;
  readonly chains: PeerChains;
  readonly health: PeerHealth;
  readonly #onChange: (chainId?: string) => void;
  #release: Release | undefined;
  #passedOver = 0;
  #problem: ErrorCode | undefined;

  constructor(id: number, { groupKeys, clock, log, onChange }: PeerDeps) {
    this.id = id;
    this.stream = new PeerStream(clock);
    this.chains = new PeerChains(id, groupKeys, clock, log);
    this.health = new PeerHealth(clock);
    this.#onChange = onChange;
  }

  /** What the process that answered last said of itself; undefined before. */
  get release(): Release | undefined {
    return this.#release;
  }

  /** Parts of its messages that are not in this version. */
  get passedOver(): number {
    return this.#passedOver;
  }

  /** Why there is no stream; undefined while there is one, and before the first dial has ended. */
  get problem(): ErrorCode | undefined {
    return this.#problem;
  }

  opened(hello: CosignerHello, outgoing: Outgoing): void {
    this.#release = hello;
    this.#problem = undefined;
    this.stream.opened(outgoing);
    this.chains.opened(hello);
    this.#onChange();
  }

  lost(code: ErrorCode): void {
    this.#problem = code;
    this.chains.lost();
    this.stream.lost();
    this.#onChange();
  }

  /** No stream came of a dial, be it that `release` is too old. */
  notReached(code: ErrorCode, release?: Release): void {
    this.#problem = code;
    if (release !== undefined) this.#release = release;
  }

  notePassedOver(count: number): void {
    this.#passedOver = count;
  }

  receive(message: CosignerMessage): void {
    switch (message.kind) {
      case 'cosignerHello':
        return;
      case 'heartbeatReply':
        return this.chains.note(message.chains);
      case 'nonceBatch':
        return this.#add(message);
      case 'signed':
        if (message.fresh !== undefined) this.#add(message.fresh);
        return this.#answered(message);
      case 'stored':
      case 'refused':
        return this.#answered(message);
      case 'waitQuestion':
      case 'waitAnswer':
        // Not for this link: it carries them.
        return;
      case 'leaseFree':
        // For whoever asks for the lease.
        return;
    }
  }

  /** Whether it would take part in a signature of this chain, as far as it says itself. */
  willing(chainId: string): boolean {
    return this.stream.connected && this.chains.willing(chainId);
  }

  /** Whether it can take part in a signature of this chain that needs `nonces` commitments now. */
  ready(chainId: string, nonces: number): boolean {
    return this.willing(chainId) && this.chains.has(chainId, nonces);
  }

  #add(batch: NonceBatch): void {
    const added = this.chains.add(batch);
    if (added === 'tooMany') this.chains.leaveOut(batch.chainId, 'more nonce commitments than were asked for');
    if (added === 'wanted') this.#onChange(batch.chainId);
  }

  #answered(reply: SignReply): void {
    const awaited = this.stream.answered(reply);
    if (awaited === undefined) return;
    this.health.noteAnswer(awaited.tookMs);
    if (reply.kind !== 'refused') this.health.noteServed();
    awaited.onReply(reply);
  }
}
