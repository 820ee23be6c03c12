import { assembleLink, LINK_PARTS, type AssembledLink } from '../../sentry-link/assembly.js';
import type { GroupKey } from '../../sentry-link/signing/attempt.js';
import type { SentryLink } from '../../sentry-link/sentry-link.js';
import type { ProofKeeper } from '../../sentry-link/signing/newest-signature.js';
import type { SignOutcome, VoteToSign } from '../../sentry-link/vote-to-sign.js';
import { deal } from '../../src/shared/frost/dealer.js';
import { verificationShare } from '../../src/shared/frost/feldman.js';
import { isCanonicalScalar } from '../../src/shared/frost/group.js';
import { loadGroup } from '../../src/shared/frost/load-group.js';
import { invariant } from '../../src/shared/invariant.js';
import type { Log, LogFields } from '../../src/shared/ports/log.js';
import { extensionSignBytes, SignBytes, withTimestamp } from '../../src/shared/privval/sign-bytes.js';
import type { Proof } from '../../src/shared/watermark/proof.js';
import { DEFAULT_MAX_HEIGHT_JUMP } from '../../src/shared/watermark/rules.js';
import { Checker } from '../sim/checker.js';
import { Prng } from '../sim/prng.js';
import { ManualClock } from '../support/manual-clock.js';
import { ClusterCosigner } from './cluster-cosigner.js';
import { ClusterWire } from './cluster-wire.js';
import { CHAIN } from './votes.js';

export const DEADLINE_MS = 4_000;
const LEASE_MS = 1_000;
const REDIAL_MS = 150;
const group = await loadGroup();

export interface ClusterOptions {
  readonly threshold: number;
  readonly count: number;
  /** Started in this order; the first leads. */
  readonly links?: readonly string[];
  readonly seed?: number;
  readonly maxHeightJump?: bigint;
  readonly maxHeightsPerSecond?: number;
}

interface ClusterLink {
  readonly process: AssembledLink;
  readonly wires: ReadonlyMap<number, ClusterWire>;
}

/** Production cosigners and sentry-links joined by plain message passing under virtual time. Holds the checker of the simulator. */
export class Cluster {
  readonly clock = new ManualClock();
  readonly events: { readonly event: string; readonly fields: LogFields }[] = [];
  readonly faults: unknown[] = [];
  readonly cosigners: readonly ClusterCosigner[];
  readonly key: GroupKey;
  readonly #links = new Map<string, ClusterLink>();
  readonly #proofs = new Map<string, Proof>();
  readonly #random: Prng;
  readonly #checker: Checker;
  readonly #threshold: number;

  /** A cluster whose first link leads. */
  static async start(options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(options);
    for (const cosigner of cluster.cosigners) await cosigner.createState();
    const all = Promise.all(cluster.cosigners.map((cosigner) => cosigner.start()));
    await cluster.clock.pass(50);
    await all;
    for (const name of options.links ?? ['a']) {
      cluster.addLink(name);
      await cluster.clock.pass(2_500);
    }
    return cluster;
  }

