import type { Group } from '../src/shared/frost/group.js';
import { invariant, must } from '../src/shared/invariant.js';
import type { Clock } from '../src/shared/ports/clock.js';
import type { Log } from '../src/shared/ports/log.js';
import type { RandomBytes } from '../src/shared/ports/random.js';
import type { CosignerHandlers } from './cosigners/cosigner-client.js';
import { heightReached, inabilities } from './cosigners/ability.js';
import { Peer } from './cosigners/peer.js';
import { Postman } from './cosigners/postman.js';
import { LeaderView, type Leader } from './leadership/leader-view.js';
import { EMBEDDED } from './leadership/lease-backend.js';
import { LeaseCandidate } from './leadership/lease-candidate.js';
import { LinkWatch, type ChainSituation, type LinkSituation } from './link-watch.js';
import type { GroupKey } from './signing/attempt.js';
import { ChainCoordinator } from './signing/chain-coordinator.js';
import { NewestSignature, type ProofKeeper } from './signing/newest-signature.js';
import type { SignOutcome, VoteToSign } from './vote-to-sign.js';

export interface LinkChain {
  readonly chainId: string;
  readonly threshold: number;
  readonly key: GroupKey;
}

export interface SentryLinkOptions {
  /** As the cosigners have pinned it. */
  readonly name: string;
  readonly chains: readonly LinkChain[];
  /** Ids of all cosigners. */
  readonly cosigners: readonly number[];
  readonly leaseMs: number;
  readonly deadlineMs: number;
}

export interface SentryLinkDeps {
  readonly group: Group;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Log;
  readonly proofs: ProofKeeper;
  /** Whether a node of the chain is connected, or has accepted a dial. */
  readonly reachesNode: (chainId: string) => boolean;
  /** Dial the nodes: this link leads now. */
  readonly onLeading: (term: number) => void;
  /** Close every connection to a node before doing anything else: another link may lead. */
  readonly onLost: (reason: string) => void;
}

/**
 * A sentry-link without its sockets: cosigners, leadership and one coordinator a chain. Connections to cosigners tell it what
 * happened, node sessions ask it to sign. It holds no secret.
 */
export class SentryLink {
  readonly candidate: LeaseCandidate;
  readonly #peers: ReadonlyMap<number, Peer>;
  readonly #coordinators: ReadonlyMap<string, ChainCoordinator>;
  readonly #newest: ReadonlyMap<string, NewestSignature>;
  readonly #chains: readonly LinkChain[];
  readonly #clock: Clock;
  readonly #postman: Postman;
  readonly #leaders = new LeaderView();
  readonly #watch: LinkWatch;
  /** The highest that a node has asked for in this term, by chain. */
  readonly #asked = new Map<string, bigint>();
  /** Chains of which the last request found too few cosigners in this term. */
  readonly #failing = new Set<string>();
  #lastRequestId = 0;

