import { equalBytes } from '../../src/shared/bytes.js';
import type {
  ChainKey,
  ChainReport,
  CosignerHello,
  NonceBatch,
  NonceCommitment,
} from '../../src/shared/coordination/messages.js';
import { tellsWatermark } from '../../src/shared/coordination/tells-watermark.js';
import { FIXES, type ErrorCode } from '../../src/shared/error-codes.js';
import { cosignerName } from '../../src/shared/home/paths.js';
import { LogLimiter } from '../../src/shared/log-limiter.js';
import type { Clock } from '../../src/shared/ports/clock.js';
import type { Log } from '../../src/shared/ports/log.js';
import { compareHrs, describePlace, type Place } from '../../src/shared/watermark/watermark.js';
import { ChainStanding } from './chain-standing.js';
import { CommitmentPool } from './commitment-pool.js';

/** A request takes this many commitments at most: for a vote and its extension. */
const MAX_NONCES = 2;
/** One that refused for its height is asked last for a while; longer each time, until its watermark has risen. */
const BEHIND_MS = 5_000;
const MAX_BEHIND_MS = 60_000;
/** A wait that is to end by itself has ended by then. */
const SOON_MS = 120_000;
/** A request that was on its way when nonces were replaced has been refused by then. */
const LATELY_MS = 1_000;
const TELL_AGAIN_MS = 60_000;

interface Behind {
  readonly height: bigint;
  readonly forMs: number;
  readonly untilMs: number;
}

/** What one cosigner last reported of our chains, and its unspent commitments for them. */
export class PeerChains {
  readonly #id: number;
  readonly #groupKeys: ReadonlyMap<string, Uint8Array>;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #pools = new Map<string, CommitmentPool>();
  readonly #behind = new Map<string, Behind>();
  readonly #waitingSinceMs = new Map<string, number>();
  readonly #replacedMs = new Map<string, number>();
  /** Of chains in which it did something wrong once. */
  readonly #standings = new Map<string, ChainStanding>();
  #reports: ReadonlyMap<string, ChainReport> = new Map();
  /** The id it claims; another one than ours for it means that its home was mixed up. */
  #claimedId: number | undefined;
  /** What it reported last, by chain, where it said how far it is. */
  readonly #places = new Map<string, Place>();
  readonly #limiter: LogLimiter;
  #falls = 0;
  /** Reasons not to sign that the operator has heard of. */
  readonly #told = new Set<string>();

  constructor(id: number, groupKeys: ReadonlyMap<string, Uint8Array>, clock: Clock, log: Log) {
    this.#id = id;
    this.#groupKeys = groupKeys;
    this.#clock = clock;
    this.#log = log;
    this.#limiter = new LogLimiter(clock, TELL_AGAIN_MS);
  }

  /** Times that a watermark was reported below what it had been before. */
  get falls(): number {
    return this.#falls;
  }

  report(chainId: string): ChainReport | undefined {
    return this.#reports.get(chainId);
  }

