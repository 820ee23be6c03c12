import { FIXES } from '../../src/shared/error-codes.js';
import { HekateError } from '../../src/shared/errors.js';
import { cosignerName } from '../../src/shared/home/paths.js';
import { LogLimiter } from '../../src/shared/log-limiter.js';
import type { Clock, WallSecond } from '../../src/shared/ports/clock.js';
import type { Log } from '../../src/shared/ports/log.js';
import type { RandomBytes } from '../../src/shared/ports/random.js';
import { fullPace, takeHeights } from '../../src/shared/watermark/height-pace.js';
import { describeWait, StartWait, type StartWaitOptions } from '../../src/shared/watermark/start-wait.js';
import type { WaitAnswer } from '../../src/shared/watermark/wait-messages.js';
import {
  compareHrs,
  describePlace,
  floorAtHeight,
  type Place,
  type Watermark,
} from '../../src/shared/watermark/watermark.js';
import type { WatermarkPort } from './watermark-port.js';

const DISBELIEF_AGAIN_MS = 60_000;

export interface ChainWaitOptions extends StartWaitOptions {
  readonly chainId: string;
  readonly maxHeightJump: bigint;
  /** 0: any. */
  readonly maxHeightsPerSecond: number;
}

export interface ChainWaitDeps {
  readonly watermark: WatermarkPort;
  readonly clock: Clock;
  readonly wallSecond: WallSecond;
  /** Of what is no secret. */
  readonly publicRandom: RandomBytes;
  readonly log: Log;
}

export type HeardAnswer = Pick<WaitAnswer, 'answerer' | 'place' | 'waiting' | 'question'>;

/** What an operator's end of a wait did. */
export interface Recovered {
  readonly watermark: Watermark;
  /** Others whose place it does not know. */
  readonly unheard: readonly number[];
}

/**
 * The wait of one chain since the start of its cosigner, and what it does to the watermark. All of it but the questions in the
 * queue of the chain.
 */
export class ChainWait {
  readonly #options: ChainWaitOptions;
  readonly #deps: ChainWaitDeps;
  readonly #wait: StartWait;
  /** Of a state that never signed: answers that are believed together, once there are enough. */
  readonly #unbelieved = new Map<number, HeardAnswer>();
  readonly #disbelief: LogLimiter;

  constructor(options: ChainWaitOptions, deps: ChainWaitDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#disbelief = new LogLimiter(deps.clock, DISBELIEF_AGAIN_MS);
    this.#wait = new StartWait(options, deps.clock.nowMs(), deps.publicRandom);
  }

  get waiting(): boolean {
    return this.#deps.watermark.waiting;
  }

  /** Ids of the others that were heard; undefined once the wait is over. */
  get heard(): readonly number[] | undefined {
    return this.waiting ? this.#wait.heard : undefined;
  }

  /** `waiting: heard 1 of 2 others (3 is not within reach)`. */
  describe(): string {
    return `waiting: ${describeWait(this.#wait.heard, this.#options.others)}`;
  }

  ask(): ReturnType<StartWait['ask']> {
    return this.#wait.ask(this.#deps.clock.nowMs());
  }

  isCurrent(question: Uint8Array): boolean {
    return this.waiting && this.#wait.isCurrent(question);
  }

