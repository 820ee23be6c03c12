import { FIXES } from '../src/shared/error-codes.js';
import { cosignerName } from '../src/shared/home/paths.js';
import { LogLimiter } from '../src/shared/log-limiter.js';
import type { Clock, Timer } from '../src/shared/ports/clock.js';
import type { Log } from '../src/shared/ports/log.js';
import { listInabilities, type Inability } from './cosigners/ability.js';
import type { Leader } from './leadership/leader-view.js';
import { describeClaim, type TermClaim } from './leadership/term-claims.js';

const LOOK_EVERY_MS = 1_000;
/** A start and a change of leaders take a second or two, and are no news. */
const PATIENCE_MS = 3_000;
/** A quorum that comes and goes is told as lost so often. */
const LOST_AGAIN_MS = 10_000;
/** That it is still so. */
const STILL_MS = 60_000;
const NAMED_CHAINS = 3;

export interface ChainSituation {
  readonly chainId: string;
  readonly threshold: number;
  /** All cosigners. */
  readonly count: number;
  /** Those of them that are within reach. */
  readonly connected: number;
  /** Height of the chain: where a node asks, or what enough cosigners have reached; undefined: not known. */
  readonly reached: bigint | undefined;
  readonly unable: readonly Inability[];
}

/** What a link knows of whether anything can be signed. */
export interface LinkSituation {
  /** The term that it leads with itself; undefined: it stands by. */
  readonly term: number | undefined;
  /** As the cosigners have it. */
  readonly leader: Leader | undefined;
  readonly chains: readonly ChainSituation[];
  /** Terms that are not believed. */
  readonly claims: readonly TermClaim[];
}

export interface LinkWatchDeps {
  /** Of this link. */
  readonly name: string;
  readonly situation: () => LinkSituation;
  readonly clock: Clock;
  readonly log: Log;
}

export function hasQuorum({ count, unable, threshold }: ChainSituation): boolean {
  return count - unable.length >= threshold;
}

interface QuorumState {
  told: 'nothing' | 'there' | 'missing';
  missingSinceMs: number | undefined;
  /** When it was last told that it is missing. */
  toldMs: number;
}

/** Tells what changes around a link: one line when the quorum is lost and one when it is back, who leads, who cannot sign. */
export class LinkWatch {
  readonly #deps: LinkWatchDeps;
  readonly #quorums = new Map<string, QuorumState>();
  /** Cosigners of which it was told, by chain. */
  readonly #ahead = new Map<string, Set<number>>();
  readonly #limiter: LogLimiter;
  #leader: string | undefined;
  #leaderlessSinceMs: number | undefined;
  #leaderlessToldMs = -Infinity;
  #timer: Timer | undefined;

  constructor(deps: LinkWatchDeps) {
    this.#deps = deps;
    this.#limiter = new LogLimiter(deps.clock, STILL_MS);
  }

  start(): void {
    this.look();
    this.#timer = this.#deps.clock.schedule(LOOK_EVERY_MS, () => this.start());
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** Something may have changed. */
  look(): void {
    const situation = this.#deps.situation();
    this.#lookAtQuorums(situation.chains);
    for (const chain of situation.chains) this.#lookAtWatermarks(chain);
    this.#lookAtLeader(situation);
    for (const claim of situation.claims) this.#tellClaim(claim);
  }

  #lookAtQuorums(chains: readonly ChainSituation[]): void {
    const { log } = this.#deps;
    /** Chains that have the same to tell share a line. */
    const lines = new Map<string, { readonly write: () => void; readonly chains: string[] }>();
    for (const chain of chains) {
      const event = this.#quorumNews(chain);
      if (event === undefined) continue;
      const reason = describeQuorum(chain);
      const key = `${event} ${reason}`;
      const line = lines.get(key);
      if (line !== undefined) {
        line.chains.push(chain.chainId);
        continue;
      }
      const names = [chain.chainId];
      const write = (): void => {
        const all = { chain: listChains(names), reason };
        if (hasQuorum(chain)) log.info(event, all);
        else log.error(event, { ...all, code: 'QUORUM_LOST', fix: FIXES.QUORUM_LOST });
      };
      lines.set(key, { write, chains: names });
    }
    for (const { write } of lines.values()) write();
  }

