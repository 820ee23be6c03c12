import type { CosignerParts } from '../../cosigner/assembly.js';
import { invariant, must } from '../../src/shared/invariant.js';
import { deal } from '../../src/shared/frost/dealer.js';
import { verificationShare } from '../../src/shared/frost/feldman.js';
import { isCanonicalScalar, type Group } from '../../src/shared/frost/group.js';
import type { CosignerMessage } from '../../src/shared/coordination/messages.js';
import type { ErrorCode } from '../../src/shared/error-codes.js';
import { isHekateError, messageOf } from '../../src/shared/errors.js';
import type { Timer } from '../../src/shared/ports/clock.js';
import { ManualClock } from '../support/manual-clock.js';
import type { Break } from './breaks.js';
import { Checker } from './checker.js';
import { Coverage } from './coverage.js';
import type { DiskFaults } from './disk-faults.js';
import { drawPlan, type FaultName, type Plan } from './faults.js';
import { LyingCosigner } from './lying-cosigner.js';
import { LyingLink } from './lying-link.js';
import { ChainHead } from './chain-head.js';
import { careless, forgetful, KeepingPool, neverClosing, SIM_PARTS } from './parts.js';
import { plot, type PlotWorld } from './plot.js';
import { Prng } from './prng.js';
import { SimCosigner, type SimCosignerChain } from './sim-cosigner.js';
import { SimLink, type SimLinkChain } from './sim-link.js';
import { RESTS, SimNode } from './sim-node.js';
import { SimWire, type WireFaults } from './sim-wire.js';

const HEAL_MS = 1_500;
const LIVENESS_MS = 20_000;
/** One that waits goes on after a height that it sits out (docs/invariants.md, W7). */
const SIT_OUT_MS = 40_000;
/** Heights that must be signed of each chain after the last fault. */
const LIVENESS_HEIGHTS = 2n;
/** What the nodes ask for is signed meanwhile, and what was signed is shown to everybody. */
const SIGNING_MS = 2_000;
const RESTING_MS = 2_500;
/** A height is sat out before this is over. */
const BEHIND_MS = 36_000;
/** Further behind than this a cosigner is raised by an operator, so that it need not wait for its pace. */
const BEHIND = 40n;
/** What a port that refuses may do to leadership: it stands in for a promise for 10 s (docs/invariants.md). */
const STAND_IN_MS = 11_000;
/** So long a link leads without the promise of a stream that is closed, and until it has let go; clocks go as they like. */
const REDIAL_MS = 600;
/** A process that was stopped has this long to see what it has missed. */
const CATCH_UP_MS = 6_000;

const STOPS = { pause: 'process', 'pause-host': 'host', suspend: 'machine' } as const;

/** What may halt a chain here, each for something that the world did. */
const CAUSES: readonly ErrorCode[] = ['STATE_WRITE_FAILED', 'STATE_UNREADABLE'];
const CAUSES_WHEN_SPOILED: readonly ErrorCode[] = ['STATE_MISSING', 'STATE_CORRUPT'];

interface Chain extends SimCosignerChain {
  readonly shares: ReadonlyMap<number, SimCosignerChain['secretShare']>;
  readonly nodes: readonly SimNode[];
}

/** One run: a cluster under virtual time, its faults, and the checker that watches it. Everything follows from the seed. */
export class World {
  readonly trace: string[] = [];
  readonly coverage = new Coverage();
  readonly #clock = new ManualClock();
  readonly #random: Prng;
  readonly #plan: Plan;
  readonly #broken: Break | undefined;
  readonly #group: Group;
  readonly #checker: Checker;
  readonly #chains: readonly Chain[];
  readonly #cosigners: readonly SimCosigner[];
  readonly #liars: ReadonlyMap<number, LyingCosigner>;
  readonly #links: readonly SimLink[];
  readonly #lyingLinks: readonly LyingLink[];
  readonly #wires: SimWire[] = [];
  readonly #wireFaults: WireFaults;
  readonly #diskFaults: DiskFaults;
  /** When those that are down start again. */
  readonly #starts = new Map<SimCosigner, Timer>();
  /** An operator is at work there. */
  readonly #mending = new Set<SimCosigner>();
  #twoLeaders: boolean;
  /** Until then two links may dial one node, for what the world did. */
  #diallersExcusedUntilMs = 0;
  readonly #linksExcusedUntilMs = new Map<string, number>();
  /** Hosts that have forgotten something, until their wait is over. */
  readonly #forgetful = new Set<SimCosigner>();
  /** Hosts that never come back. */
  readonly #gone = new Set<SimCosigner>();
  #failure: unknown;
  #calm = false;

