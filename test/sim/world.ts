import { invariant } from '../../src/shared/invariant.js';
import { deal, type SecretShare } from '../../src/shared/frost/dealer.js';
import { verificationShare } from '../../src/shared/frost/feldman.js';
import { isCanonicalScalar, type Group, type Point } from '../../src/shared/frost/group.js';
import type { CosignerMessage } from '../../src/shared/coordination/messages.js';
import { messageOf } from '../../src/shared/errors.js';
import { ManualClock } from '../support/manual-clock.js';
import { MemoryDisk } from '../support/memory-disk.js';
import { Checker } from './checker.js';
import { randomFates } from './disk-faults.js';
import { drawPlan, type Break, type Plan } from './faults.js';
import { Prng } from './prng.js';
import { SimCosigner } from './sim-cosigner.js';
import { SimLink } from './sim-link.js';
import { SimNode } from './sim-node.js';
import { SimWire } from './sim-wire.js';

const CHAIN = 'sim-1';
const HEAL_MS = 2_000;
const LIVENESS_MS = 20_000;
/** Heights that must be signed after the last fault. */
const LIVENESS_HEIGHTS = 2;

interface DealtKey {
  readonly publicKey: Point;
  readonly verificationShares: ReadonlyMap<number, Point>;
  readonly shares: readonly SecretShare[];
}

/** One run: a cluster under virtual time, its faults, and the checker that watches it. Everything follows from the seed. */
export class World {
  readonly trace: string[] = [];
  readonly #clock = new ManualClock();
  readonly #random: Prng;
  readonly #plan: Plan;
  readonly #broken: Break | undefined;
  readonly #group: Group;
  readonly #checker: Checker;
  readonly #cosigners: SimCosigner[] = [];
  readonly #links: SimLink[] = [];
  readonly #nodes = new Map<string, SimNode>();
  readonly #wires: SimWire[] = [];
  readonly #wireFaults: { loss: number; duplicate: number; straggle: number };
  readonly #diskFaults: { writeFailure: number; slowWrite: number };
  readonly #forged: { active: boolean };
  #topHeight = 0n;
  #failure: unknown;
  #calm = false;

  constructor(seed: number, group: Group, broken: Break | undefined) {
    this.#random = new Prng(seed);
    this.#group = group;
    this.#broken = broken;
    this.#plan = drawPlan(this.#random, broken);
    const { loss, duplicate, straggle, writeFailure, slowWrite, twoLeaders } = this.#plan;
    this.#wireFaults = { loss, duplicate, straggle };
    this.#diskFaults = { writeFailure, slowWrite };
    this.#forged = { active: twoLeaders };
    const key = this.#deal();
    this.#checker = new Checker(key.publicKey);
    this.#build(key);
    this.#note(`plan ${JSON.stringify(this.#plan)}`);
  }

  get signatures(): number {
    return this.#checker.signatures;
  }

