import type { ErrorCode } from '../../src/shared/error-codes.js';
import type { NodePatience } from '../../sentry-link/node/node-arbiter.js';

/** Answers of cosigners after which a height counts for nothing. */
const TOO_HIGH: readonly string[] = ['HEIGHT_JUMP', 'HEIGHT_PACE'];
const NOTHING: readonly string[] = [...TOO_HIGH, 'HEIGHT_REGRESSION'];
/** What the order of events within one moment may cost. */
const SLACK_MS = 50;

/** One request, when the link read it, and what came of it. */
export interface JudgedAsk {
  readonly node: string;
  readonly height: bigint;
  readonly round: number;
  readonly atMs: number;
  answer: 'pending' | 'signed' | ErrorCode;
  answeredMs: number;
}

interface Turn {
  readonly node: string;
  readonly fromMs: number;
  /** What it was served. */
  readonly asks: JudgedAsk[];
}

export interface ServedJudgeDeps {
  readonly patience: NodePatience;
  /** Fails the run unless it holds. */
  readonly demand: (holds: boolean, why: string) => void;
  readonly noteCoverage: (what: string) => void;
}

/**
 * Judges which of two nodes of a chain a link serves (docs/invariants.md, N1 to N3), from a list of all that was asked, answered,
 * connected, gone and chosen, on the clock of the link's process. It keeps no state of who may be served but looks each request up
 * in that list. What it cannot know, such as the block time that the link has learned, it takes at its most lenient.
 */
export class ServedJudge {
  readonly #deps: ServedJudgeDeps;
  readonly #goneMs = new Map<string, number>();
  readonly #lastGoneMs = new Map<string, number>();
  #turn: Turn | undefined;
  /** Earlier turns, while nothing was signed in the one that was chosen. */
  #held: Turn[] = [];
  /** What was not served in this turn. */
  #others: JudgedAsk[] = [];
  #tooHigh: { readonly node: string; readonly height: bigint }[] = [];
  #signedHeight = 0n;
  /** Between two heights that were signed in one turn. */
  #longestGapMs = 0;

  constructor(deps: ServedJudgeDeps) {
    this.#deps = deps;
  }

  connected(node: string): void {
    this.#goneMs.delete(node);
  }

