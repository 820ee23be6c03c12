import type { LinkSession } from '../../cosigner/links/link-session.js';
import { MAX_LEASE_MS } from '../../src/shared/coordination/limits.js';
import type { ChainKey, CosignerMessage, NonceCommitment, SignReply } from '../../src/shared/coordination/messages.js';
import { ownRelease } from '../../src/shared/coordination/release.js';
import type { VoteToSign } from '../../sentry-link/vote-to-sign.js';
import type { Cluster } from './cluster.js';
import { CHAIN } from './votes.js';

/** Well above what elections in a test reach. */
const TERM = 1_000;

/** A link that follows no rules: it sends a sign request to the cosigners that the test names, and to no other. */
export class RawLink {
  readonly #cluster: Cluster;
  readonly #name: string;
  readonly #sessions = new Map<number, LinkSession>();
  readonly #commitments = new Map<number, NonceCommitment[]>();
  readonly #replies = new Map<string, SignReply>();
  #lastId = 0;

  /** `name`: whose identity it has; by default that of the link which leads, for a standby would not be served. */
  constructor(cluster: Cluster, name = 'a') {
    this.#cluster = cluster;
    this.#name = name;
  }

  /**
   * Asks `ids` for shares over this vote, as of an attempt whose signers are `ids` and as many others as make a quorum.
   * Their answers come back here and go nowhere else; by then they are as durable as the rules want.
   */
  async ask(
    ids: readonly number[],
    { signBytes, extension }: VoteToSign,
    how: {
      readonly settle?: boolean;
      readonly term?: number;
      readonly quorum?: number;
      readonly about?: Partial<ChainKey>;
    } = {},
  ): Promise<readonly (SignReply | undefined)[]> {
    for (const { id } of this.#cluster.cosigners) this.#open(id);
    await this.#cluster.clock.pass(0);
    const others = this.#cluster.cosigners.map(({ id }) => id).filter((id) => !ids.includes(id));
    const signers = [...ids, ...others].slice(0, how.quorum ?? 2).sort((a, b) => a - b);
    // Whoever is not asked uses none up: its first stands in for all.
    const take = (id: number): NonceCommitment => {
      const known = this.#commitments.get(id)!;
      return ids.includes(id) ? known.shift()! : known[0]!;
    };
    const entries = signers.map((id) => ({
      id,
      vote: take(id),
      extension: extension === undefined ? undefined : take(id),
    }));
    const id = ++this.#lastId;
    const { settle = false, term = TERM } = how;
    const request = {
      kind: 'signRequest',
      id,
      term,
      chainId: CHAIN,
      groupPublicKey: this.#cluster.publicKey,
      signBytes: signBytes.bytes,
      extension,
      settle,
      ...how.about,
    } as const;
    for (const one of ids) this.#sessions.get(one)?.receive({ ...request, signers: entries });
    await this.#cluster.clock.pass(1);
    return ids.map((one) => this.lastReply(one));
  }

  /** Asks this cosigner for the lease as one that leads: whether it may, the cosigner decides. */
  renew(id: number, term: number): void {
    this.#open(id);
    const lease = { term, leaseMs: MAX_LEASE_MS, renewal: true };
    this.#sessions.get(id)?.receive({ kind: 'heartbeat', id: ++this.#lastId, lease });
  }

  /** What this cosigner has answered to the last question. */
  lastReply(id: number): SignReply | undefined {
    return this.#replies.get(`${id} ${this.#lastId}`);
  }

  /** The link dies: what it was told is gone with it. */
  close(): void {
    for (const session of this.#sessions.values()) session.close();
    this.#sessions.clear();
    this.#commitments.clear();
  }

  #open(id: number): void {
    const { process } = this.#cluster.cosigner(id);
    if (this.#sessions.has(id) || process === undefined) return;
    const session = process.open(this.#name, (message) => this.#receive(id, message));
    this.#sessions.set(id, session);
    session.start();
    session.receive({ kind: 'linkHello', ...ownRelease('raw'), newest: [] });
  }

  #receive(id: number, message: CosignerMessage): void {
    if (message.kind === 'nonceBatch') {
      const known = this.#commitments.get(id) ?? [];
      this.#commitments.set(id, [...known, ...message.commitments]);
    } else if (message.kind === 'signed' || message.kind === 'stored' || message.kind === 'refused') {
      if (message.kind === 'signed' && message.fresh !== undefined) this.#receive(id, message.fresh);
      this.#replies.set(`${id} ${message.id}`, message);
    }
  }
}