  reports(): readonly ChainReport[] {
    return [...this.#reports.values()];
  }

  opened(hello: CosignerHello): void {
    this.#claimedId = hello.id;
    if (hello.id !== this.#id) {
      const reason = `it says that it is ${cosignerName(hello.id)}`;
      const fields = { code: 'COSIGNER_BAD', cosigner: cosignerName(this.#id), reason, fix: FIXES.COSIGNER_BAD };
      this.#log.error('cosigner left out', fields);
    }
    this.#told.clear();
    this.note(hello.chains);
  }

  /** The stream is gone, and with it every commitment that came on it. */
  lost(): void {
    this.#pools.clear();
    this.#waitingSinceMs.clear();
  }

  /** Only of our own chains: what else a cosigner names must not pile up here. */
  note(all: readonly ChainReport[]): void {
    const reports = all.filter(({ chainId }) => this.#groupKeys.has(chainId));
    this.#reports = new Map(reports.map((report) => [report.chainId, this.#checked(report)]));
    for (const { chainId, halted } of this.#reports.values()) {
      if (halted !== undefined) this.#tellHalted(chainId, halted);
    }
    this.#noteWaits();
    for (const report of reports) if (this.#isOurs(report) && tellsWatermark(report)) this.#notePlace(report);
  }

  #noteWaits(): void {
    for (const { chainId, waiting } of this.#reports.values()) {
      if (waiting === undefined) this.#waitingSinceMs.delete(chainId);
      else if (!this.#waitingSinceMs.has(chainId)) this.#waitingSinceMs.set(chainId, this.#clock.nowMs());
    }
  }

  /** One that fell was put back to an older copy, or lowered by an operator, or its cosigner lies: a link can only tell. */
  #notePlace({ chainId, height, round, step }: ChainReport): void {
    const [before, place] = [this.#places.get(chainId), { height, round, step }];
    this.#places.set(chainId, place);
    if (before === undefined || compareHrs(place, before) >= 0) return;
    this.#falls++;
    const fields = { code: 'STATE_ROLLED_BACK', cosigner: cosignerName(this.#id), chain: chainId };
    const places = { was: describePlace(before), is: describePlace(place), fix: FIXES.STATE_ROLLED_BACK };
    const event = 'the watermark of a cosigner has fallen';
    this.#limiter.write(`${chainId} fell`, (text, all) => this.#log.error(text, all), event, { ...fields, ...places });
  }

  /** It refused for its height what the others signed: told once for each height. */
  noteBehind(chainId: string, code: 'HEIGHT_JUMP' | 'HEIGHT_PACE'): void {
    const height = this.report(chainId)?.height ?? 0n;
    const before = this.#behind.get(chainId);
    if (before?.height !== height) {
      const fields = { code, cosigner: cosignerName(this.#id), chain: chainId, height, fix: FIXES[code] };
      this.#log.warn('cosigner is too far behind to sign', fields);
    }
    const forMs = before?.height === height ? Math.min(MAX_BEHIND_MS, 2 * before.forMs) : BEHIND_MS;
    this.#behind.set(chainId, { height, forMs, untilMs: this.#clock.nowMs() + forMs });
    this.#standing(chainId).noteRefused(this.#clock.nowMs());
  }

  behind(chainId: string): boolean {
    const behind = this.#behind.get(chainId);
    return (
      behind !== undefined && this.#clock.nowMs() < behind.untilMs && this.report(chainId)?.height === behind.height
    );
  }

  /** Whether it says that it would sign for this chain. */
  willing(chainId: string): boolean {
    const report = this.report(chainId);
    return report !== undefined && report.halted === undefined;
  }

  /** Whether it has `nonces` commitments to sign for this chain with. */
  has(chainId: string, nonces: number): boolean {
    return (this.#pools.get(chainId)?.size ?? 0) >= nonces;
  }

  /** It gave what is provably wrong: the others are asked instead for a while, where enough of them could sign. */
  leaveOut(chainId: string, reason: string): void {
    const forMs = this.#standing(chainId).leaveOut(reason, this.#clock.nowMs());
    if (forMs === undefined) return;
    const fields = { code: 'COSIGNER_BAD', cosigner: cosignerName(this.#id), chain: chainId, reason, forMs };
    this.#log.error('cosigner left out', { ...fields, fix: FIXES.COSIGNER_BAD });
  }

  /** Why it is left out of this chain for now; undefined: it is not. */
  leftOut(chainId: string): string | undefined {
    return this.#standings.get(chainId)?.reason(this.#clock.nowMs());
  }

  /** A signature with its share was verified. */
  noteGoodShare(chainId: string): void {
    this.#standings.get(chainId)?.noteGoodShare(this.#clock.nowMs());
  }

  /** It refused what the others signed: they are asked first for a while. */
  noteRefused(chainId: string, { code, message }: { readonly code: ErrorCode; readonly message: string }): void {
    this.#standing(chainId).noteRefused(this.#clock.nowMs());
    const fields = { code, cosigner: cosignerName(this.#id), chain: chainId, reason: message, fix: FIXES[code] };
    const event = 'cosigner refuses what the others sign';
    this.#limiter.write(`${chainId} refuses ${code}`, (text, all) => this.#log.warn(text, all), event, fields);
  }

  /** It says that it has stored this vote with another timestamp: a half-finished vote, or a lie that nobody can tell from one. */
  noteStored(place: Place & Pick<ChainKey, 'chainId'>, secondsAhead: number): void {
    const { chainId } = place;
    const claim = `${describePlace(place)}, with a timestamp ${secondsAhead.toFixed(3)} s ahead of what is asked for`;
    const fields = { cosigner: cosignerName(this.#id), chain: chainId, claim };
    const event = 'cosigner says that it has stored this vote already';
    this.#limiter.write(`${chainId} stored`, (text, all) => this.#log.info(text, all), event, fields);
  }

  /** It does not know nonces that it had announced. */
  noteUnknownNonces(chainId: string): void {
    this.#standing(chainId).noteUnknownNonces(this.#clock.nowMs());
  }

  /** Whether it is to be asked last, for it refused what the others signed. */
  refusing(chainId: string): boolean {
    return this.#standings.get(chainId)?.refusing(this.#clock.nowMs()) === true;
  }

  #standing(chainId: string): ChainStanding {
    let standing = this.#standings.get(chainId);
    if (standing === undefined) this.#standings.set(chainId, (standing = new ChainStanding()));
    return standing;
  }

  /**
   * 'wanted': a request may have been waiting for these. 'tooMany': more than were ever asked for, none were taken. Those of
   * a chain that it does not report, or of another key, are not kept.
   */
  add({ commitments, replaces, ...key }: NonceBatch): 'wanted' | 'kept' | 'tooMany' {
    const { chainId } = key;
    if (!this.#reports.has(chainId) || !this.#isOurs(key)) return 'kept';
    let pool = this.#pools.get(chainId);
    if (pool === undefined) this.#pools.set(chainId, (pool = new CommitmentPool()));
    if (replaces === true) {
      pool.forget();
      this.#replacedMs.set(chainId, this.#clock.nowMs());
    }
    const wanting = pool.size < MAX_NONCES;
    if (!pool.add(commitments)) return 'tooMany';
    return wanting ? 'wanted' : 'kept';
  }

  /** Its commitments of before are void since a moment ago. */
  replacedLately(chainId: string): boolean {
    return this.#clock.nowMs() - (this.#replacedMs.get(chainId) ?? -Infinity) < LATELY_MS;
  }

  /** It waits after a start, and has heard enough to go on soon: by the others, or after a height that it sits out. */
  signsSoon(chainId: string, threshold: number): boolean {
    const sinceMs = this.#waitingSinceMs.get(chainId);
    const heard = this.report(chainId)?.waiting?.length ?? 0;
    return sinceMs !== undefined && heard >= threshold - 1 && this.#clock.nowMs() - sinceMs < SOON_MS;
  }

  waiting(chainId: string): boolean {
    return this.report(chainId)?.waiting !== undefined;
  }

  takeCommitment(chainId: string): NonceCommitment | undefined {
    return this.#pools.get(chainId)?.take();
  }

  /** Once for each stream: reports come with every heartbeat. */
  #tellHalted(chain: string, code: ErrorCode): void {
    const what = `${chain} ${code}`;
    if (this.#told.has(what)) return;
    this.#told.add(what);
    const fields = { code, cosigner: cosignerName(this.#id), chain, fix: FIXES[code] };
    this.#log.error('cosigner does not sign for this chain', fields);
  }

  /** A share of another key or cosigner is of no use, whatever the cosigner thinks. One that is halted may know no key. */
  #checked(report: ChainReport): ChainReport {
    if (report.halted !== undefined) return report;
    if (this.#claimedId === this.#id && this.#isOurs(report)) return report;
    return { ...report, halted: 'GROUP_MISMATCH' };
  }

  #isOurs({ chainId, groupPublicKey }: ChainKey): boolean {
    const expected = this.#groupKeys.get(chainId);
    return expected !== undefined && equalBytes(expected, groupPublicKey);
  }
}