  gone(node: string, atMs: number): void {
    if (!this.#goneMs.has(node)) this.#goneMs.set(node, atMs);
    this.#lastGoneMs.set(node, atMs);
  }

  /** An operator has chosen it, and the link has said yes. */
  chosen(node: string, atMs: number): void {
    const turn = this.#turn;
    if (turn?.node === node) return;
    const mayHold = turn?.asks.some(({ answer }) => answer === 'signed' || answer === 'pending') ?? false;
    if (turn !== undefined && mayHold) this.#held.push(turn);
    this.#begin(node, atMs);
    this.#deps.noteCoverage('chosen');
  }

  /** The link has lost its lease, or hands it over: whichever asks first is served next. */
  reset(): void {
    this.#turn = undefined;
    this.#held = [];
    this.#others = [];
    this.#tooHigh = [];
    this.#signedHeight = 0n;
  }

  served(node: string, height: bigint, round: number, atMs: number): JudgedAsk {
    const ask: JudgedAsk = { node, height, round, atMs, answer: 'pending', answeredMs: Infinity };
    this.#turnOf(ask).asks.push(ask);
    return ask;
  }

  answered(ask: JudgedAsk, code: ErrorCode | undefined, atMs: number): void {
    const { node, height } = ask;
    ask.answeredMs = atMs;
    ask.answer = code ?? 'signed';
    // Of those that lag behind what was signed already.
    if (TOO_HIGH.includes(ask.answer) && height <= this.#signedHeight) ask.answer = 'QUORUM_LOST';
    if (TOO_HIGH.includes(ask.answer)) this.#tooHigh.push({ node, height });
    if (code !== undefined) return;
    this.#signedHeight = height > this.#signedHeight ? height : this.#signedHeight;
    this.#tooHigh = this.#tooHigh.filter((one) => one.height > height);
    const turn = this.#turn;
    if (turn === undefined) return;
    if (turn.asks.includes(ask)) {
      this.#held = [];
      this.#noteGap(turn, ask);
      return;
    }
    const at = this.#held.findIndex(({ asks }) => asks.includes(ask));
    if (at >= 0 && !this.#isLost(node, atMs)) {
      this.#held = this.#held.slice(at);
      const also = turn.asks.find(
        (one) => one.node !== node && one.height <= height && one.answer !== 'HEIGHT_REGRESSION',
      );
      this.#deps.demand(
        also === undefined,
        `${node} has a signature for height ${height}, and ${turn.node} was served there`,
      );
    }
  }

  notServed(node: string, height: bigint, round: number, atMs: number): void {
    const ask: JudgedAsk = { node, height, round, atMs, answer: 'NODE_NOT_SERVED', answeredMs: atMs };
    const { demand } = this.#deps;
    const turn = this.#turn;
    this.#letGo(atMs);
    if (turn === undefined) return demand(false, `${describe(ask)} is not served, and no other one is`);
    const finishing = this.#held.length === 1 && this.#held[0]?.node === node && height <= signedHeight(this.#held[0]);
    demand(!finishing, `${describe(ask)} is not served, where it was when ${turn.node} was chosen`);
    const isFinished = this.#held.some((one) => one.node !== node && height <= mostHeld(one));
    if (turn.node === node) {
      return demand(
        isFinished,
        `${describe(ask)} is not served, though it was neither lost nor stood still nor another chosen`,
      );
    }
    this.#others.push(ask);
    if (isFinished) return;
    const { lostMs } = this.#deps.patience;
    const goneForMs = this.#goneForMs(turn.node, atMs);
    demand(
      goneForMs <= lostMs + SLACK_MS,
      `${describe(ask)} is not served, though ${turn.node} is gone for ${goneForMs} ms`,
    );
    demand(!this.#mustBeStill(turn, ask), `${describe(ask)} is not served, though ${turn.node} stands still`);
  }

  /** The turn in which it is rightly served. */
  #turnOf(ask: JudgedAsk): Turn {
    const { demand, noteCoverage } = this.#deps;
    const { node, height, atMs } = ask;
    const turn = this.#turn;
    this.#letGo(atMs);
    if (turn === undefined) return this.#begin(node, atMs);
    const finishes = this.#held.find((one) => one.node === node && height <= mostHeld(one));
    const earlier = finishes === undefined ? this.#held : this.#held.slice(0, this.#held.indexOf(finishes));
    const floor = highest(earlier.filter((one) => one.node !== node).map((one) => signedHeight(one)));
    demand(height > floor, `${describe(ask)} is served, and the one before has signatures for height ${floor}`);
    if (finishes !== undefined) {
      noteCoverage('finishes its height');
      return finishes;
    }
    if (turn.node === node) return turn;
    const lost = this.#isLost(turn.node, atMs);
    demand(
      lost || this.#mayBeStill(turn, ask),
      `${describe(ask)} is served, though ${turn.node} is neither lost nor stands still`,
    );
    noteCoverage(lost ? 'lost' : 'still');
    return this.#begin(node, atMs);
  }

  #begin(node: string, atMs: number): Turn {
    this.#turn = { node, fromMs: atMs, asks: [] };
    this.#others = [];
    return this.#turn;
  }

