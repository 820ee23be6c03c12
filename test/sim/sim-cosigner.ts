import {
  assembleCosigner,
  type AssembledCosigner,
  type CosignerParts,
  type CosignerPorts,
} from '../../cosigner/assembly.js';
import type { EndLink } from '../../cosigner/links/link-stream.js';
import { createState } from '../../src/setup/state-init.js';
import type { ErrorCode } from '../../src/shared/error-codes.js';
import { MAX_QUEUED_SIGN_REQUESTS } from '../../src/shared/coordination/limits.js';
import type { CosignerMessage } from '../../src/shared/coordination/messages.js';
import type { Group, Point, Scalar } from '../../src/shared/frost/group.js';
import type { Clock } from '../../src/shared/ports/clock.js';
import { silentLog, type LogFields } from '../../src/shared/ports/log.js';
import { fullPace } from '../../src/shared/watermark/height-pace.js';
import { recoverSlotFile } from '../../src/shared/watermark/state-file.js';
import { decodeMark, markPath } from '../../src/shared/watermark/state-mark.js';
import { WatermarkStore } from '../../src/shared/watermark/store.js';
import { compareHrs, floorAtHeight, neverSigned, type Watermark } from '../../src/shared/watermark/watermark.js';
import { wallOf } from '../support/manual-clock.js';
import { MemoryDisk } from '../support/memory-disk.js';
import type { CheckedChain, Checker } from './checker.js';
import { MemoryRunFolder } from '../support/memory-run-folder.js';
import { testKeys } from '../support/test-keys.js';
import type { Coverage } from './coverage.js';
import { randomFates, randomTear, type DiskFaults } from './disk-faults.js';
import type { LyingCosigner } from './lying-cosigner.js';
import type { OpenedStream } from './opened-stream.js';
import type { Prng } from './prng.js';
import { ProcessClock, type Stop } from './process-clock.js';
import { PromiseSeen, WatchedSession, type WatchedHost } from './watched-session.js';

export interface SimCosignerChain extends CheckedChain {
  readonly groupPublicKey: Point;
  readonly secretShare: Scalar;
}

export interface SimCosignerOptions {
  readonly id: number;
  readonly others: readonly number[];
  readonly chains: readonly SimCosignerChain[];
  readonly parts: CosignerParts;
  /** Whoever asks is served: nothing but the watermarks keeps two leaders apart. */
  readonly admitsAll: () => boolean;
  /** What it says instead of the truth, while it lies. */
  readonly liar: LyingCosigner | undefined;
  /** Its disk says that writes are done before they are. */
  readonly diskLies: boolean;
}

export interface SimCosignerDeps {
  readonly group: Group;
  readonly clock: Clock;
  readonly diskFaults: DiskFaults;
  /** Of the disk's faults. */
  readonly diskRandom: Prng;
  readonly random: Prng;
  readonly checker: Checker;
  readonly coverage: Coverage;
  readonly trace: (event: string) => void;
  readonly onFault: (error: unknown) => void;
}

/** A cosigner's host: its disk lasts, its run-time folder until the host stops, its process comes and goes. */
export class SimCosigner {
  readonly id: number;
  readonly clock: ProcessClock;
  readonly disk: MemoryDisk;
  /** Gone when the host stops; kept when the process alone does. A start by hand may use the second. */
  readonly #runFolders: readonly [MemoryRunFolder, MemoryRunFolder];
  #runFolder: MemoryRunFolder;
  readonly #options: SimCosignerOptions;
  readonly #deps: SimCosignerDeps;
  readonly #chains: ReadonlyMap<string, SimCosignerChain>;
  readonly #promise = new PromiseSeen();
  readonly #durable = new Map<string, Watermark | undefined>();
  /** Chains whose state the world spoiled: nothing may be signed on it until an operator mends it. */
  readonly #spoiled = new Map<string, string>();
  /** Chains that this process failed to write. */
  readonly #unwritten = new Set<string>();
  /** Old states, to be put back. */
  #copies: ReadonlyMap<string, Uint8Array>[] = [];
  #process: AssembledCosigner | undefined;
  /** By link, of this process. */
  readonly #sessions = new Map<string, WatchedSession>();
  #incarnation = 0;
  #starting = false;
  /** One thing at a time goes wrong with a state file: the next start mends what rots. */
  #rotten = false;
  #startedMs = 0;
  #wallAheadSeconds = 0;

