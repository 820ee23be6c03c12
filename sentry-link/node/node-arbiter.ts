import { DEFAULT_NODE_LOST_MS, DEFAULT_NODE_STILL_MS } from '../../src/shared/config/sentry-link-config.js';

export type NodeMode = 'active' | 'any';

/** When a node's turn ends by itself. */
export interface NodePatience {
  /** Without a connection for so long, the served node is lost. */
  readonly lostMs: number;
  /** It stands still when it has asked for no new height for twice its usual block time, but no sooner than this. */
  readonly stillMs: number;
}

export const DEFAULT_NODE_PATIENCE: NodePatience = { lostMs: DEFAULT_NODE_LOST_MS, stillMs: DEFAULT_NODE_STILL_MS };

/** How a node came to be served. */
export type ServedSince =
  { readonly why: 'first' | 'chosen' } | { readonly why: 'lost' | 'still'; readonly before: string };

export interface ServedNode {
  readonly node: string;
  readonly since: ServedSince;
}

interface Turn extends ServedNode {
  /** The highest that it has asked for, and when it first did; 0 and the beginning of its turn before it has asked. */
  height: bigint;
  newMs: number;
  /** Since when it has no connection. */
  goneMs: number | undefined;
}

/** Another node that asks for heights above the last of the served one. */
interface Ahead {
  height: bigint;
  readonly sinceMs: number;
  askedMs: number;
}

/** Part of each new gap between heights in the usual block time. */
const NEW_WEIGHT = 1 / 4;
/** A chain that stood still for a while is not a slow one: no gap counts for more than so many usual ones, or a minute. */
const MAX_GAP_RATIO = 4;
const MAX_GAP_MS = 60_000;

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
  #turn: Turn | undefined;
  readonly #ahead = new Map<string, Ahead>();
  #blockMs: number | undefined;

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
    return Math.max(this.#patience.stillMs, 2 * (this.#blockMs ?? 0));
  }

  /** A node asks for a signature at a height; whether it is served, from now on perhaps. */
  mayAsk(node: string, height: bigint, nowMs: number): boolean {
    if (this.#mode === 'any') return true;
    const turn = this.#turn;
    if (turn === undefined) this.#serve(node, { why: 'first' }, height, nowMs);
    else if (turn.node === node) this.#goesOn(turn, height, nowMs);
    else {
      this.#note(turn, node, height, nowMs);
      const why = this.#whyNext(turn, node, height, nowMs);
      if (why === undefined) return false;
      this.#serve(node, { why, before: turn.node }, height, nowMs);
    }
    return true;
  }

  /** It has a connection. */
  connected(node: string): void {
    if (this.#turn?.node === node) this.#turn.goneMs = undefined;
  }

  /** It has none any more, or asks for another chain. */
  gone(node: string, nowMs: number): void {
    this.#ahead.delete(node);
    if (this.#turn?.node === node) this.#turn.goneMs ??= nowMs;
  }

  /** The operator wants it to be served; as any other it can be lost, or stand still. */
  choose(node: string, nowMs: number): void {
    if (this.#mode === 'any' || this.#turn?.node === node) return;
    // What it asked for as another one is no part of its turn.
    this.#serve(node, { why: 'chosen' }, 0n, nowMs);
  }

  /** No node is connected, and the next time another link may have led in between. */
  reset(): void {
    this.#turn = undefined;
    this.#ahead.clear();
  }

  #serve(node: string, since: ServedSince, height: bigint, nowMs: number): void {
    this.#turn = { node, since, height, newMs: nowMs, goneMs: undefined };
    this.#ahead.clear();
  }

  #goesOn(turn: Turn, height: bigint, nowMs: number): void {
    turn.goneMs = undefined;
    if (height <= turn.height) return;
    if (turn.height > 0n) this.#learn((nowMs - turn.newMs) / Number(height - turn.height));
    turn.height = height;
    turn.newMs = nowMs;
    for (const [other, ahead] of this.#ahead) if (ahead.height <= height) this.#ahead.delete(other);
  }

  #learn(gapMs: number): void {
    const countedMs = Math.min(gapMs, MAX_GAP_MS);
    const usualMs = this.#blockMs ?? countedMs;
    this.#blockMs = usualMs + (Math.min(countedMs, usualMs * MAX_GAP_RATIO) - usualMs) * NEW_WEIGHT;
  }

  #note(turn: Turn, node: string, height: bigint, nowMs: number): void {
    const known = this.#ahead.get(node);
    if (known !== undefined) {
      known.askedMs = nowMs;
      if (height > known.height) known.height = height;
    } else if (height > turn.height) this.#ahead.set(node, { height, sinceMs: nowMs, askedMs: nowMs });
  }

  #whyNext(turn: Turn, node: string, height: bigint, nowMs: number): 'lost' | 'still' | undefined {
    if (!this.#isHighest(height, nowMs)) return undefined;
    const { lostMs } = this.#patience;
    if (turn.goneMs !== undefined && nowMs - turn.goneMs >= lostMs) return 'lost';
    const ahead = this.#ahead.get(node);
    // While it is gone it cannot ask; but one that comes and goes for ever without asking is of no use.
    const stillMs = turn.goneMs === undefined ? this.stillMs : Math.max(this.stillMs, lostMs);
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