  private constructor({ threshold, count, seed = 1, ...limits }: ClusterOptions) {
    const { maxHeightJump = DEFAULT_MAX_HEIGHT_JUMP, maxHeightsPerSecond = 0 } = limits;
    this.#random = new Prng(seed);
    this.#threshold = threshold;
    const secret = this.#random.bytes(32);
    secret[31] = secret[31]! & 0x0f;
    invariant(isCanonicalScalar(secret), 'below 2^252 is below L');
    const dealt = deal(group, { secret, threshold, count, random: this.#random.bytes });
    const publicKey = dealt.groupPublicKey;
    const ids = dealt.shares.map(({ id }) => id);
    const verificationShares = new Map(ids.map((id) => [id, verificationShare(group, dealt.commitments, id)]));
    this.key = { publicKey, verificationShares };
    const chain = { chainId: CHAIN, threshold, key: this.key, maxHeightJump, maxHeightsPerSecond };
    this.#checker = new Checker(group, [chain], new Set());
    const log = recordingLog((event, fields) => this.events.push({ event, fields }));
    this.cosigners = dealt.shares.map(
      ({ id, secretShare }) =>
        new ClusterCosigner(
          {
            ...{ id, others: ids.filter((other) => other !== id), threshold, groupPublicKey: publicKey, secretShare },
            ...{ maxHeightJump, maxHeightsPerSecond },
          },
          {
            group,
            clock: this.clock,
            random: this.#random.bytes,
            log,
            checker: this.#checker,
            onFault: (error) => this.faults.push(error),
          },
        ),
    );
  }

  get publicKey(): Uint8Array {
    return this.key.publicKey;
  }

  addLink(name: string): void {
    const wires = new Map(this.cosigners.map((cosigner) => [cosigner.id, new ClusterWire(this.clock, name, cosigner)]));
    const log = recordingLog((event, fields) => this.events.push({ event, fields: { ...fields, link: name } }));
    const process = assembleLink(
      {
        name,
        chains: [{ chainId: CHAIN, threshold: this.#threshold, key: this.key, nodes: [], mode: 'active' }],
        cosigners: this.cosigners.map(({ id }) => id),
        leaseMs: LEASE_MS,
        signDeadlineMs: DEADLINE_MS,
      },
      {
        ...{ group, clock: this.clock, random: this.#random.bytes, log },
        proofs: this.#proofsOf(name),
        connectNode: () => Promise.reject(new Error('the tests ask by themselves')),
        connectCosigner: (id, handlers) => wires.get(id)!.connection(handlers),
      },
      {
        // The tests ask as a node would that is connected.
        nodeService: (chains, deps) => Object.assign(LINK_PARTS.nodeService(chains, deps), { reaches: () => true }),
      },
    );
    this.#links.set(name, { process, wires });
    process.start();
  }

  /** What the host of a link keeps, whatever becomes of its process. */
  #proofsOf(name: string): ProofKeeper {
    let proof = this.#proofs.get(name);
    return {
      load: () => proof,
      save: (next) => void this.#proofs.set(name, (proof = next)),
    };
  }

  /** The disks of the links' hosts lose what was kept on them. */
  loseProofs(): void {
    this.#proofs.clear();
  }

  /** What a link has kept. */
  proofOf(link: string): Proof | undefined {
    return this.#proofs.get(link);
  }

  hasLink(name: string): boolean {
    return this.#links.has(name);
  }

  link(name: string): SentryLink {
    return this.#links.get(name)!.process.link;
  }

  wire(link: string, cosigner: number): ClusterWire {
    return this.#links.get(link)!.wires.get(cosigner)!;
  }

  cosigner(id: number): ClusterCosigner {
    return this.cosigners[id - 1]!;
  }

  /** The process is gone: its streams end, nothing is given back. */
  killLink(name: string): void {
    const { process, wires } = this.#links.get(name)!;
    for (const wire of wires.values()) wire.drop();
    void process.stop();
    this.#links.delete(name);
  }

  /** Its port refuses from now on, as every dial of a link finds out. */
  killCosigner(id: number): void {
    this.cosigner(id).kill();
    for (const { wires } of this.#links.values()) wires.get(id)!.drop();
    this.#refuse(id);
  }

  #refuse(id: number): void {
    if (this.cosigner(id).process !== undefined) return;
    for (const { wires } of this.#links.values()) wires.get(id)!.refuse();
    this.clock.schedule(REDIAL_MS, () => this.#refuse(id));
  }

  /** Starts it if need be, and gives every link a stream to it. */
  async startCosigner(id: number): Promise<void> {
    if (this.cosigner(id).process === undefined) {
      const started = this.cosigner(id).start();
      started.catch(() => undefined);
      await this.clock.pass(5);
      await started;
    }
    for (const { wires } of this.#links.values()) wires.get(id)!.open();
    await this.clock.pass(20);
  }

  /** Leaves only these cosigners connected to a link. */
  async onlyAlive(link: string, alive: readonly number[]): Promise<void> {
    for (const [id, wire] of this.#links.get(link)!.wires) {
      if (alive.includes(id)) wire.open();
      else wire.drop();
    }
    await this.clock.pass(20);
  }

  /** A node's question to one link, and what it answers; it must answer by its deadline. */
  async ask(link: string, vote: VoteToSign): Promise<SignOutcome> {
    let outcome: SignOutcome | undefined;
    void this.asking(link, vote).then((result) => (outcome = result));
    for (let ms = 0; outcome === undefined && ms <= DEADLINE_MS + 100; ms += 2) await this.clock.pass(2);
    if (outcome === undefined) throw new Error('no answer by the deadline');
    return outcome;
  }

  /** The same without moving the clock. */
  async asking(link: string, vote: VoteToSign): Promise<SignOutcome> {
    const outcome = await this.link(link).sign(CHAIN, vote);
    if (outcome.kind === 'refused') return outcome;
    const { extension } = vote;
    const { says } = vote.signBytes;
    const signed = SignBytes.encode(withTimestamp(says, outcome.timestamp));
    this.#checker.released(CHAIN, signed.bytes, outcome.signature);
    this.#checker.demand(
      'verified',
      (extension === undefined) === (outcome.extensionSignature === undefined),
      'a vote extension is signed exactly when it was asked for',
    );
    if (extension !== undefined && outcome.extensionSignature !== undefined) {
      const bytes = extensionSignBytes({ ...says, extension });
      this.#checker.extensionReleased(CHAIN, bytes, outcome.extensionSignature);
    }
    return outcome;
  }

  logged(event: string): readonly LogFields[] {
    return this.events.filter((one) => one.event === event).map(({ fields }) => fields);
  }
}

/** `signed` with the nanoseconds that were signed, or the code of the refusal. */
export function told(outcome: SignOutcome): string {
  return outcome.kind === 'signed' ? `signed ${outcome.timestamp.nanos}` : outcome.code;
}

function recordingLog(note: (event: string, fields: LogFields) => void): Log {
  const write = (event: string, fields: LogFields = {}): void => note(event, fields);
  return { debug: () => undefined, info: write, warn: write, error: write };
}