  /** Throws RuleViolation, or whatever else went wrong. */
  async run(): Promise<void> {
    for (const cosigner of this.#cosigners) await cosigner.createState();
    for (const cosigner of this.#cosigners) this.#startCosigner(cosigner);
    for (const node of this.#nodes.values()) node.start();
    for (const wire of this.#wires) wire.start();
    for (const link of this.#links) link.start();
    this.#schedule(() => this.#fault());
    await this.#pass(this.#plan.faultyMs);
    await this.#heal();
    await this.#pass(HEAL_MS);
    const before = this.#signedHeights();
    const needed = LIVENESS_HEIGHTS;
    for (let passed = 0; passed < LIVENESS_MS && this.#signedHeights() < before + needed; passed += 250)
      await this.#pass(250);
    const made = this.#signedHeights() - before;
    this.#checker.demand('goes-on', made >= needed, `${made} heights signed in ${LIVENESS_MS} ms after the last fault`);
  }

  #look(cosigner: SimCosigner): void {
    const { id, halted } = cosigner;
    this.#checker.watermarkSeen(id, cosigner.durableWatermark());
    // A write that failed is the world's fault; nothing else may stop a cosigner here.
    const forCause = halted === undefined || halted === 'STATE_WRITE_FAILED';
    this.#checker.demand('halts-for-cause', forCause, `cosigner ${id} halted with ${halted}`);
  }

  #signedHeights(): number {
    return [...this.#nodes.values()].reduce((sum, node) => sum + node.signedHeights, 0);
  }

  async #pass(ms: number): Promise<void> {
    const untilMs = this.#clock.nowMs() + ms;
    while (this.#clock.nowMs() < untilMs) {
      await this.#clock.pass(Math.min(50, untilMs - this.#clock.nowMs()));
      for (const cosigner of this.#cosigners) this.#look(cosigner);
      if (this.#failure !== undefined) throw this.#failure as Error;
    }
  }

  #deal(): DealtKey {
    const { threshold, count } = this.#plan;
    const secret = this.#random.bytes(32);
    secret[31] = secret[31]! & 0x0f;
    invariant(isCanonicalScalar(secret), 'below 2^252 is below L');
    const dealt = deal(this.#group, { secret, threshold, count, random: this.#random.bytes });
    const verificationShares = new Map(
      dealt.shares.map(({ id }) => [id, verificationShare(this.#group, dealt.commitments, id)]),
    );
    return { publicKey: dealt.groupPublicKey, verificationShares, shares: dealt.shares };
  }

  #build(key: DealtKey): void {
    const { threshold, nodes } = this.#plan;
    const [clock, group, random] = [this.#clock, this.#group, this.#random];
    const onFault = (error: unknown): void => {
      this.#failure ??= error;
    };
    for (const { id, secretShare } of key.shares) {
      const diskRandom = random.fork();
      const disk = new MemoryDisk(randomFates(clock, diskRandom, this.#diskFaults));
      disk.lies = this.#broken === 'durable-first';
      this.#cosigners.push(
        new SimCosigner(
          {
            ...{ id, chainId: CHAIN, threshold, groupPublicKey: key.publicKey, secretShare, broken: this.#broken },
            others: key.shares.map((share) => share.id),
            admitsAll: () => this.#forged.active,
          },
          { group, clock, disk, diskRandom, random: random.fork(), onFault },
        ),
      );
    }
    const names = ['node-a', 'node-b'].slice(0, nodes);
    for (const name of names) {
      const trace = (event: string): void => this.#note(event);
      const deps = {
        clock,
        random: random.fork(),
        checker: this.#checker,
        trace,
        newHeight: () => this.#newHeight(),
        failed: onFault,
      };
      this.#nodes.set(name, new SimNode(name, CHAIN, 1n, deps));
    }
    for (const name of ['link-1', 'link-2']) {
      const cosigners = this.#cosigners.map(({ id }) => id);
      this.#links.push(
        new SimLink(
          { name, chainId: CHAIN, threshold, cosigners, key, nodes: names, broken: this.#broken },
          {
            group,
            clock,
            random: random.fork(),
            trace: (event) => this.#note(event),
            connect: (link, node, abort) => this.#connect(link, node, abort),
            connectCosigner: (link, id, handlers) => this.#wireOf(link.name, id).connection(handlers),
          },
        ),
      );
    }
    for (const link of this.#links)
      for (const cosigner of this.#cosigners) this.#wires.push(this.#wire(link, cosigner));
  }

  #wire(link: SimLink, cosigner: SimCosigner): SimWire {
    return new SimWire({ link: link.name, cosigner: cosigner.id }, () => cosigner.process, {
      clock: this.#clock,
      random: this.#random.fork(),
      faults: this.#wireFaults,
      forge: (message) => this.#forge(message),
      tap: {
        sent: (id, request, message) =>
          this.#checker.shareLeaves(id, request, message, () => cosigner.durableWatermark()),
      },
    });
  }

  #wireOf(link: string, cosigner: number): SimWire {
    return this.#wires.find((wire) => wire.linkName === link && wire.cosignerId === cosigner)!;
  }

  /** With two leaders, a denied lease reads as granted on its way to the link. */
  #forge(message: CosignerMessage): CosignerMessage {
    if (!this.#forged.active || message.kind !== 'heartbeatReply') return message;
    return { ...message, granted: true, holder: '', remainingMs: 0 };
  }

  #connect(link: SimLink, node: string, abort: AbortSignal): ReturnType<SimNode['connect']> {
    const target = this.#nodes.get(node)!;
    const others = target.diallers.filter((name) => name !== link.name);
    const allowed = this.#plan.twoLeaders || others.length === 0;
    this.#guard(() =>
      this.#checker.demand('one-dialler', allowed, `${link.name} dials ${node} while ${others.join()} does`),
    );
    return target.connect(link.name, abort);
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
    const kind = this.#random.pick(['cosigner', 'cosigner', 'link', 'node', 'cut', 'cut', 'all'] as const);
    switch (kind) {
      case 'cosigner':
        return this.#crashCosigner(this.#random.pick(this.#cosigners));
      case 'all':
        if (this.#random.chance(0.3)) for (const cosigner of this.#cosigners) this.#crashCosigner(cosigner);
        return;
      case 'link':
        return this.#crashLink(this.#random.pick(this.#links));
      case 'node':
        return this.#random.pick([...this.#nodes.values()]).restart();
      case 'cut':
        return this.#cut();
    }
  }

  #crashCosigner(cosigner: SimCosigner): void {
    this.#note(`cosigner ${cosigner.id} crashes`);
    cosigner.crash();
    for (const wire of this.#wires) if (wire.cosignerId === cosigner.id) wire.processDied('cosigner');
    this.#clock.schedule(this.#random.between(10, 2_500), () => this.#startCosigner(cosigner));
  }

  #startCosigner(cosigner: SimCosigner): void {
    this.#note(`cosigner ${cosigner.id} starts`);
    cosigner.start().catch((error: unknown) => {
      this.#note(`cosigner ${cosigner.id} does not start: ${messageOf(error)}`);
      // A write that failed while starting is the world's fault; a state that cannot be read after a crash is ours.
      if (String((error as { code?: unknown }).code) !== 'STATE_WRITE_FAILED') this.#failure ??= error;
      else {
        cosigner.crash();
        this.#clock.schedule(500, () => this.#startCosigner(cosigner));
      }
    });
  }

  #crashLink(link: SimLink): void {
    this.#note(`${link.name} crashes`);
    for (const wire of this.#wires) if (wire.linkName === link.name) wire.processDied('link');
    link.crash();
    this.#clock.schedule(this.#random.between(10, 2_500), () => link.start());
  }

  #cut(): void {
    const [up, down] = this.#random.pick([
      [true, true],
      [true, false],
      [false, true],
    ] as const);
    const side = this.#random.chance(0.5) ? this.#random.pick(this.#links).name : this.#random.pick(this.#cosigners).id;
    const wires = this.#wires.filter((wire) => wire.linkName === side || wire.cosignerId === side);
    this.#note(`cut of ${side}: up ${up} down ${down}`);
    for (const wire of wires) [wire.cutUp, wire.cutDown] = [up, down];
    this.#clock.schedule(this.#random.between(100, 3_000), () => {
      for (const wire of wires) [wire.cutUp, wire.cutDown] = [false, false];
      this.#note(`cut of ${side} healed`);
    });
  }

  /** Ends all faults, restarts what has halted, and lets the nodes ask for what nobody has asked for yet. */
  async #heal(): Promise<void> {
    this.#note('the faults end');
    this.#calm = true;
    this.#forged.active = false;
    Object.assign(this.#wireFaults, { loss: 0, duplicate: 0, straggle: 0 });
    Object.assign(this.#diskFaults, { writeFailure: 0, slowWrite: 0 });
    await this.#pass(1_000);
    for (const wire of this.#wires) [wire.cutUp, wire.cutDown] = [false, false];
    for (const cosigner of this.#cosigners.filter(({ halted }) => halted !== undefined)) this.#crashCosigner(cosigner);
    for (const node of this.#nodes.values()) node.behave();
  }

  #newHeight(): bigint {
    const asked = [...this.#nodes.values()].map((node) => node.height);
    this.#topHeight = [this.#topHeight, ...asked].reduce((max, height) => (height > max ? height : max)) + 1n;
    return this.#topHeight;
  }

  #note(event: string): void {
    this.trace.push(`${this.#clock.nowMs().toFixed(1).padStart(9)} ${event}`);
  }
}