  /** Takes what another cosigner answered for a floor. Throws STATE_WRITE_FAILED. */
  async hear(answer: HeardAnswer): Promise<void> {
    const { watermark } = this.#deps;
    if (!this.isCurrent(answer.question) || watermark.halted !== undefined) return;
    const believed = this.#believe(answer);
    if (believed.length === 0) return;
    for (const { answerer, waiting } of believed) this.#wait.hear(answerer, waiting);
    const next = believed.reduce((floor, { place }) => this.#raised(floor, place), watermark.current);
    if (this.#wait.over) await this.#end(next, 'it has heard enough of the others');
    else if (next !== watermark.current) await watermark.advance(next);
  }

  /** W7, of a request that the pace lets through, be it that the watermark rules refuse it. */
  goesOn(height: bigint): boolean {
    const { current } = this.#deps.watermark;
    const knew = this.#wait.doubtful;
    const goesOn = this.#wait.goesOn(height, current.height);
    const { doubtful } = this.#wait;
    const fields = { chain: this.#options.chainId, height: doubtful, reason: this.describe() };
    if (knew === undefined && doubtful !== undefined)
      this.#deps.log.warn('one of the others seems gone: signs above this height, which is sat out', fields);
    if (goesOn) this.#deps.log.warn('signs on: this height was sat out', fields);
    return goesOn;
  }

  /** An operator ends this wait with a floor at the end of `height`. Throws NOT_WAITING, STATE_IMPORT_INVALID, as `hear`. */
  async recover(height: bigint): Promise<Recovered> {
    const { watermark } = this.#deps;
    if (watermark.halted !== undefined) throw new HekateError(watermark.halted, 'this chain is halted');
    if (!watermark.waiting) throw new HekateError('NOT_WAITING', `chain ${this.#options.chainId} does not wait`);
    const places = [...this.#unbelieved.values()].map(({ place }) => place);
    const next = [floorAtHeight(height), ...places].reduce<Watermark>(
      (floor, place) => this.#raised(floor, place),
      watermark.current,
    );
    const reason = 'an operator ended the wait';
    const unheard = this.#options.others.filter((id) => !this.#wait.heard.includes(id) && !this.#unbelieved.has(id));
    await this.#end(next === watermark.current ? next : { ...next, pace: fullPace(this.#deps.wallSecond()) }, reason);
    return { watermark: watermark.current, unheard };
  }

  async #end(next: Watermark, reason: string): Promise<void> {
    await this.#deps.watermark.endWait(next);
    const fields = { chain: this.#options.chainId, watermark: describePlace(next), reason };
    this.#deps.log.info('waits no longer: signs', fields);
  }

  /** The answers that may be taken in now, this one last. */
  #believe(answer: HeardAnswer): readonly HeardAnswer[] {
    const { current } = this.#deps.watermark;
    if (!current.fresh) return this.#isWithinPace(answer) ? [answer] : [];
    this.#unbelieved.set(answer.answerer, answer);
    const known = new Set([...this.#wait.heard, ...this.#unbelieved.keys()]);
    if (known.size < this.#options.threshold - 1) return [];
    const all = [...this.#unbelieved.values()];
    this.#unbelieved.clear();
    return all;
  }

  /** A liar must not burn the heights of this key. */
  #isWithinPace({ answerer, place }: HeardAnswer): boolean {
    const { maxHeightsPerSecond, maxHeightJump, chainId } = this.#options;
    const { watermark, wallSecond, log } = this.#deps;
    const { current } = watermark;
    if (compareHrs(place, current) <= 0) return true;
    const isNear = place.height - current.height <= maxHeightJump;
    if (isNear && takeHeights(maxHeightsPerSecond, current, place, wallSecond()).kind === 'taken') return true;
    const code = 'PLACE_NOT_BELIEVED';
    const fields = { code, chain: chainId, cosigner: cosignerName(answerer), fix: FIXES[code] };
    const reason = `it claims ${describePlace(place)}; the watermark here is ${describePlace(current)}`;
    const event = 'a cosigner is not counted: its watermark cannot be';
    this.#disbelief.write(`${answerer}`, (text, all) => log.error(text, all), event, { ...fields, reason });
    return false;
  }

  /** The higher of the two, without sign bytes: what stands there may have been signed. */
  #raised(floor: Watermark, place: Place): Watermark {
    if (compareHrs(place, floor) <= 0) return floor;
    const { maxHeightsPerSecond } = this.#options;
    const taken = takeHeights(maxHeightsPerSecond, floor, place, this.#deps.wallSecond());
    const { height, round, step } = place;
    const pace = taken.kind === 'taken' ? taken.pace : floor.pace;
    return { height, round, step: step as Watermark['step'], signBytes: undefined, fresh: false, pace };
  }
}