  constructor(seed: number, group: Group, faults: readonly FaultName[], broken: Break | undefined) {
    this.#random = new Prng(seed);
    this.#group = group;
    this.#broken = broken;
    const plan = drawPlan(this.#random, broken, faults);
    this.#plan = plan;
    const { loss, duplicate, straggle } = plan;
    this.#wireFaults = { loss, duplicate, straggle };
    this.#diskFaults = { writeFailure: 0, slowWrite: 0, readFailure: 0 };
    this.#twoLeaders = plan.twoLeaders;
    this.#note(
      `plan ${JSON.stringify(plan, (_, value: unknown) => (typeof value === 'bigint' ? Number(value) : value))}`,
    );
    this.#notePlan();

    const ids = Array.from({ length: plan.count }, (_, i) => i + 1);
    this.#liars = new Map(
      ids
        .slice(plan.count - plan.lyingCosigners)
        .map((id) => [id, new LyingCosigner(this.#random.fork(), this.coverage)]),
    );
    const keys = Array.from({ length: plan.chains }, (_, i) => this.#deal(`sim-${i + 1}`));
    this.#checker = new Checker(group, keys, new Set(this.#liars.keys()));
    this.#chains = keys.map((key) => ({ ...key, nodes: this.#nodesOf(key.chainId) }));
    this.#cosigners = ids.map((id) => this.#cosigner(id));
    this.#links = Array.from({ length: plan.links }, (_, i) => this.#link(`link-${i + 1}`, ids));
    this.#lyingLinks = Array.from({ length: plan.lyingLinks }, (_, i) => this.#lyingLink(`liar-${i + 1}`, ids));
    for (const link of [...this.#links, ...this.#lyingLinks])
      for (const cosigner of this.#cosigners) this.#wires.push(this.#wire(link, cosigner));
  }

  get signatures(): number {
    return this.#checker.signatures;
  }

  /** Throws RuleViolation, or whatever else went wrong. */
  async run(): Promise<void> {
    for (const cosigner of this.#cosigners) await cosigner.createStates();
    const { writeFailure, slowWrite, readFailure } = this.#plan;
    Object.assign(this.#diskFaults, { writeFailure, slowWrite, readFailure });
    for (const cosigner of this.#cosigners) this.#startCosigner(cosigner);
    for (const { nodes } of this.#chains) for (const node of nodes) node.start();
    for (const wire of this.#wires) wire.start();
    for (const link of [...this.#links, ...this.#lyingLinks]) link.start();
    this.#schedule(() => this.#fault());
    if (this.#plan.plots) this.#plotSoon();
    await this.#pass(this.#plan.faultyMs);
    await this.#heal();
    const before = this.#signedHeights();
    const goal = before.map((heights) => heights + LIVENESS_HEIGHTS);
    const reached = (): boolean => this.#signedHeights().every((heights, i) => heights >= goal[i]!);
    const patienceMs = this.#gone.size > 0 ? SIT_OUT_MS + LIVENESS_MS : LIVENESS_MS;
    for (let passed = 0; passed < patienceMs && !reached(); passed += 250) await this.#pass(250);
    const made = this.#signedHeights().map((heights, i) => heights - before[i]!);
    const why = `${made.join(' and ')} heights signed in ${patienceMs} ms after the last fault`;
    this.#checker.demand('goes-on', reached(), why);
  }

  #signedHeights(): readonly bigint[] {
    return this.#chains.map(({ nodes }) => nodes.reduce((sum, node) => sum + BigInt(node.signedHeights), 0n));
  }

  async #pass(ms: number): Promise<void> {
    const untilMs = this.#clock.nowMs() + ms;
    while (this.#clock.nowMs() < untilMs) {
      await this.#clock.pass(Math.min(50, untilMs - this.#clock.nowMs()));
      for (const cosigner of this.#cosigners) this.#look(cosigner);
      if (this.#failure !== undefined) throw this.#failure as Error;
    }
  }

  #look(cosigner: SimCosigner): void {
    for (const chainId of cosigner.chainIds) {
      const code = cosigner.halted(chainId);
      if (code === undefined) continue;
      this.coverage.note(`state: halted by ${code}`);
      const message = `cosigner ${cosigner.id} halted ${chainId} with ${code}`;
      this.#checker.demand('halts-for-cause', this.#isCause(cosigner, chainId, code), message);
    }
  }

  #isCause(cosigner: SimCosigner, chainId: string, code: ErrorCode): boolean {
    if (CAUSES.includes(code) || cosigner.lies) return true;
    return cosigner.spoiled(chainId) !== undefined && CAUSES_WHEN_SPOILED.includes(code);
  }

  #deal(chainId: string): Omit<Chain, 'nodes'> {
    const { threshold, count, maxHeightJump, maxHeightsPerSecond } = this.#plan;
    const secret = this.#random.bytes(32);
    secret[31] = secret[31]! & 0x0f;
    invariant(isCanonicalScalar(secret), 'below 2^252 is below L');
    const dealt = deal(this.#group, { secret, threshold, count, random: this.#random.bytes });
    const shares = new Map(dealt.shares.map(({ id, secretShare }) => [id, secretShare]));
    const verificationShares = new Map(
      dealt.shares.map(({ id }) => [id, verificationShare(this.#group, dealt.commitments, id)]),
    );
    const { groupPublicKey } = dealt;
    return {
      ...{ chainId, threshold, maxHeightJump, maxHeightsPerSecond, groupPublicKey, shares },
      key: { publicKey: groupPublicKey, verificationShares },
      secretShare: must(shares.get(1), 'there are shares'),
    };
  }

  #nodesOf(chainId: string): readonly SimNode[] {
    const head = this.#plan.nodesFollow ? new ChainHead(this.#clock, this.#random.fork()) : undefined;
    const names = ['a', 'b'].slice(0, this.#plan.nodesPerChain).map((name) => `node-${name}.${chainId}`);
    return names.map(
      (name) =>
        new SimNode(name, chainId, 1n, {
          ...{ clock: this.#clock, random: this.#random.fork(), checker: this.#checker, coverage: this.coverage },
          trace: (event) => this.#note(event),
          newHeight: () => this.#newHeight(chainId),
          head: () => head,
          overheard: ({ says }) => {
            for (const liar of this.#lyingLinks) liar.overhears(says);
          },
          got: (signBytes, signature) => this.#tellLiars(chainId, signBytes, signature),
          excused: (link) => this.#clock.nowMs() < (this.#linksExcusedUntilMs.get(link) ?? 0),
          failed: (error) => (this.#failure ??= error),
        }),
    );
  }

  #tellLiars(chainId: string, signBytes: Uint8Array, signature: Uint8Array): void {
    const { key } = must(
      this.#chains.find((chain) => chain.chainId === chainId),
      'nodes are of chains',
    );
    for (const liar of this.#lyingLinks) liar.learns({ chainId, groupPublicKey: key.publicKey, signBytes, signature });
  }

  #cosigner(id: number): SimCosigner {
    const chains = this.#chains.map((chain) => ({ ...chain, secretShare: must(chain.shares.get(id), 'dealt to all') }));
    return new SimCosigner(
      {
        ...{
          id,
          others: this.#others(id),
          chains,
          parts: this.#parts(),
          liar: this.#liars.get(id),
          diskLies: this.#broken === 'durable-first',
        },
        admitsAll: () => this.#twoLeaders,
      },
      {
        ...{ group: this.#group, clock: this.#clock, diskFaults: this.#diskFaults, diskRandom: this.#random.fork() },
        ...{ random: this.#random.fork(), checker: this.#checker, coverage: this.coverage },
        trace: (event) => this.#note(event),
        onFault: (error) => (this.#failure ??= error),
      },
    );
  }

  #others(id: number): readonly number[] {
    return Array.from({ length: this.#plan.count }, (_, i) => i + 1).filter((one) => one !== id);
  }

  /** Production's parts, but for the rule that is switched off. */
  #parts(): CosignerParts {
    switch (this.#broken) {
      case 'watermark':
        return { ...SIM_PARTS, openWatermark: forgetful };
      case 'state-missing':
        return { ...SIM_PARTS, openWatermark: careless };
      case 'nonce-once':
        return { ...SIM_PARTS, noncePool: (...made) => new KeepingPool(...made) };
      default:
        return SIM_PARTS;
    }
  }

  #link(name: string, cosigners: readonly number[]): SimLink {
    const chains: SimLinkChain[] = this.#chains.map((chain) => ({
      ...chain,
      nodes: chain.nodes.map((node) => node.name),
    }));
    const serving = this.#broken === 'lease-close' ? neverClosing : <T>(production: T): T => production;
    return new SimLink(
      { name, cosigners, chains, serving, watched: this.#plan.watched },
      {
        ...{ group: this.#group, clock: this.#clock, random: this.#random.fork(), coverage: this.coverage },
        ...{ checker: this.#checker, onFault: (error) => (this.#failure ??= error) },
        trace: (event) => this.#note(event),
        killed: (one) => this.#watcherKills(one),
        connect: (link, node, abort) => this.#connect(link, node, abort),
        connectCosigner: (link, id, handlers) => this.#wireOf(link.name, id).connection(handlers),
      },
    );
  }

  #lyingLink(name: string, cosigners: readonly number[]): LyingLink {
    return new LyingLink(name, this.#chains, cosigners, {
      ...{ group: this.#group, clock: this.#clock, random: this.#random.fork(), coverage: this.coverage },
      lurks: this.#plan.plots,
      connect: (link, id, handlers) => this.#wireOf(link.name, id).connection(handlers),
      sendBytes: (link, id, bytes) => void this.#wireOf(link.name, id).send(bytes),
    });
  }

  #wire(link: SimLink | LyingLink, cosigner: SimCosigner): SimWire {
    return new SimWire(link, cosigner, {
      ...{ clock: this.#clock, random: this.#random.fork(), faults: this.#wireFaults, coverage: this.coverage },
      forge: (message) => this.#forge(message),
      dropped: () => this.#excuseDiallers(REDIAL_MS),
    });
  }

  #wireOf(link: string, cosigner: number): SimWire {
    const found = this.#wires.find((wire) => wire.linkName === link && wire.cosignerId === cosigner);
    return must(found, 'every link has a wire to every cosigner');
  }

  #wiresOf(side: string | number): readonly SimWire[] {
    return this.#wires.filter((wire) => wire.linkName === side || wire.cosignerId === side);
  }

  /** With two leaders, a denied lease reads as granted on its way to the link. */
  #forge(message: CosignerMessage): CosignerMessage {
    if (!this.#twoLeaders || message.kind !== 'heartbeatReply') return message;
    return { ...message, granted: true, holder: '', remainingMs: 0 };
  }

  #connect(link: SimLink, name: string, abort: AbortSignal): ReturnType<SimNode['connect']> {
    const node = must(
      this.#chains.flatMap(({ nodes }) => nodes).find((one) => one.name === name),
      'only nodes that there are are dialled',
    );
    const others = node.diallers.filter((other) => other !== link.name);
    const allowed = this.#plan.twoLeaders || others.length === 0 || this.#clock.nowMs() < this.#diallersExcusedUntilMs;
    this.#guard(() =>
      this.#checker.demand('one-dialler', allowed, `${link.name} dials ${name} while ${others.join()} does`),
    );
    return node.connect(link.name, link.clock, abort);
  }

  /** Two links may dial one node for so long, for what the world does. */
  #excuseDiallers(ms: number): void {
    this.#diallersExcusedUntilMs = Math.max(this.#diallersExcusedUntilMs, this.#clock.nowMs() + ms);
  }

  #guard(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.#failure ??= error;
    }
  }

  #schedule(task: () => void): void {
    const delayMs = -Math.log(1 - this.#random.unit()) * this.#plan.faultEveryMs;
    this.#clock.schedule(delayMs, () => {
      if (this.#calm) return;
      task();
      this.#schedule(task);
    });
  }

  #fault(): void {
    if (this.#plan.faults.length === 0) return;
    const random = this.#random;
    const kind = random.pick(this.#plan.faults);
    const cosigner = random.pick(this.#cosigners);
    const link = random.pick(this.#links);
    this.coverage.note(`fault: ${kind}`);
    switch (kind) {
      case 'kill':
      case 'crash':
        return this.#stopCosigner(cosigner, kind);
      case 'crash-all':
      case 'kill-all':
        if (random.chance(0.3))
          for (const one of this.#cosigners) this.#stopCosigner(one, kind === 'kill-all' ? 'kill' : 'crash');
        return;
      case 'link':
        return this.#crashLink(link);
      case 'end-link':
        return this.#endLink(link);
      case 'transfer':
        if (this.#links.some((one) => one.transfer())) this.coverage.note('lease handed over by hand');
        return;
      case 'node':
        return random.pick(this.#chains.flatMap(({ nodes }) => nodes)).restart();
      case 'node-away':
        return random.pick(this.#chains.flatMap(({ nodes }) => nodes)).goAway(random.between(100, 7_000));
      case 'node-rests':
        return this.#rest();
      case 'node-use':
        return this.#useNode();
      case 'cut':
        return this.#cut();
      case 'refuse':
        return this.#refuse();
      case 'pause':
      case 'pause-host':
      case 'suspend':
        return this.#pause(random.chance(0.5) ? link : cosigner, kind);
      case 'rate':
        return this.#setRate(random.chance(0.5) ? link : cosigner);
      case 'amnesia':
        return this.#amnesia();
      case 'recover':
        for (const chainId of cosigner.waitingChains) void this.#recover(cosigner, chainId);
        return;
      case 'other-folder':
        return this.#startElsewhere(cosigner);
      case 'wall-clock':
        return cosigner.setWallClock(random.pick([-100, -1, 0, 60, 1_000]));
      default:
        return this.#spoil(cosigner, kind);
    }
  }

  #rest(): void {
    const { chainId, nodes } = this.#random.pick(this.#chains);
    const how = this.#random.pick(RESTS);
    // What was never signed takes any first height.
    if (how === 'astray' && this.#reached(chainId) === 0n) return;
    this.coverage.note(`node ${how}`);
    this.#random.pick(nodes).rest(how, this.#random.between(1_000, 14_000));
  }

  #useNode(): void {
    const { chainId, nodes } = this.#random.pick(this.#chains);
    const { name } = this.#random.pick(nodes);
    for (const link of this.#links) link.useNode(name, chainId);
  }

  #stopCosigner(cosigner: SimCosigner, how: 'kill' | 'crash' | 'hands', forMs = this.#random.between(10, 2_500)): void {
    if (this.#mending.has(cosigner)) return;
    this.#note(`cosigner ${cosigner.id}: ${how}`);
    if (this.#random.chance(0.5)) cosigner.takeCopy();
    if (how === 'kill') cosigner.kill();
    else cosigner.crash(how === 'hands');
    for (const wire of this.#wiresOf(cosigner.id)) wire.processDied('cosigner');
    this.#startLater(cosigner, forMs);
  }

  #startLater(cosigner: SimCosigner, inMs: number): void {
    this.#starts.get(cosigner)?.cancel();
    this.#starts.set(
      cosigner,
      this.#clock.schedule(inMs, () => this.#startCosigner(cosigner)),
    );
  }

  #startCosigner(cosigner: SimCosigner): void {
    if (cosigner.runs || this.#gone.has(cosigner)) return;
    if (this.#mending.has(cosigner) || cosigner.disk.writing) return this.#startLater(cosigner, 100);
    this.#note(`cosigner ${cosigner.id} starts`);
    cosigner.start().catch((error: unknown) => {
      this.#note(`cosigner ${cosigner.id} does not start: ${messageOf(error)}`);
      // What the world did is no reason to fail; a state that cannot be read after a crash is.
      const code = isHekateError(error) ? error.code : undefined;
      const cause = cosigner.chainIds.some((chainId) => code !== undefined && this.#isCause(cosigner, chainId, code));
      if (!cause && !cosigner.lies) return void (this.#failure ??= error);
      this.coverage.note(`state: does not start, ${code}`);
      cosigner.crash();
      this.#startLater(cosigner, 500);
    });
  }

  #crashLink(link: SimLink, loses = this.#random.chance(0.3)): void {
    this.#note(`${link.name} crashes`);
    this.#linkDies(link, () => link.crash(loses));
    this.#clock.schedule(this.#random.between(10, 2_500), () => link.start());
  }

  #watcherKills(link: SimLink): void {
    this.#note(`${link.name} stands still, and is killed`);
    this.coverage.note('watcher kills a link');
    this.#linkDies(link, () => link.kill());
  }

  #linkDies(link: SimLink, die: () => void): void {
    for (const wire of this.#wiresOf(link.name)) wire.processDied('link');
    die();
    for (const { nodes } of this.#chains) for (const node of nodes) node.linkDied(link.name);
  }

  #endLink(link: SimLink): void {
    this.#note(`${link.name} is told to end`);
    link.end(() => {
      this.coverage.note('link ended in order');
      this.#crashLink(link, false);
    });
  }

  #cut(): void {
    const random = this.#random;
    const [up, down] = random.pick([
      [true, true],
      [true, false],
      [false, true],
    ] as const);
    const side = random.chance(0.5) ? random.pick(this.#links).name : random.pick(this.#cosigners).id;
    const wires = this.#wiresOf(side);
    this.#note(`cut of ${side}: up ${up} down ${down}`);
    for (const wire of wires) [wire.cutUp, wire.cutDown] = [up, down];
    this.#clock.schedule(random.between(100, 3_000), () => {
      for (const wire of wires) [wire.cutUp, wire.cutDown] = [false, false];
      this.#note(`cut of ${side} healed`);
    });
  }

  #refuse(): void {
    const random = this.#random;
    const [link, ids] = [random.pick(this.#links), this.#cosigners.map(({ id }) => id)];
    const refused = ids.filter(() => random.chance(0.6)).map((id) => this.#wireOf(link.name, id));
    this.#note(`ports refuse ${link.name}: ${refused.map(({ cosignerId }) => cosignerId).join()}`);
    const ms = random.between(200, 4_000);
    this.#excuseDiallers(ms + STAND_IN_MS);
    for (const wire of refused) wire.refuse(true);
    this.#clock.schedule(ms, () => {
      for (const wire of refused) wire.refuse(false);
    });
  }

  /**
   * Only t cosigners are within reach and sign; then some of them are put back to before, the rest of them are dead for a
   * while, nobody else has heard of it, and all others are there again: what the waiting start is for.
   */
  #amnesia(): void {
    const random = this.#random;
    const { threshold, count, lyingCosigners } = this.#plan;
    if (lyingCosigners > 0 || !this.#cosigners.every((one) => this.#isWell(one))) return;
    const shuffled = this.#cosigners.map((one) => ({ one, at: random.unit() })).sort((a, b) => a.at - b.at);
    const signers = shuffled.slice(0, threshold).map(({ one }) => one);
    const away = shuffled.slice(threshold, count).flatMap(({ one }) => this.#wiresOf(one.id));
    const copies = new Map(signers.map((one) => [one, one.copy()]));
    this.#note(`only ${signers.map(({ id }) => id).join()} are within reach`);
    for (const wire of away) [wire.cutUp, wire.cutDown] = [true, true];
    this.#clock.schedule(random.between(100, 900), () => {
      for (const wire of away) [wire.cutUp, wire.cutDown] = [false, false];
      if (this.#calm || !signers.every((one) => this.#isWell(one))) return;
      for (const one of signers) this.#stopCosigner(one, random.pick(['crash', 'hands']), random.between(1_500, 4_000));
      // One that still runs would not count as one that has forgotten.
      const forgetful = signers.slice(0, 1 + random.below(threshold - 1)).filter((one) => this.#mayForget(one));
      for (const one of forgetful) one.putBackTo(copies.get(one)!);
      for (const liar of this.#lyingLinks) liar.scents(forgetful.map(({ id }) => id));
      this.coverage.note('fault: amnesia, done');
      this.#note(`${forgetful.map(({ id }) => id).join()} have forgotten it, nobody else knows of it`);
      for (const link of this.#links) this.#crashLink(link, true);
    });
  }

  /** As soon as everything is well, until one has come to something. */
  #plotSoon(): void {
    this.#clock.schedule(100, () => {
      if (this.#calm) return;
      this.#plot().then(
        (done) => (done ? undefined : this.#plotSoon()),
        (error: unknown) => (this.#failure ??= error),
      );
    });
  }

  async #plot(): Promise<boolean> {
    const liar = must(this.#lyingLinks[0], 'plots are made by a lying link');
    const { chainId } = this.#random.pick(this.#chains);
    const isReady = (one: SimCosigner): boolean =>
      this.#isWell(one) && !one.waits && one.durable(chainId)?.fresh === false;
    if (!this.#cosigners.every(isReady)) return false;
    this.#note(`a plot is made about ${chainId}`);
    return plot(this.#plotWorld(), liar, chainId);
  }

  #plotWorld(): PlotWorld {
    return {
      ...{ random: this.#random, threshold: this.#plan.threshold, cosigners: this.#cosigners },
      going: () => !this.#calm,
      after: (ms) => this.#after(ms),
      stop: (cosigner, how, forMs) => this.#stopCosigner(cosigner, how, forMs),
      mayForget: (cosigner) => this.#mayForget(cosigner),
      crashLinks: () => {
        for (const link of this.#links) this.#crashLink(link, true);
      },
      recover: (cosigner, chainId) => this.#recover(cosigner, chainId),
    };
  }

  #after(ms: number): Promise<void> {
    return new Promise((resolve) => this.#clock.schedule(ms, resolve));
  }

  #isWell(one: SimCosigner): boolean {
    return one.runs && !this.#mending.has(one) && one.chainIds.every((chainId) => one.spoiled(chainId) === undefined);
  }

  /** An operator reads the newest height of a node, one more, and ends a wait with it. */
  async #recover(cosigner: SimCosigner, chainId: string): Promise<void> {
    if (this.#calm || cosigner.lies) return;
    const height = this.#reached(chainId) + 1n;
    try {
      const outcome = await cosigner.recover(chainId, height);
      this.#note(`an operator ends the wait of cosigner ${cosigner.id} on ${chainId} at ${height}: ${outcome}`);
      this.coverage.note(`operator: ${outcome}`);
    } catch (error) {
      if (!isHekateError(error)) return void (this.#failure ??= error);
      this.coverage.note(`operator: recovers, ${error.code}`);
    }
  }

  /** Stopped, and started by hand with another run-time folder; the next time as always. */
  #startElsewhere(cosigner: SimCosigner): void {
    this.#stopCosigner(cosigner, 'kill');
    if (!cosigner.runs) cosigner.useRunFolder(this.#random.pick(['usual', 'other']));
  }

  #pause(host: SimLink | SimCosigner, kind: 'pause' | 'pause-host' | 'suspend'): void {
    if (host.clock.stopped || !host.runs) return;
    const ms = this.#random.between(20, 3_000);
    const name = host instanceof SimLink ? host.name : `cosigner ${host.id}`;
    this.#note(`${name}: ${kind} for ${ms.toFixed(0)} ms`);
    const nowMs = this.#clock.nowMs();
    if (host instanceof SimLink) {
      this.#linksExcusedUntilMs.set(name, nowMs + ms + CATCH_UP_MS);
      // A process that is stopped closes nothing; and a lease that ran out while the clock stood still looks alive.
      this.#excuseDiallers(ms + CATCH_UP_MS);
    }
    host.stop(STOPS[kind]);
    this.#clock.schedule(ms, () => host.goOn());
  }

  /** A little off is within what leases allow for; far off is not, and may cost a second dialler. */
  #setRate(host: SimLink | SimCosigner): void {
    const random = this.#random;
    const wild = random.chance(0.3);
    const rate = wild ? random.pick([0.3, 0.7, 1.5, 4]) : random.between(0.97, 1.03);
    this.#note(`the clock of ${host instanceof SimLink ? host.name : host.id} goes at ${rate.toFixed(3)}`);
    host.setRate(rate, wild);
    if (!wild) return;
    this.coverage.note('fault: wild rate');
    this.#diallersExcusedUntilMs = Infinity;
    if (host instanceof SimLink) this.#linksExcusedUntilMs.set(host.name, Infinity);
  }

  /** Something happens to a disk while its host is down, and where it has to be, an operator mends it. */
  #spoil(cosigner: SimCosigner, kind: FaultName): void {
    if (cosigner.lies || this.#mending.has(cosigner)) return;
    this.#stopCosigner(cosigner, this.#random.pick(['crash', 'hands']));
    const random = this.#random;
    const done = this.#spoiled(cosigner, kind);
    if (!done) return;
    this.coverage.note(`fault: ${kind}, done`);
    this.#note(`cosigner ${cosigner.id}: ${kind}`);
    for (const chainId of cosigner.chainIds) {
      if (kind !== 'operator' && cosigner.spoiled(chainId) === undefined) continue;
      this.#clock.schedule(random.between(5, 4_000), () => void this.#operate(cosigner, chainId));
    }
  }

  #spoiled(cosigner: SimCosigner, kind: FaultName): boolean {
    const random = this.#random;
    switch (kind) {
      case 'old-state':
        // Its mark may be older than what was signed last.
        return this.#mayForget(cosigner) && cosigner.putStateBack(random);
      case 'lost-file':
        cosigner.loseFile(random);
        return true;
      case 'rot':
        return cosigner.rot(random);
      case 'lost-writes':
        if (!this.#mayForget(cosigner)) return false;
        cosigner.loseWrites(1 + random.below(random.pick([2, 8, 30])));
        return true;
      case 'put-back':
        return this.#mayForget(cosigner) && cosigner.putBack(random);
      default:
        return kind === 'operator';
    }
  }

  /** As many as may forget during one wait (docs/invariants.md), and none beside a cosigner that lies. */
  #mayForget(cosigner: SimCosigner): boolean {
    for (const one of this.#forgetful) if (!one.waits) this.#forgetful.delete(one);
    const { threshold, lyingCosigners } = this.#plan;
    if (lyingCosigners > 0) return false;
    if (!this.#forgetful.has(cosigner) && this.#forgetful.size >= threshold - 1) return false;
    this.#forgetful.add(cosigner);
    // It is soon back, and whoever could tell it may have been restarted as well.
    this.#startLater(cosigner, this.#random.between(10, 300));
    if (this.#random.chance(0.4)) for (const link of this.#links) this.#crashLink(link);
    return true;
  }

  /** The operator stops the cosigner, sets its watermark, restarts the links if it is a new one, and starts it again. */
  async #operate(cosigner: SimCosigner, chainId: string): Promise<void> {
    if (this.#calm || cosigner.lies) return;
    this.#stopCosigner(cosigner, 'crash');
    if (!this.#mending.has(cosigner)) await this.#mend(cosigner, [chainId]);
  }

  async #mend(cosigner: SimCosigner, chainIds: readonly string[]): Promise<void> {
    this.#mending.add(cosigner);
    for (const chainId of chainIds) await this.#mendChain(cosigner, chainId);
    this.#mending.delete(cosigner);
  }

  async #mendChain(cosigner: SimCosigner, chainId: string): Promise<void> {
    try {
      const reached = this.#reached(chainId);
      const height = reached > 0n ? reached : 1n;
      const outcome = await cosigner.operate(chainId, height);
      this.#note(`an operator sets ${chainId} of cosigner ${cosigner.id} to ${height}: ${outcome}`);
      this.coverage.note(`operator: ${outcome}`);
      if (outcome === 'replaced' && !this.#calm) for (const link of this.#links) this.#crashLink(link);
    } catch (error) {
      // Its disk was in the way: an operator tries again.
      if (!isHekateError(error)) return void (this.#failure ??= error);
      this.#clock.schedule(700, () => void this.#operate(cosigner, chainId));
    }
  }

  /** Ends all faults, restarts what has halted, and lets the nodes ask for what nobody has asked for yet. */
  async #heal(): Promise<void> {
    this.#note('the faults end');
    this.#calm = true;
    this.#twoLeaders = false;
    Object.assign(this.#wireFaults, { loss: 0, duplicate: 0, straggle: 0 });
    Object.assign(this.#diskFaults, { writeFailure: 0, slowWrite: 0, readFailure: 0 });
    for (const liar of this.#lyingLinks) liar.stop();
    for (const { nodes } of this.#chains) for (const node of nodes) node.inStep = true;
    for (const host of [...this.#cosigners, ...this.#links]) {
      host.goOn();
      host.setRate(1, false);
    }
    await this.#pass(HEAL_MS);
    for (const wire of this.#wires) {
      [wire.cutUp, wire.cutDown] = [false, false];
      wire.refuse(false);
    }
    const toMend = this.#cosigners.filter((cosigner) => this.#needsMending(cosigner));
    for (const cosigner of toMend) {
      this.#stopCosigner(cosigner, 'crash');
      cosigner.repent();
    }
    if (this.#liars.size > 0 || toMend.length > 0) for (const link of this.#links) this.#crashLink(link);
    const mending = toMend.map((cosigner) => {
      const chainIds = cosigner.chainIds.filter((chainId) => this.#chainNeedsMending(cosigner, chainId));
      return this.#mend(cosigner, chainIds);
    });
    await this.#pass(HEAL_MS);
    await Promise.all(mending);
    const { threshold, count, lyingCosigners, lyingLinks, maxHeightJump } = this.#plan;
    // The nodes go on meanwhile, and must not get further than a jump.
    const mayLose = count > threshold && lyingCosigners === 0 && maxHeightJump >= 1_000n;
    const roll = mayLose ? this.#random.unit() : 1;
    if (roll < 0.06) this.#loseForGood(this.#cosigners);
    for (const { nodes } of this.#chains) for (const node of nodes) node.behave();
    if (roll >= 0.06 && roll < 0.2 && lyingLinks === 0) await this.#loseWhatWasSigned();
  }

  /** As many hosts as may be down are gone for good, and another one is rebooted: the first of these, which is given back. */
  #loseForGood([rebooted, ...others]: readonly SimCosigner[]): SimCosigner | undefined {
    this.coverage.note('world: some are gone for good');
    for (const one of others.slice(0, this.#plan.count - this.#plan.threshold)) {
      this.#stopCosigner(one, 'crash');
      this.#starts.get(one)?.cancel();
      this.#gone.add(one);
    }
    if (rebooted !== undefined) this.#stopCosigner(rebooted, 'crash');
    return rebooted;
  }

  /**
   * All is well and signed, and the cosigners that took no part were shown it. Then of those that did one forgets it, as many
   * as may be are gone for good, and the nodes come to those heights once more (docs/invariants.md, W5 and W7).
   */
  async #loseWhatWasSigned(): Promise<void> {
    const copies = new Map(this.#cosigners.map((one) => [one, one.copy()]));
    const from = this.#chains.map(({ chainId }) => highest([1n, this.#reached(chainId)]));
    const before = this.#signedHeights();
    await this.#pass(SIGNING_MS);
    for (const { nodes } of this.#chains) for (const node of nodes) node.resting = true;
    await this.#pass(RESTING_MS);
    for (const { nodes } of this.#chains) for (const node of nodes) node.resting = false;
    const signed = this.#signedHeights().every((heights, i) => heights > before[i]!);
    if (!signed || !this.#cosigners.every((one) => this.#isWell(one) && !one.waits)) return;
    const signers = this.#checker.lastSigners(this.#random.pick(this.#chains).chainId);
    const tookPart = (one: SimCosigner): number => (signers.includes(one.id) ? 0 : 1);
    const rebooted = this.#loseForGood([...this.#cosigners].sort((a, b) => tookPart(a) - tookPart(b)));
    if (rebooted === undefined || rebooted.runs || !this.#mayForget(rebooted)) return;
    rebooted.putBackTo(copies.get(rebooted)!);
    this.coverage.note('world: what was signed is forgotten, and the nodes fall behind');
    this.#note(`cosigner ${rebooted.id} has forgotten the last ${SIGNING_MS} ms, and the nodes fall behind`);
    const nodes = this.#chains.flatMap((chain, i) => chain.nodes.map((node) => ({ node, from: from[i]! })));
    const last = nodes.map(({ node }) => node.height);
    nodes.forEach((one, i) => one.node.fallBehind(one.from, last[i]!));
    await this.#pass(BEHIND_MS);
    for (const { node } of nodes) node.catchUp();
  }

  #needsMending(cosigner: SimCosigner): boolean {
    const { chainIds } = cosigner;
    return !cosigner.runs || cosigner.lies || chainIds.some((chainId) => this.#chainNeedsMending(cosigner, chainId));
  }

  #chainNeedsMending(cosigner: SimCosigner, chainId: string): boolean {
    const durable = cosigner.durable(chainId);
    const reached = this.#reached(chainId);
    // One that never signed takes any first height; but its first may be one that the node still asks for, far below.
    const takesAny = durable?.fresh === true && reached <= this.#plan.maxHeightJump;
    const behind = durable !== undefined && !takesAny && durable.height + BEHIND < reached;
    return cosigner.lies || cosigner.spoiled(chainId) !== undefined || cosigner.halted(chainId) !== undefined || behind;
  }

  #newHeight(chainId: string): bigint {
    const nodes = this.#chains.filter((chain) => chain.chainId === chainId).flatMap((chain) => chain.nodes);
    return highest([this.#reached(chainId), ...nodes.map(({ height }) => height)]) + 1n;
  }

  /** What was signed, and what a disk says that it may have been. */
  #reached(chainId: string): bigint {
    const durable = this.#cosigners.map((cosigner) => cosigner.durable(chainId)?.height ?? 0n);
    return highest([this.#checker.highest(chainId), ...durable]);
  }

  #notePlan(): void {
    const { threshold, count, chains, links, lyingCosigners, lyingLinks, nodesPerChain } = this.#plan;
    this.coverage.note(`plan: ${threshold} of ${count}`);
    this.coverage.note(`plan: ${chains} chains`);
    this.coverage.note(`plan: ${links} links`);
    this.coverage.note(`plan: ${nodesPerChain} nodes`);
    if (lyingCosigners > 0) this.coverage.note(`plan: ${lyingCosigners} lying cosigners`);
    if (lyingLinks > 0) this.coverage.note('plan: a lying link');
    if (this.#plan.twoLeaders) this.coverage.note('plan: two leaders');
  }

  #note(event: string): void {
    this.trace.push(`${this.#clock.nowMs().toFixed(1).padStart(9)} ${event}`);
  }
}

function highest(heights: readonly bigint[]): bigint {
  return heights.reduce((max, height) => (height > max ? height : max), 0n);
}