  constructor(options: SimCosignerOptions, deps: SimCosignerDeps) {
    this.id = options.id;
    this.#options = options;
    this.#deps = deps;
    this.#chains = new Map(options.chains.map((chain) => [chain.chainId, chain]));
    this.clock = new ProcessClock(deps.clock);
    const first = new MemoryRunFolder();
    this.#runFolders = [first, new MemoryRunFolder('/run/by-hand', first.files)];
    this.#runFolder = first;
    const clocks = { world: deps.clock, process: this.clock };
    this.disk = new MemoryDisk(
      randomFates(clocks, deps.diskRandom, deps.diskFaults, ({ path }) => {
        const incarnation = this.#incarnation;
        return () => {
          deps.coverage.note('fault: a write fails');
          // One that died meanwhile hears of nothing.
          if (incarnation === this.#incarnation) this.#unwritten.add(path);
        };
      }),
    );
    this.disk.lies = options.diskLies;
    this.disk.failsToRead = () => {
      if (!deps.diskRandom.chance(deps.diskFaults.readFailure)) return undefined;
      deps.coverage.note('fault: a read fails');
      return 'EIO';
    };
    this.disk.changed = (path) => this.#look(path);
  }

  get lies(): boolean {
    return this.#lyingNow !== undefined;
  }

  /** It is ours again; what it wrote while it was not is worth nothing. */
  repent(): void {
    const { liar } = this.#options;
    if (liar === undefined) return;
    liar.lying = false;
    for (const chainId of this.#chains.keys()) this.#spoil(chainId, 'somebody else wrote it');
  }

  get runs(): boolean {
    return this.#process !== undefined;
  }

  /** Whether any of its chains still waits after a start, or it does not run. */
  get waits(): boolean {
    return this.#process === undefined || this.#process.cosigner.waits().size > 0;
  }

  /** Chains that wait. */
  get waitingChains(): readonly string[] {
    return [...(this.#process?.cosigner.waits().keys() ?? [])];
  }

  /** Why a chain takes no more requests. */
  halted(chainId: string): ErrorCode | undefined {
    return this.#process?.cosigner.report().find((chain) => chain.chainId === chainId)?.halted;
  }

  get chainIds(): readonly string[] {
    return [...this.#chains.keys()];
  }

  /** Why a chain's state must not be signed on before an operator has mended it. */
  spoiled(chainId: string): string | undefined {
    return this.#spoiled.get(chainId);
  }

  async createStates(): Promise<void> {
    for (const chain of this.#chains.values())
      await createState(this.disk, pathOf(chain), bindingOf(chain), neverSigned());
    this.takeCopy();
  }

  /** What the state file would say after a power cut now; undefined: nothing that can be read. */
  durable(chainId: string): Watermark | undefined {
    return this.#durable.get(chainId);
  }

  wallSecond(): number {
    return wallOf(this.clock)() + this.#wallAheadSeconds;
  }

  stop(what: Stop): void {
    this.clock.stop(what);
  }

  goOn(): void {
    this.clock.goOn();
  }

  setRate(rate: number): void {
    this.clock.setRate(rate);
  }

  /** Somebody sets the wall clock. */
  setWallClock(aheadSeconds: number): void {
    this.#wallAheadSeconds = aheadSeconds;
  }

  async start(): Promise<void> {
    if (this.#process !== undefined || this.#starting) return;
    this.#starting = true;
    const incarnation = ++this.#incarnation;
    this.#unwritten.clear();
    try {
      const assembled = await this.#assemble();
      if (incarnation !== this.#incarnation) return;
      const { leases } = assembled.cosigner;
      const admits = leases.admits.bind(leases);
      leases.admits = (...asked) => this.#options.admitsAll() || this.#lyingNow !== undefined || admits(...asked);
      this.#process = assembled;
      this.#startedMs = this.clock.nowMs();
      this.#rotten = false;
    } finally {
      if (incarnation === this.#incarnation) this.#starting = false;
    }
  }

  /** The one place where production's cosigner is made. */
  #assemble(): Promise<AssembledCosigner> {
    const { group, random } = this.#deps;
    // What is wrong in a process that is not ours is not our fault.
    const onFault = this.lies ? (): void => undefined : this.#deps.onFault;
    const chains = [...this.#chains.values()].map((chain) => ({
      ...chain,
      secretShare: structuredClone(chain.secretShare),
      statePath: pathOf(chain),
      sitsOut: true,
    }));
    const error = (event: string, fields: LogFields = {}): void =>
      this.#deps.trace(`cosigner ${this.id} says ${event}: ${fields['code']} ${fields['chain']} ${fields['reason']}`);
    const ports: CosignerPorts = {
      ...{ group, disk: this.disk, clock: this.clock, wallSecond: () => this.wallSecond() },
      ...{ runFolder: this.#runFolder, removeRunFile: this.#runFolder.removeRunFile, keys: testKeys(this.id) },
      ...{ random: random.bytes, publicRandom: random.bytes, log: { ...silentLog, error }, onFault },
    };
    const parts = this.#lyingNow?.parts ?? this.#options.parts;
    return assembleCosigner({ id: this.id, others: this.#options.others, version: 'sim', chains }, ports, parts);
  }

  /** A link's stream; undefined while the process does not run. */
  open(link: string, send: (message: CosignerMessage) => void, end: EndLink): OpenedStream | undefined {
    const process = this.#process?.cosigner;
    if (process === undefined) return undefined;
    const liar = this.#lyingNow;
    if (liar !== undefined) {
      const session = process.open(link, (message) => liar.say(message, send), end);
      return liar.listening(session);
    }
    const session = new WatchedSession(link, this.#watched(), process, send, end);
    this.#sessions.set(link, session);
    return session;
  }

  /** At every request: who is refused is told so before the next one comes. */
  #lookAtQueues(): void {
    const waiting = [...this.#sessions.values()].reduce((sum, { unanswered }) => sum + unanswered, 0);
    const most = MAX_QUEUED_SIGN_REQUESTS * this.#chains.size;
    this.#deps.checker.demand('queue-bounded', waiting <= most, `${waiting} requests wait at cosigner ${this.id}`);
  }

  #watched(): WatchedHost {
    const { group, checker, coverage, onFault } = this.#deps;
    return {
      ...{ id: this.id, group, clock: this.clock, checker, coverage, chains: this.#chains, failed: onFault },
      durable: (chainId) => this.durable(chainId),
      mustNotSign: (chainId) => this.#spoiled.get(chainId) ?? this.#failedToWrite(chainId),
      startedMs: this.#startedMs,
      promise: this.#promise,
      servesAll: () => this.#options.admitsAll(),
      looksAtQueues: () => this.#lookAtQueues(),
    };
  }

  #failedToWrite(chainId: string): string | undefined {
    return this.#unwritten.has(pathOf({ chainId })) ? 'a write of this process has failed' : undefined;
  }

  get #lyingNow(): LyingCosigner | undefined {
    const { liar } = this.#options;
    return liar?.lying === true ? liar : undefined;
  }

  /** Of the next start: the one that is always used, or another one, as where somebody starts it by hand. */
  useRunFolder(which: 'usual' | 'other'): void {
    this.#runFolder = this.#runFolders[which === 'usual' ? 0 : 1];
  }

  /** An operator ends the wait of a chain: `hekate state recover`. Throws as Cosigner.recover. */
  async recover(chainId: string, height: bigint): Promise<'recovered' | 'busy' | 'gone'> {
    if (this.#process === undefined) return 'gone';
    const floor = floorAtHeight(height);
    this.#deps.checker.floorSet(this.id, chainId, floor);
    return (await this.#process.cosigner.recover(chainId, height)) === undefined ? 'busy' : 'recovered';
  }

  /** The process alone dies: what it has begun to write goes on, and the run-time folder stays. */
  kill(): void {
    this.#end();
    for (const folder of this.#runFolders) folder.kill();
    this.disk.kill();
  }

  /**
   * The host stops, without a warning: unfinished writes are torn, the run-time folder is gone. It is kept where somebody stopped
   * the process alone, to put something back.
   */
  crash(keepsRunFolder = false): void {
    this.#end();
    for (const folder of this.#runFolders) {
      if (keepsRunFolder) folder.kill();
      else folder.clear();
    }
    this.disk.powerCut(
      randomTear(this.#deps.diskRandom, (how) => this.#deps.coverage.note(`fault: a write is ${how}`)),
    );
    this.#lookAtAll();
  }

  #end(): void {
    this.#incarnation++;
    this.#starting = false;
    this.#process = undefined;
    this.#sessions.clear();
    this.#unwritten.clear();
    this.#promise.forget();
    this.clock.kill();
  }

  /** After a crash: the last writes that were acknowledged are gone. */
  loseWrites(count: number): void {
    this.disk.forget(count);
    this.#forgotten();
  }

  /** Keeps a copy of everything on the disk, where nothing is amiss there. */
  takeCopy(): void {
    if (this.#spoiled.size > 0) return;
    this.#copies = [...this.#copies.slice(-4), this.disk.copy()];
  }

  /** What is on the disk now. */
  copy(): ReadonlyMap<string, Uint8Array> {
    return this.disk.copy();
  }

  /** After a crash: everything is as it was then. */
  putBackTo(copy: ReadonlyMap<string, Uint8Array>): void {
    this.disk.putBack(copy);
    this.#forgotten();
  }

  /** After a crash: everything is as it was in an old copy. False when there is none. */
  putBack(random: Prng): boolean {
    if (this.#copies.length === 0) return false;
    this.disk.putBack(random.pick(this.#copies));
    // What was spoiled since is as it was.
    this.#spoiled.clear();
    this.#forgotten();
    return true;
  }

  /** After a crash: one state file, without its mark, is as it was in an old copy. False when there is none that is older. */
  putStateBack(random: Prng): boolean {
    const chain = random.pick([...this.#chains.values()]);
    const path = pathOf(chain);
    const old = this.#copies[0]?.get(path);
    if (old === undefined) return false;
    try {
      const { sequence } = recoverSlotFile(old, bindingOf(chain), path);
      if (sequence >= decodeMark(this.disk.file(markPath(path)), bindingOf(chain), path).sequence) return false;
    } catch {
      return false;
    }
    this.disk.replace(path, old);
    // With its mark still there it is an older copy, and no file that is gone any more.
    this.#spoiled.delete(chain.chainId);
    const mark = decodeMark(this.disk.file(markPath(path)), bindingOf(chain), path).watermark;
    this.#deps.checker.floorSet(this.id, chain.chainId, mark);
    this.#forgotten();
    return true;
  }

  /** After a crash: a file of one chain is gone. */
  loseFile(random: Prng): void {
    const chain = random.pick([...this.#chains.values()]);
    const [state, mark] = [pathOf(chain), markPath(pathOf(chain))];
    const gone = random.pick([[state], [mark], [state, mark]]);
    for (const path of gone) this.disk.files.delete(path);
    this.#spoil(chain.chainId, `${gone.join(' and ')} gone`);
  }

  /** After a crash: one sector of one state rots. Nothing is lost by it. False where something was amiss already. */
  rot(random: Prng): boolean {
    if (this.#rotten || this.#spoiled.size > 0) return false;
    const chain = random.pick([...this.#chains.values()]);
    if (!this.#whole(chain)) return false;
    this.#rotten = true;
    const file = this.disk.file(pathOf(chain));
    const sector = random.pick([0, 512, 4096, 4608]);
    for (let flips = random.below(3); flips >= 0; flips--) {
      const at = sector + random.below(512);
      file[at] = file[at]! ^ (1 << random.below(8));
    }
    this.#look(pathOf(chain));
    return true;
  }

  /** A lost or old state, and what was read of it, must not be taken for what it was. */
  #spoil(chainId: string, why: string): void {
    this.#spoiled.set(chainId, why);
    this.#deps.checker.forget(this.id, chainId);
    this.#durable.delete(chainId);
  }

  #forgotten(): void {
    for (const chainId of this.#chains.keys()) this.#deps.checker.forget(this.id, chainId);
    this.#lookAtAll();
  }

  /**
   * What `hekate state init --height` does while the process does not run: raises a state that can be read, and makes a new
   * one in the place of one that cannot, or must not, be signed on.
   */
  async operate(chainId: string, height: bigint): Promise<'raised' | 'replaced' | 'unchanged'> {
    const chain = this.#chains.get(chainId)!;
    const [path, binding] = [pathOf(chain), bindingOf(chain)];
    const floor = { ...floorAtHeight(height), pace: fullPace(this.wallSecond()) };
    this.#deps.checker.floorSet(this.id, chainId, floor);
    if (!this.#spoiled.has(chainId)) {
      const store = await WatermarkStore.open(this.disk, path, binding);
      try {
        if (compareHrs(floor, store.current) <= 0) return 'unchanged';
        await store.raiseTo(floor);
        return 'raised';
      } finally {
        await store.close();
      }
    }
    const last = this.#lastSequence(chain);
    this.disk.files.delete(path);
    this.disk.files.delete(markPath(path));
    await createState(this.disk, path, binding, floor, last);
    this.#spoiled.delete(chainId);
    this.#deps.checker.forget(this.id, chainId);
    this.#look(path);
    return 'replaced';
  }

  #lastSequence(chain: SimCosignerChain): bigint {
    const path = pathOf(chain);
    const numbers = [
      () => decodeMark(this.disk.file(markPath(path)), bindingOf(chain), path).sequence,
      () => recoverSlotFile(this.disk.file(path), bindingOf(chain), path).sequence,
    ];
    return numbers.reduce((last, read) => {
      try {
        const number = read();
        return number > last ? number : last;
      } catch {
        return last;
      }
    }, 0n);
  }

  #lookAtAll(): void {
    for (const chain of this.#chains.values()) this.#look(pathOf(chain));
  }

  #look(path: string): void {
    const chain = [...this.#chains.values()].find((one) => pathOf(one) === path);
    if (chain === undefined || this.lies) return;
    const { checker, onFault } = this.#deps;
    const watermark = this.#readable(chain);
    this.#durable.set(chain.chainId, watermark);
    if (watermark === undefined || this.#spoiled.has(chain.chainId)) return;
    try {
      checker.riseSeen(this.id, chain.chainId, watermark, this.wallSecond());
      checker.watermarkSeen(this.id, chain.chainId, watermark);
    } catch (error) {
      onFault(error);
    }
  }

  #whole(chain: SimCosignerChain): boolean {
    try {
      return recoverSlotFile(this.disk.file(pathOf(chain)), bindingOf(chain), pathOf(chain)).repairs.length === 0;
    } catch {
      return false;
    }
  }

  #readable(chain: SimCosignerChain): Watermark | undefined {
    try {
      return recoverSlotFile(this.disk.file(pathOf(chain)), bindingOf(chain), pathOf(chain)).watermark;
    } catch {
      return undefined;
    }
  }
}

function pathOf({ chainId }: { readonly chainId: string }): string {
  return `${chainId}.state`;
}

function bindingOf({ chainId, groupPublicKey }: SimCosignerChain): {
  readonly chainId: string;
  readonly groupPublicKey: Point;
} {
  return { chainId, groupPublicKey };
}
