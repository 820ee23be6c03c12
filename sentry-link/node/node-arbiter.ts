import { DEFAULT_NODE_LOST_MS, DEFAULT_NODE_STILL_MS } from '../../src/shared/config/sentry-link-config.js';
import type { ErrorCode } from '../../src/shared/error-codes.js';
import { NodeTurn, type AskedPlace, type ServedSince } from './node-turn.js';
import { UsualBlockTime } from './usual-block-time.js';

export type NodeMode = 'active' | 'any';

/** When a node's turn ends by itself. */
export interface NodePatience {
  /** Without a connection for so long, the served node is lost. */
  readonly lostMs: number;
  /** It stands still when it has asked for nothing new for twice its usual block time, but no sooner than this. */
  readonly stillMs: number;
}

export const DEFAULT_NODE_PATIENCE: NodePatience = { lostMs: DEFAULT_NODE_LOST_MS, stillMs: DEFAULT_NODE_STILL_MS };

export interface ServedNode {
  readonly node: string;
  readonly since: ServedSince;
}

/** A request that may be signed, until it is answered. */
export interface AllowedRequest {
  readonly place: AskedPlace;
  readonly atMs: number;
  /** In which turn; undefined where all nodes are served. */
  readonly turn: NodeTurn | undefined;
}

/** Another node that asks for heights above those of the served one. */
interface Ahead {
  /** What it asked for last. */
  readonly height: bigint;
  readonly sinceMs: number;
  readonly askedMs: number;
}

/** Cosigners call the height too far up, whatever the vote. */
const TOO_HIGH: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['HEIGHT_JUMP', 'HEIGHT_PACE']);

/**
 * Which of a chain's nodes may ask for signatures. `active`: one of them, because two nodes can hold different consensus locks
 * and must not vote against each other through one key (PubKey and Ping are answered to all). It is served until it is lost, or
 * stands still while another one goes on, or another one is chosen; the next to ask then follows. A node that drops its
 * connection and comes back is the same node with the same lock, so that alone changes nothing.
 * `any`: whoever asks; the cosigners' watermarks refuse what conflicts.
 */
export class NodeArbiter {
  readonly #mode: NodeMode;
  readonly #patience: NodePatience;
  readonly #blockTime = new UsualBlockTime();
  readonly #ahead = new Map<string, Ahead>();
  /** The lowest height that was refused to each node as too high, until one of that height is signed. */
  readonly #tooHigh = new Map<string, bigint>();
  #turn: NodeTurn | undefined;
  #signedHeight = 0n;

  constructor(mode: NodeMode, patience: NodePatience = DEFAULT_NODE_PATIENCE) {
    this.#mode = mode;
    this.#patience = patience;
  }

  /** The node that is served now, if there is only one; another object each time that this changes. */
  get served(): ServedNode | undefined {
    return this.#turn;
  }