  #goneForMs(node: string, atMs: number): number {
    const goneMs = this.#goneMs.get(node);
    return goneMs === undefined ? 0 : atMs - goneMs;
  }

  #isLost(node: string, atMs: number): boolean {
    return this.#goneForMs(node, atMs) >= this.#deps.patience.lostMs - 1;
  }

  /** Who was lost holds nothing any more. */
  #letGo(atMs: number): void {
    this.#held = this.#held.filter(({ node }) => !this.#isLost(node, atMs));
  }

  /** All that the served node was answered, and the one that finished its height before it. */
  #asksSince(turn: Turn): readonly JudgedAsk[] {
    return [...this.#held.flatMap(({ asks }) => asks), ...turn.asks];
  }

  /** Whether it may be said that the served node stood still: certainly not when that was signed which nobody had asked for. */
  #mayBeStill(turn: Turn, ask: JudgedAsk): boolean {
    const stillMs = this.#deps.patience.stillMs - 1;
    const sinceMs = ask.atMs - stillMs;
    if (turn.fromMs > sinceMs || ask.height <= signedHeight(turn)) return false;
    const asks = this.#asksSince(turn);
    const goesOn = asks.some(
      (one) => one.atMs > sinceMs && one.answer === 'signed' && this.#isCertainlyNew(one, asks, stillMs),
    );
    const wasAhead = [...this.#others, ask].some(
      (one) => one.node === ask.node && one.atMs <= ask.atMs - stillMs / 2 && one.height > signedHeight(turn, one.atMs),
    );
    return !goesOn && wasAhead;
  }

  #isCertainlyNew(ask: JudgedAsk, asks: readonly JudgedAsk[], stillMs: number): boolean {
    const before = asks.filter((one) => one.atMs < ask.atMs && !isNothing(one, ask.atMs));
    if (!before.every((one) => isAbove(ask, one))) return false;
    const isRound = before.some((one) => one.height === ask.height);
    return !isRound || !this.#others.some((one) => one.height > ask.height && one.atMs <= ask.atMs - stillMs);
  }

  /** Whether it must be said: however long the usual block time is, and whatever was new. */
  #mustBeStill(turn: Turn, ask: JudgedAsk): boolean {
    const stillMs = Math.max(this.#deps.patience.stillMs, 2 * this.#longestGapMs);
    const aheadMs = this.#aheadSince(turn, ask);
    if (aheadMs === undefined) return false;
    const asks = this.#asksSince(turn);
    const isNew = (one: JudgedAsk): boolean => {
      const signed = asks.filter((other) => other.answer === 'signed' && other.atMs < one.atMs);
      if (isNothing(one, Infinity) || !signed.every((other) => isAbove(one, other))) return false;
      return one.height > highest(signed.map(({ height }) => height)) || one.atMs < aheadMs + stillMs + SLACK_MS;
    };
    const newMs = Math.max(turn.fromMs, ...asks.filter(isNew).map(({ atMs }) => atMs));
    return ask.atMs > Math.max(newMs + stillMs, aheadMs + stillMs / 2) + SLACK_MS;
  }

  /** Since when that node has asked for higher heights than the served one, each time. */
  #aheadSince(turn: Turn, ask: JudgedAsk): number | undefined {
    const asks = [...this.#others.filter(({ node }) => node === ask.node && ask.node !== turn.node)];
    let since: JudgedAsk | undefined;
    for (const one of asks.reverse()) {
      const caughtUp = since !== undefined && heightOf(turn, since.atMs) >= one.height;
      const isAhead = one.height > heightOf(turn, one.atMs) && this.#mayBe(one);
      const wasGone = one.atMs <= (this.#lastGoneMs.get(one.node) ?? -1);
      if (caughtUp || !isAhead || wasGone) break;
      since = one;
    }
    return since?.atMs;
  }

  #mayBe({ node, height }: JudgedAsk): boolean {
    return height >= this.#signedHeight && !this.#tooHigh.some((one) => one.node === node && one.height <= height);
  }

  #noteGap(turn: Turn, ask: JudgedAsk): void {
    const earlier = turn.asks.filter(({ answer, height }) => answer === 'signed' && height < ask.height);
    const before = highest(earlier.map(({ height }) => height));
    const firstMs = Math.min(...earlier.filter(({ height }) => height === before).map(({ atMs }) => atMs));
    if (earlier.length > 0) this.#longestGapMs = Math.max(this.#longestGapMs, ask.atMs - firstMs);
  }
}

function isNothing({ answer, answeredMs }: JudgedAsk, atMs: number): boolean {
  return NOTHING.includes(answer) && answeredMs < atMs;
}

function isAbove(one: JudgedAsk, other: JudgedAsk): boolean {
  return one.height > other.height || (one.height === other.height && one.round > other.round);
}

/** What it had asked for by then, but for what had been refused by then. */
function heightOf({ asks }: Turn, atMs: number): bigint {
  return highest(asks.filter((ask) => ask.atMs <= atMs && !isNothing(ask, atMs)).map(({ height }) => height));
}

function signedHeight({ asks }: Turn, atMs = Infinity): bigint {
  return highest(
    asks.filter(({ answer, answeredMs }) => answer === 'signed' && answeredMs <= atMs).map(({ height }) => height),
  );
}

/** At most so far its node has signatures, or may get them. */
function mostHeld(turn: Turn): bigint {
  return highest(
    turn.asks.filter(({ answer }) => answer === 'signed' || answer === 'pending').map(({ height }) => height),
  );
}

function highest(heights: readonly bigint[]): bigint {
  return heights.reduce((max, height) => (height > max ? height : max), 0n);
}

function describe({ node, height, round }: JudgedAsk): string {
  return `${node} at ${height}/${round}`;
}