  /** The event to tell of a chain's quorum, if there is any. */
  #quorumNews(chain: ChainSituation): string | undefined {
    const nowMs = this.#deps.clock.nowMs();
    const state = this.#quorumState(chain.chainId);
    if (hasQuorum(chain)) {
      state.missingSinceMs = undefined;
      const before = state.told;
      state.told = 'there';
      return before === 'there' ? undefined : before === 'nothing' ? 'quorum reached' : 'quorum is back';
    }
    state.missingSinceMs ??= nowMs;
    const wait = { nothing: PATIENCE_MS, there: LOST_AGAIN_MS, missing: STILL_MS }[state.told];
    const fromMs = state.told === 'nothing' ? state.missingSinceMs : state.toldMs;
    if (nowMs - fromMs < wait) return undefined;
    const event = { nothing: 'no quorum yet', there: 'quorum lost', missing: 'still no quorum' }[state.told];
    state.told = 'missing';
    state.toldMs = nowMs;
    return event;
  }

  #quorumState(chainId: string): QuorumState {
    let state = this.#quorums.get(chainId);
    if (state === undefined) {
      state = { told: 'nothing', missingSinceMs: undefined, toldMs: -Infinity };
      this.#quorums.set(chainId, state);
    }
    return state;
  }

  #lookAtWatermarks({ chainId, unable, reached }: ChainSituation): void {
    const { log } = this.#deps;
    const told = this.#ahead.get(chainId) ?? new Set();
    this.#ahead.set(chainId, told);
    for (const { cosigner, code, why } of unable) {
      if (code !== 'WATERMARK_AHEAD' || told.has(cosigner)) continue;
      told.add(cosigner);
      const fields = { cosigner: cosignerName(cosigner), chain: chainId, code, reason: why, fix: FIXES[code] };
      // A claim that comes and goes is told once in a while.
      this.#limiter.write(
        `${chainId} ${cosigner} cannot`,
        (text, all) => log.error(text, all),
        'cosigner cannot sign',
        fields,
      );
    }
    if (reached === undefined) return;
    for (const cosigner of told) {
      if (unable.some((one) => one.cosigner === cosigner)) continue;
      told.delete(cosigner);
      const fields = { cosigner: cosignerName(cosigner), chain: chainId };
      this.#limiter.write(
        `${chainId} ${cosigner} can`,
        (text, all) => log.info(text, all),
        'cosigner can sign again',
        fields,
      );
    }
  }

  #tellClaim(claim: TermClaim): void {
    const name = cosignerName(claim.cosigner);
    const fields = { code: 'COSIGNER_BAD', cosigner: name, reason: describeClaim(claim), fix: FIXES.COSIGNER_BAD };
    const event = 'a cosigner claims what cannot be';
    this.#limiter.write(`${name} term`, (text, all) => this.#deps.log.warn(text, all), event, fields);
  }

  #lookAtLeader({ term, leader, chains }: LinkSituation): void {
    const { name, clock, log } = this.#deps;
    const nowMs = clock.nowMs();
    // Our own name, while we do not lead: what we had before a restart, or another process.
    const known = term !== undefined ? name : leader?.name === name ? undefined : leader?.name;
    if (known !== undefined) {
      if (known !== this.#leader && leader !== undefined && term === undefined)
        log.info('standing by', { leader: known, term: leader.term });
      this.#leader = known;
      this.#leaderlessSinceMs = undefined;
      this.#leaderlessToldMs = -Infinity;
      return;
    }
    if (leader === undefined && !chains.every(hasQuorum)) {
      // Without a quorum there is no leader either: that has been told.
      this.#leaderlessSinceMs = undefined;
      return;
    }
    this.#leaderlessSinceMs ??= nowMs;
    if (nowMs - this.#leaderlessSinceMs < PATIENCE_MS || nowMs - this.#leaderlessToldMs < STILL_MS) return;
    this.#leader = undefined;
    if (leader !== undefined) {
      this.#leaderlessToldMs = nowMs;
      log.error('another process leads under the name of this sentry-link', {
        code: 'LINK_REPLACED',
        fix: FIXES.LINK_REPLACED,
      });
    } else {
      this.#leaderlessToldMs = nowMs;
      log.warn('no sentry-link leads', { code: 'NO_LEADER', fix: FIXES.NO_LEADER });
    }
  }
}

function describeQuorum(chain: ChainSituation): string {
  const { count, connected, unable, threshold } = chain;
  const outOfReach = `no quorum: ${connected} of ${count} cosigners within reach`;
  const canSign = `${count - unable.length} of ${count} cosigners can sign`;
  const what = hasQuorum(chain) ? canSign : connected < threshold ? outOfReach : `no quorum: ${canSign}`;
  const able = `${what}, ${threshold} needed`;
  return unable.length === 0 ? able : `${able}: ${listInabilities(unable)}`;
}

function listChains(names: readonly string[]): string {
  const more = names.length - NAMED_CHAINS;
  return names.slice(0, NAMED_CHAINS).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