  /** For so long the served node may ask for nothing new. */
  get stillMs(): number {
    return Math.max(this.#patience.stillMs, 2 * this.#blockTime.ms);
  }

  /** A node asks for a signature. Undefined: it is not served; else it is, from now on perhaps, and `answered` follows. */
  ask(node: string, place: AskedPlace, nowMs: number): AllowedRequest | undefined {
    if (this.#mode === 'any') return { place, atMs: nowMs, turn: undefined };
    const turn = this.#turnFor(node, place, nowMs);
    if (turn === undefined) return undefined;
    const counts = this.#mayBe(node, place.height) && (place.height > turn.height || !this.#isOvertaken(nowMs));
    turn.asks(place, counts, nowMs);
    return { place, atMs: nowMs, turn };
  }

  /** A request has its answer: the code of a refusal, undefined for a signature. */
  answered({ place, atMs, turn }: AllowedRequest, code: ErrorCode | undefined): void {
    if (turn === undefined) return;
    const { height } = place;
    turn.answered(height);
    // Where something was signed, those that refuse the height lag behind.
    const tooHigh = code !== undefined && TOO_HIGH.has(code) && height > this.#signedHeight;
    if (code === undefined) this.#signed(turn, place, atMs);
    else if (tooHigh || code === 'HEIGHT_REGRESSION') return this.#refused(turn, height, tooHigh);
    if (turn !== this.#turn) return;
    for (const [other, ahead] of this.#ahead) if (ahead.height <= height) this.#ahead.delete(other);
  }

  /** It is the earlier node that finishes the height which this one asks for; this one is served from the next one on. */
  finishing(node: string, height: bigint, nowMs: number): string | undefined {
    const holder = this.#turn?.node === node ? this.#holderOf(this.#turn, height, nowMs) : undefined;
    return holder?.node === node ? undefined : holder?.node;
  }

  /** It has a connection. */
  connected(node: string): void {
    for (const turn of this.#turns()) if (turn.node === node) turn.goneMs = undefined;
  }

  /** It has none any more, or asks for another chain. */
  gone(node: string, nowMs: number): void {
    this.#ahead.delete(node);
    for (const turn of this.#turns()) if (turn.node === node) turn.goneMs ??= nowMs;
  }

  /**
   * The operator wants it to be served, from the next height on; as any other it can be lost, or stand still. What the node
   * before has signed something at is finished by it.
   */
  choose(node: string, nowMs: number): void {
    if (this.#mode === 'any' || this.#turn?.node === node) return;
    // What it asked for as another one is no part of its turn.
    this.#serve(node, { why: 'chosen' }, nowMs, this.#turn);
  }

  /** No node is connected, and the next time another link may have led in between. */
  reset(): void {
    this.#turn = undefined;
    this.#signedHeight = 0n;
    this.#ahead.clear();
    this.#tooHigh.clear();
  }

  /** The turn in which it is answered, a new one perhaps. */
  #turnFor(node: string, { height }: AskedPlace, nowMs: number): NodeTurn | undefined {
    const turn = this.#turn;
    if (turn === undefined) return this.#serve(node, { why: 'first' }, nowMs);
    const holder = this.#holderOf(turn, height, nowMs);
    if (holder !== undefined) return holder.node === node ? holder : undefined;
    if (turn.node === node) return turn;
    this.#note(turn, node, height, nowMs);
    const why = this.#whyNext(turn, node, height, nowMs);
    return why && this.#serve(node, { why, before: turn.node }, nowMs, turn.before);
  }

  #serve(node: string, since: ServedSince, nowMs: number, before?: NodeTurn): NodeTurn {
    this.#turn = new NodeTurn(node, since, nowMs, before);
    this.#ahead.clear();
    return this.#turn;
  }

  /** The earlier turn whose node finishes that height. */
  #holderOf(turn: NodeTurn, height: bigint, nowMs: number): NodeTurn | undefined {
    // One that was lost holds nothing when it comes back: others may have been served there meanwhile.
    turn.letGo((earlier) => earlier.heldHeight === 0n || this.#isLost(earlier, nowMs));
    return turn.before?.holderOf(height);
  }

  *#turns(): Iterable<NodeTurn> {
    for (let turn = this.#turn; turn !== undefined; turn = turn.before) yield turn;
  }

  #signed(turn: NodeTurn, place: AskedPlace, atMs: number): void {
    const gapMs = turn.signed(place, atMs);
    if (gapMs !== undefined) this.#blockTime.note(gapMs);
    if (place.height > this.#signedHeight) this.#signedHeight = place.height;
    for (const [node, height] of this.#tooHigh) if (height <= place.height) this.#tooHigh.delete(node);
  }

  #refused(turn: NodeTurn, height: bigint, tooHigh: boolean): void {
    turn.refused(height);
    const known = this.#tooHigh.get(turn.node);
    if (tooHigh && (known === undefined || height < known)) this.#tooHigh.set(turn.node, height);
  }

  /** Whether a height says something of where the chain is. */
  #mayBe(node: string, height: bigint): boolean {
    const tooHigh = this.#tooHigh.get(node);
    return height >= this.#signedHeight && (tooHigh === undefined || height < tooHigh);
  }

  #note(turn: NodeTurn, node: string, height: bigint, nowMs: number): void {
    const known = this.#ahead.get(node);
    const isAhead = height > turn.height && this.#mayBe(node, height);
    if (isAhead) this.#ahead.set(node, { height, sinceMs: known?.sinceMs ?? nowMs, askedMs: nowMs });
    else this.#ahead.delete(node);
  }

  /**
   * Another node has gone on for so long that no chain can still be in the rounds of this height: whoever asks for ever new ones
   * does not keep its turn with them.
   */
  #isOvertaken(nowMs: number): boolean {
    return [...this.#ahead.values()].some(
      ({ sinceMs, askedMs }) => nowMs - sinceMs >= this.stillMs && nowMs - askedMs < this.stillMs,
    );
  }

  #isLost({ goneMs }: NodeTurn, nowMs: number): boolean {
    return goneMs !== undefined && nowMs - goneMs >= this.#patience.lostMs;
  }

  #whyNext(turn: NodeTurn, node: string, height: bigint, nowMs: number): 'lost' | 'still' | undefined {
    if (!this.#isHighest(height, nowMs)) return undefined;
    if (this.#isLost(turn, nowMs)) return 'lost';
    const ahead = this.#ahead.get(node);
    // While it is gone it cannot ask; but one that comes and goes for ever without asking is of no use.
    const stillMs = turn.goneMs === undefined ? this.stillMs : Math.max(this.stillMs, this.#patience.lostMs);
    if (ahead === undefined || nowMs - turn.newMs < stillMs) return undefined;
    // Of two nodes that keep step one is always the first to ask: to be first once says nothing while the block time is not known.
    return nowMs - ahead.sinceMs >= this.stillMs / 2 ? 'still' : undefined;
  }

  /** A node that lags does not follow while one that does not is there. */
  #isHighest(height: bigint, nowMs: number): boolean {
    for (const other of this.#ahead.values())
      if (other.height > height && nowMs - other.askedMs < this.stillMs) return false;
    return true;
  }
}

/** Why it is this one, in words. */
export function describeSince(since: ServedSince): string {
  switch (since.why) {
    case 'first':
      return 'it asked first';
    case 'lost':
      return `${since.before} was lost`;
    case 'still':
      return `${since.before} stood still`;
    case 'chosen':
      return 'it was chosen with `hekate node use`';
  }
}
