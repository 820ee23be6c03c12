/** How a node came to be served. */
export type ServedSince =
  { readonly why: 'first' | 'chosen' } | { readonly why: 'lost' | 'still'; readonly before: string };

/** What a request is for, as far as it says whether a node goes on: the steps of a round follow by themselves. */
export interface AskedPlace {
  readonly height: bigint;
  readonly round: number;
}

interface Reached {
  readonly place: AskedPlace;
  /** When it first asked for it. */
  readonly atMs: number;
}

const NOWHERE: AskedPlace = { height: 0n, round: 0 };

/** From when a node is served until another one is: how far it has come, and whether it is still there. Pure. */
export class NodeTurn {
  readonly node: string;
  readonly since: ServedSince;
  /** An earlier turn, whose node still finishes its height: nothing of this turn was signed yet. */
  before: NodeTurn | undefined;
  /** Since when it has no connection. */
  goneMs: number | undefined;
  /** The highest that it has asked for, but for what was refused as a height that cannot be. */
  #asked: Reached;
  /** The highest that was signed for it. */
  #signed: Reached;
  /** When it first asked for the height of that. */
  #heightMs: number;
  /** Heights of requests that have no answer yet. */
  readonly #pending: bigint[] = [];

  constructor(node: string, since: ServedSince, nowMs: number, before?: NodeTurn) {
    this.node = node;
    this.since = since;
    this.before = before;
    this.#asked = { place: NOWHERE, atMs: nowMs };
    this.#signed = this.#asked;
    this.#heightMs = nowMs;
  }

  get height(): bigint {
    return this.#asked.place.height;
  }

  /** When it last asked for something new; the beginning of the turn before that. */
  get newMs(): number {
    return Math.max(this.#asked.atMs, this.before?.newMs ?? 0);
  }

  /** The highest at which something is signed for it, or may be: no other node is served there for a choice. */
  get heldHeight(): bigint {
    return this.#pending.reduce((most, height) => (height > most ? height : most), this.#signed.place.height);
  }

  /** The turn, this or an earlier one, whose node has to finish that height: the first that began it. */
  holderOf(height: bigint): NodeTurn | undefined {
    return this.before?.holderOf(height) ?? (height <= this.heldHeight ? this : undefined);
  }

  /** Earlier turns to which this applies hold nothing any more. */
  letGo(applies: (turn: NodeTurn) => boolean): void {
    this.before?.letGo(applies);
    if (this.before !== undefined && applies(this.before)) this.before = this.before.before;
  }

  asks(place: AskedPlace, counts: boolean, nowMs: number): void {
    this.goneMs = undefined;
    this.#pending.push(place.height);
    if (counts && isHigher(place, this.#asked.place)) this.#asked = { place, atMs: nowMs };
  }

  /** An answer, be it one that says nothing about the height. */
  answered(height: bigint): void {
    this.#pending.splice(this.#pending.indexOf(height), 1);
  }

  /** What it asked for at that time is signed. The time from one height to the next, where this is a new one. */
  signed(place: AskedPlace, atMs: number): number | undefined {
    this.before = undefined;
    const isFirst = this.#signed.place.height === 0n;
    const heights = place.height - this.#signed.place.height;
    // A round may be signed that did not count.
    const newMs = place.height === this.height ? this.#asked.atMs : atMs;
    if (isHigher(place, this.#signed.place)) this.#signed = { place, atMs: newMs };
    // Where it has asked for more before, it is there no longer, if it ever was.
    if (place.height > this.height || (place.height < this.height && atMs > this.#asked.atMs))
      this.#asked = this.#signed;
    if (heights <= 0n) return undefined;
    const gapMs = (atMs - this.#heightMs) / Number(heights);
    this.#heightMs = atMs;
    return isFirst ? undefined : gapMs;
  }

  /** That height cannot be: it is as if it had not been asked for. */
  refused(height: bigint): void {
    if (this.height === height) this.#asked = this.#signed;
  }
}

function isHigher(a: AskedPlace, b: AskedPlace): boolean {
  return a.height > b.height || (a.height === b.height && a.round > b.round);
}
