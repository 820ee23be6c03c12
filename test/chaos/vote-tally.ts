/** Answered later than this after it was first asked: most chains wait no longer for a prevote or a precommit (timeout 1 s). */
export const LATE_MS = 1_000;

export interface VoteCounts {
  /** Different votes and proposals; one that is asked again, also after a reconnection, is the same. */
  readonly asked: number;
  readonly signed: number;
  /** Of the signed: those that took longer than LATE_MS from the first time of asking. */
  readonly late: number;
  /** Asked and never signed: refused, or given up by the node. */
  readonly missed: number;
  /** Requests that a connection took with it; the node asks again, so that most of them are late and not missed. */
  readonly lost: number;
  /** The longest time without a signature at the node. */
  readonly longestGapMs: number;
}

export const NO_VOTES: VoteCounts = { asked: 0, signed: 0, late: 0, missed: 0, lost: 0, longestGapMs: 0 };

/** From one signature to the next. */
export interface Gap {
  readonly fromMs: number;
  readonly toMs: number;
}

interface Vote {
  readonly askedMs: number;
  state: 'open' | 'signed' | 'missed';
}

/** Counts what becomes of the votes that a node asks for. Times are of one monotonic clock, in ms. */
export class VoteTally {
  private readonly votes = new Map<string, Vote>();
  private signed = 0;
  private late = 0;
  private lostRequests = 0;
  private longest: Gap;
  private quietSinceMs: number;

  /** The gap begins now. */
  constructor(nowMs: number) {
    this.quietSinceMs = nowMs;
    this.longest = { fromMs: nowMs, toMs: nowMs };
  }

  /** `vote` names chain, height, round and type. */
  asked(vote: string, nowMs: number): void {
    if (!this.votes.has(vote)) this.votes.set(vote, { askedMs: nowMs, state: 'open' });
  }

  /** Counted here only if it was asked here: what was asked before belongs to who counted then. The gap ends either way. */
  wasSigned(vote: string, nowMs: number): void {
    this.longest = this.longestGap(nowMs);
    this.quietSinceMs = nowMs;
    const asked = this.votes.get(vote);
    if (asked === undefined || asked.state === 'signed') return;
    asked.state = 'signed';
    this.signed++;
    if (nowMs - asked.askedMs > LATE_MS) this.late++;
  }

  /** Refused or given up; a node that restarts may still ask again, and have it signed. */
  wasMissed(vote: string): void {
    const asked = this.votes.get(vote);
    if (asked?.state === 'open') asked.state = 'missed';
  }

  /** Nobody's vote: what was asked there had its signature before. */
  forget(vote: string): void {
    if (this.votes.get(vote)?.state !== 'signed') this.votes.delete(vote);
  }

  wasLost(): void {
    this.lostRequests++;
  }

  /** The node itself ended: what it had asked, nobody waits for any more. */
  forgetOpen(): void {
    for (const [name, { state }] of this.votes) if (state === 'open') this.votes.delete(name);
  }

  /** Up to now. What is being answered just now is nobody's yet; what has waited for longer than LATE_MS is missed. */
  counts(nowMs: number): VoteCounts {
    const votes = [...this.votes.values()];
    const fresh = votes.filter(({ state, askedMs }) => state === 'open' && nowMs - askedMs <= LATE_MS).length;
    return {
      asked: votes.length - fresh,
      signed: this.signed,
      late: this.late,
      missed: votes.length - fresh - this.signed,
      lost: this.lostRequests,
      longestGapMs: Math.round(lengthOf(this.longestGap(nowMs))),
    };
  }

  /** The longest time without a signature, up to now. */
  longestGap(nowMs: number): Gap {
    const last = { fromMs: this.quietSinceMs, toMs: nowMs };
    return lengthOf(last) > lengthOf(this.longest) ? last : this.longest;
  }
}

export function sumOf(a: VoteCounts, b: VoteCounts): VoteCounts {
  return {
    asked: a.asked + b.asked,
    signed: a.signed + b.signed,
    late: a.late + b.late,
    missed: a.missed + b.missed,
    lost: a.lost + b.lost,
    longestGapMs: Math.max(a.longestGapMs, b.longestGapMs),
  };
}

function lengthOf({ fromMs, toMs }: Gap): number {
  return toMs - fromMs;
}