  constructor(options: SentryLinkOptions, deps: SentryLinkDeps) {
    const { group, clock, random, log, proofs } = deps;
    this.#chains = options.chains;
    this.#clock = clock;
    const groupKeys = new Map(options.chains.map(({ chainId, key }) => [chainId, key.publicKey]));
    const onChange = (chainId?: string): void => this.#poke(chainId);
    this.#peers = new Map(options.cosigners.map((id) => [id, new Peer(id, { groupKeys, clock, log, onChange })]));
    const { cosigners, leaseMs, chains } = options;
    this.#postman = new Postman({
      ...{ clock, cosigners, chains: chains.length },
      send: (id, message) => void this.#peer(id).stream.send(message),
    });
    // With fewer promises than the smallest threshold nothing could be signed; with as many, some chain can.
    const threshold = Math.min(...chains.map((chain) => chain.threshold));
    const useful = (): boolean => this.#chains.some((chain) => this.#ready(chain) && deps.reachesNode(chain.chainId));
    const ready = (): boolean => this.#chains.every((chain) => this.#ready(chain));
    this.candidate = new LeaseCandidate(
      { cosigners, threshold, leaseMs },
      {
        backend: EMBEDDED,
        clock,
        useful,
        ready,
        random,
        send: (id, message) => this.#peer(id).stream.send(message),
        onAcquired: deps.onLeading,
        onLost: (reason) => {
          deps.onLost(reason);
          this.#asked.clear();
          this.#failing.clear();
          // Rounds that are under way end: nobody is there any more to be answered.
          this.#poke();
        },
        onRoundTrip: (id, roundTripMs) => this.#peer(id).health.noteRoundTrip(roundTripMs),
      },
    );
    this.#watch = new LinkWatch({ name: options.name, situation: () => this.situation(), clock, log });
    const shared = {
      group,
      clock,
      log,
      peers: [...this.#peers.values()],
      nextRequestId: () => ++this.#lastRequestId,
      term: () => this.candidate.term(),
    };
    this.#newest = new Map(
      options.chains.map(({ chainId }) => [
        chainId,
        new NewestSignature(chainId, {
          ...{ clock, cosigners: options.cosigners, keeper: proofs },
          tell: (id, proof) => this.#peer(id).stream.send({ kind: 'proof', proof }),
        }),
      ]),
    );
    this.#coordinators = new Map(
      options.chains.map(({ chainId, key, threshold }) => [
        chainId,
        new ChainCoordinator(
          { chainId, deadlineMs: options.deadlineMs },
          { ...shared, key, threshold },
          must(this.#newest.get(chainId), 'every chain has one'),
        ),
      ]),
    );
  }

  start(): void {
    this.candidate.start();
    this.#watch.start();
  }

  /** Gives the lease back; the owner closes streams and nodes. */
  stop(): void {
    this.#watch.stop();
    for (const newest of this.#newest.values()) newest.stop();
    this.candidate.stop();
  }

  /** Whether anything can be signed, for people to read. */
  situation(): LinkSituation {
    return {
      term: this.candidate.term(),
      leader: this.leader(),
      chains: this.#chains.map((chain) => this.#chainSituation(chain)),
      claims: this.candidate.claims(),
    };
  }

  #chainSituation({ chainId, threshold }: LinkChain): ChainSituation {
    const peers = [...this.#peers.values()];
    const reached = this.#asked.get(chainId) ?? heightReached(chainId, threshold, peers);
    const connected = peers.filter(({ stream }) => stream.connected).length;
    const unable = inabilities(chainId, peers, reached);
    return { chainId, threshold, count: peers.length, connected, reached, unable };
  }

  /** Who leads, as the cosigners have it. */
  leader(): Leader | undefined {
    return this.#leaders.leader(this.#clock.nowMs());
  }

  async sign(chainId: string, vote: VoteToSign): Promise<SignOutcome> {
    invariant(vote.signBytes.says.chainId === chainId, 'a vote goes to the coordinator of its own chain');
    const { height } = vote.signBytes.says;
    if (this.candidate.term() !== undefined && height > (this.#asked.get(chainId) ?? 0n))
      this.#asked.set(chainId, height);
    const coordinator = must(this.#coordinators.get(chainId), 'sessions exist for configured chains only');
    const outcome = await coordinator.sign(vote);
    // What cosigners promise and report is not always what they do.
    if (outcome.kind === 'signed') this.#failing.delete(chainId);
    else if (outcome.code === 'QUORUM_LOST' && this.candidate.term() !== undefined) this.#failing.add(chainId);
    return outcome;
  }

  peers(): Iterable<Peer> {
    return this.#peers.values();
  }

  /** What the connection to a cosigner is to tell. */
  handlersFor(id: number): CosignerHandlers {
    const peer = this.#peer(id);
    return {
      newest: () => [...this.#newest.values()].flatMap(({ proof }) => proof ?? []),
      connected: (hello, outgoing) => {
        peer.opened(hello, outgoing);
        this.candidate.peerUp(id);
        this.#watch.look();
      },
      message: (message) => {
        if (message.kind === 'waitQuestion' || message.kind === 'waitAnswer') return this.#postman.carry(id, message);
        if (message.kind === 'leaseFree') return this.candidate.onFree(id, message.turn);
        peer.receive(message);
        if (message.kind !== 'heartbeatReply') return;
        this.#leaders.note(id, message, this.#clock.nowMs());
        this.candidate.onReply(id, message);
      },
      disconnected: ({ code }) => {
        peer.lost(code);
        this.candidate.peerLost(id);
        this.#watch.look();
      },
      passedOver: (count) => peer.notePassedOver(count),
      dialFailed: (code, release) => {
        peer.notReached(code, release);
        if (code === 'PEER_REFUSED') this.candidate.peerDown(id);
      },
    };
  }

  /** Whether enough cosigners would sign for it, now or soon, by what they say, and by what they did when they were asked last. */
  #ready(chain: LinkChain): boolean {
    const situation = this.#chainSituation(chain);
    const able = situation.count - situation.unable.length;
    const soon = situation.unable.filter(({ cosigner }) =>
      this.#peer(cosigner).chains.signsSoon(chain.chainId, chain.threshold),
    );
    if (able + soon.length < chain.threshold) return false;
    // What failed while some of them waited says nothing against the others.
    return soon.length > 0 || !this.#failing.has(chain.chainId);
  }

  #peer(id: number): Peer {
    return must(this.#peers.get(id), 'transports exist for configured cosigners only');
  }

  #poke(chainId?: string): void {
    if (chainId !== undefined) return this.#coordinators.get(chainId)?.poke();
    // Undefined only while the constructor runs.
    for (const coordinator of this.#coordinators?.values() ?? []) coordinator.poke();
  }
}
