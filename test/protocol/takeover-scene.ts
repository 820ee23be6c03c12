import type { SignOutcome, VoteToSign } from '../../sentry-link/vote-to-sign.js';
import { invariant, must } from '../../src/shared/invariant.js';
import type { SignBytes } from '../../src/shared/privval/sign-bytes.js';
import { compareHrs, type Place, type Watermark } from '../../src/shared/watermark/watermark.js';
import { STUCK } from '../support/memory-disk.js';
import { Cluster, told } from './cluster.js';
import { vote, type VoteSpec } from './votes.js';

/** Long enough for all that is on its way, and shorter than any patience with it. */
const SOON_MS = 10;
/** A link is connected to all, and has the promises of those that are there. */
const SETTLED_MS = 300;
/** A link that takes over leads by then, also where the cosigners were started anew. */
const ELECTED_MS = 3_000;
const OLD = 'a';
const NEW = 'b';

/** A leader in the middle of one vote, and what comes after it. The first `t` cosigners are those that it can ask. */
export class TakeoverScene {
  readonly cluster: Cluster;
  readonly signers: readonly number[];
  readonly all: readonly number[];
  /** Who answers the node after the point was reached. */
  next = NEW;

  private constructor(cluster: Cluster, threshold: number) {
    this.cluster = cluster;
    this.all = cluster.cosigners.map(({ id }) => id);
    this.signers = this.all.slice(0, threshold);
  }

  static async start(threshold: number, count: number): Promise<TakeoverScene> {
    const scene = new TakeoverScene(await Cluster.start({ threshold, count, links: [] }), threshold);
    await scene.renew();
    return scene;
  }

  /** Two links that know of nothing, of which the first leads; every cosigner is there. */
  async renew(): Promise<void> {
    const { cluster } = this;
    for (const link of [OLD, NEW]) if (cluster.hasLink(link)) cluster.killLink(link);
    cluster.loseProofs();
    await cluster.clock.pass(50);
    cluster.addLink(OLD);
    await this.#until(`link ${OLD} leads`, () => this.#leads(OLD));
    cluster.addLink(NEW);
    await cluster.clock.pass(SETTLED_MS);
    await cluster.onlyAlive(OLD, this.signers);
    this.next = NEW;
  }

  /** The node asks the link that leads first, and what comes of it is not waited for. */
  ask(asked: VoteToSign): Promise<SignOutcome> {
    return this.cluster.asking(OLD, asked);
  }

  /** All that can happen by itself has happened. */
  async soon(): Promise<void> {
    await this.cluster.clock.pass(SOON_MS);
  }

  /** Requests to these stay on their way. */
  holdRequests(ids: readonly number[]): void {
    for (const id of ids) this.cluster.wire(OLD, id).holdRequests = true;
  }

  /** Answers of these stay on their way. */
  holdReplies(ids: readonly number[]): void {
    for (const id of ids) this.cluster.wire(OLD, id).holdReplies = true;
  }

  /** The disks of these take until later; what they write is then there. */
  slowDisks(ids: readonly number[], ms: number): void {
    const { clock } = this.cluster;
    for (const id of ids) {
      const { disk } = this.cluster.cosigner(id);
      const usual = disk.fates;
      disk.fates = () => {
        disk.fates = usual;
        return new Promise((resolve) => clock.schedule(ms, () => resolve({})));
      };
    }
  }

  /** Their processes die while they write, of which so many bytes arrive, and are started again. */
  async dieWriting(ids: readonly number[], keptBytes: number, ask: () => Promise<void>): Promise<void> {
    const usual = new Map(ids.map((id) => [id, this.cluster.cosigner(id).disk.fates]));
    for (const id of ids) this.cluster.cosigner(id).disk.fates = STUCK;
    await ask();
    for (const id of ids) {
      const { disk } = this.cluster.cosigner(id);
      this.cluster.killCosigner(id);
      disk.powerCut(() => keptBytes);
      disk.fates = must(usual.get(id), 'one each');
    }
    this.killOld();
    for (const id of ids) await this.cluster.startCosigner(id);
  }

  async restart(ids: readonly number[]): Promise<void> {
    for (const id of ids) this.cluster.killCosigner(id);
    for (const id of ids) await this.cluster.startCosigner(id);
  }

  /** The same, and their hosts have forgotten what is in memory: each waits until it has heard the others. */
  async reboot(ids: readonly number[]): Promise<void> {
    for (const id of ids) {
      this.cluster.killCosigner(id);
      this.cluster.cosigner(id).runFolder.clear();
    }
    for (const id of ids) await this.cluster.startCosigner(id);
  }

  killOld(): void {
    if (this.cluster.hasLink(OLD)) this.cluster.killLink(OLD);
  }

  /** The next one leads. */
  async takeOver(): Promise<void> {
    if (this.next === OLD) return this.soon();
    this.killOld();
    await this.cluster.clock.pass(SETTLED_MS);
    await this.#until(`link ${NEW} leads`, () => this.#leads(NEW));
    await this.#until('no cosigner waits', () =>
      this.cluster.cosigners.every(({ process }) => process?.report()[0]?.waiting === undefined),
    );
  }

  #leads(link: string): boolean {
    return this.cluster.link(link).candidate.term() !== undefined;
  }

  async #until(what: string, holds: () => boolean): Promise<void> {
    const { clock } = this.cluster;
    const untilMs = clock.nowMs() + ELECTED_MS;
    while (!holds() && clock.nowMs() < untilMs) await clock.pass(SOON_MS);
    invariant(holds(), what);
  }

  /** Who has the vote on its disk. */
  stored({ says }: SignBytes): readonly number[] {
    return this.all.filter((id) => isAt(this.durable(id), says) && this.durable(id).signBytes !== undefined);
  }

  /** Who knows that place from others, and not what is signed there. */
  floors({ says }: SignBytes): readonly number[] {
    return this.all.filter((id) => isAt(this.durable(id), says) && this.durable(id).signBytes === undefined);
  }

  durable(id: number): Watermark {
    return this.cluster.cosigner(id).durable();
  }

  /** The next link has these cosigners alone. */
  async leave(alive: readonly number[]): Promise<void> {
    const { cluster, next } = this;
    // It has their promises before it loses others.
    const isNew = alive.some((id) => !cluster.wire(next, id).connected);
    for (const id of alive) cluster.wire(next, id).open();
    if (isNew) await cluster.clock.pass(SETTLED_MS);
    await cluster.onlyAlive(next, alive);
  }

  async answer(asked: VoteSpec): Promise<string> {
    return told(await this.cluster.ask(this.next, vote(asked)));
  }
}

function isAt(watermark: Watermark, place: Place): boolean {
  return compareHrs(watermark, place) === 0;
}
