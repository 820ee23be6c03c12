import type { NonceCommitment, SignReply, SignRequest } from '../../src/shared/coordination/messages.js';
import type { Group } from '../../src/shared/frost/group.js';
import { must } from '../../src/shared/invariant.js';
import type { Clock, Timer } from '../../src/shared/ports/clock.js';
import type { Log } from '../../src/shared/ports/log.js';
import { extensionSignBytes, parseSignBytes, sameExceptTimestamp } from '../../src/shared/privval/sign-bytes.js';
import { compareTimestamps, STEP_PROPOSAL, type Canonical } from '../../src/shared/privval/canonical.js';
import type { VoteToSign } from '../../src/shared/privval/vote-to-sign.js';
import { Attempt, type GroupKey } from './attempt.js';
import type { Peer } from '../cosigners/peer.js';
import { outOfTime, refused, tooManyRefusals, type Refusal, type RoundResult } from './round-result.js';
import { chooseSigners } from './signer-choice.js';

export interface RoundDeps {
  readonly group: Group;
  readonly clock: Clock;
  readonly log: Log;
  readonly peers: readonly Peer[];
  readonly key: GroupKey;
  readonly threshold: number;
  /** Counts up over all requests of this link. */
  readonly nextRequestId: () => number;
  /** The leader's term; undefined when this link does not lead. */
  readonly term: () => number | undefined;
}

/** More than any mix of slow, lost and bad cosigners needs before the deadline (invariant 9). */
const MAX_ATTEMPTS = 128;
/**
 * A cosigner that could not serve just now (busy, another term, stream lost) is not asked again before this, doubled each
 * time: one that answers `no` faster than the others sign must not spoil every attempt.
 */
const REST_MS = 100;
/** Times that one cosigner may come with newer stored bytes; each half-finished attempt of another link explains one. */
const MAX_STORED_ANSWERS = 4;

/**
 * One request of the node, until it is signed, refused or out of time. Asks t cosigners; when one is slow, lost or bad,
 * asks another set for the same bytes while the first may still win (the idea of ROAST, Ruffing et al. 2022: t honest
 * cosigners always finish). Cosigners that stored the same vote with another timestamp turn the round to those bytes.
 */
export class SigningRound {
  readonly #vote: VoteToSign;
  readonly #deps: RoundDeps;
  readonly #attempts: Attempt[] = [];
  readonly #refusals = new Map<number, Refusal>();
  readonly #bad = new Set<number>();
  readonly #resting = new Set<number>();
  readonly #rests = new Map<number, number>();
  readonly #storedAnswers = new Map<number, number>();
  readonly #timers: Timer[] = [];
  #bytes: { signBytes: Uint8Array; canonical: Canonical; settle: boolean };
  #resolve: (result: RoundResult) => void = () => undefined;
  #done = false;

  constructor(vote: VoteToSign, deps: RoundDeps) {
    this.#vote = vote;
    this.#deps = deps;
    this.#bytes = { signBytes: vote.signBytes, canonical: vote.canonical, settle: false };
  }

  /** Answers within `deadlineMs`, whatever the cosigners do. */
  run(deadlineMs: number): Promise<RoundResult> {
    return new Promise((resolve) => {
      this.#resolve = resolve;
      this.#after(deadlineMs, () => this.#finish(this.#outOfTime()));
      this.poke();
    });
  }

  /** Something changed (a cosigner came back, commitments arrived): start an attempt if one is wanted and possible. */
  poke(): void {
    if (this.#done) return;
    const term = this.#deps.term();
    if (term === undefined) return this.#finish(refused('NOT_LEADER', 'this sentry-link does not lead'));
    if (this.#attempts.some((attempt) => !attempt.dead && !attempt.stalled)) return;
    const { peers, threshold } = this.#deps;
    const open = peers.filter((peer) => !this.#refusals.has(peer.id) && !this.#bad.has(peer.id));
    if (open.length < threshold) return this.#finish(tooManyRefusals(this.#refusals.values()));
    if (this.#attempts.length >= MAX_ATTEMPTS) return;
    const busy = new Set(this.#attempts.flatMap((attempt) => [...attempt.waitingFor]));
    const { chainId, height, round, step } = this.#vote.canonical;
    const signers = chooseSigners(
      open.filter((peer) => !busy.has(peer.id) && !this.#resting.has(peer.id)),
      { chainId, threshold, nonces: this.#vote.extension === undefined ? 1 : 2, hrs: { height, round, step } },
    );
    if (signers !== undefined) this.#start(signers, term);
  }

  #start(signers: readonly Peer[], term: number): void {
    const request = this.#request(signers, term);
    const attempt = new Attempt(request, this.#extensionBytes());
    this.#attempts.push(attempt);
    const patienceMs = Math.max(...signers.map((peer) => peer.patienceMs()));
    for (const peer of signers) peer.ask(request, (reply) => this.#onReply(attempt, peer, reply));
    this.#after(patienceMs, () => {
      if (attempt.dead) return;
      attempt.stalled = true;
      for (const peer of signers) if (attempt.isWaitingFor(peer.id)) peer.noteStall();
      this.poke();
    });
  }

  #request(signers: readonly Peer[], term: number): SignRequest {
    const { chainId } = this.#vote.canonical;
    const { extension } = this.#vote;
    const take = (peer: Peer): NonceCommitment =>
      must(peer.takeCommitment(chainId), 'a signer is chosen for its commitments');
    const entries = signers.map((peer) => ({
      id: peer.id,
      vote: take(peer),
      extension: extension === undefined ? undefined : take(peer),
    }));
    const { signBytes, settle } = this.#bytes;
    return {
      kind: 'signRequest',
      id: this.#deps.nextRequestId(),
      term,
      chainId,
      signBytes,
      extension,
      settle,
      signers: entries,
    };
  }

  #onReply(attempt: Attempt, peer: Peer, reply: SignReply | undefined): void {
    if (this.#done) return;
    if (reply?.kind === 'signed') {
      if (attempt.add(peer.id, reply)) this.#combine(attempt);
      else this.poke();
      return;
    }
    attempt.answered(peer.id);
    attempt.dead = true;
    if (reply === undefined) this.#rest(peer);
    else if (reply.kind === 'stored') this.#adopt(attempt, peer, reply.signBytes);
    else if (reply.code === 'FROST_POINT_INVALID') this.#settleCommitments(attempt, peer);
    else this.#noteRefusal(peer, reply.code, reply.message);
    this.poke();
  }

  #combine(attempt: Attempt): void {
    const result = attempt.finish(this.#deps.group, this.#deps.key);
    if (result.kind === 'complete') return this.#finish({ kind: 'signed', signed: result.signed });
    attempt.dead = true;
    this.#leaveOut(result.ids, 'bad signature share');
    if (result.ids.length === 0) {
      this.#deps.log.error('signature does not verify although every share does', { code: 'SIGNATURE_INVALID' });
      return this.#finish(refused('SIGNATURE_INVALID', 'the shares do not make a signature of the configured key'));
    }
    this.poke();
  }

  /** A signer says that another's commitment is no valid point: one of the two is not to be trusted. */
  #settleCommitments(attempt: Attempt, accuser: Peer): void {
    const invalid = attempt.invalidCommitments(this.#deps.group);
    if (invalid.length > 0) this.#leaveOut(invalid, 'a nonce commitment is not a valid point');
    else this.#leaveOut([accuser.id], 'it refuses nonce commitments that are valid');
  }

  #leaveOut(ids: readonly number[], reason: string): void {
    for (const id of ids) {
      this.#bad.add(id);
      must(
        this.#deps.peers.find((peer) => peer.id === id),
        'a culprit is one of the signers',
      ).quarantine(reason);
    }
  }

  /** A cosigner holds the same vote with another timestamp: the newest one stored anywhere is what gets signed. */
  #adopt(attempt: Attempt, peer: Peer, signBytes: Uint8Array): void {
    const stored = tryParse(signBytes);
    if (stored === undefined || stored.step === STEP_PROPOSAL || !sameExceptTimestamp(stored, this.#vote.canonical)) {
      this.#bad.add(peer.id);
      return peer.quarantine('stored sign bytes are of another vote');
    }
    const { settle, signBytes: asked } = attempt.request;
    const order = compareTimestamps(stored.timestamp, parseSignBytes(asked).timestamp);
    if (settle ? order <= 0 : order === 0) {
      this.#bad.add(peer.id);
      return peer.quarantine('stored sign bytes are no reason not to sign');
    }
    const answers = 1 + (this.#storedAnswers.get(peer.id) ?? 0);
    this.#storedAnswers.set(peer.id, answers);
    if (answers > MAX_STORED_ANSWERS) return void this.#bad.add(peer.id);
    const current = this.#bytes;
    const storedIsNewer = compareTimestamps(stored.timestamp, current.canonical.timestamp) > 0;
    const maySwitch = !current.settle && !this.#someoneSigned(current.signBytes);
    if (storedIsNewer || maySwitch) this.#bytes = { signBytes, canonical: stored, settle: true };
    else this.#bytes = { ...current, settle: true };
    for (const attempt of this.#attempts) attempt.stalled = true;
  }

  #someoneSigned(signBytes: Uint8Array): boolean {
    return this.#attempts.some((attempt) => attempt.request.signBytes === signBytes && attempt.hasShares);
  }

  #noteRefusal(peer: Peer, code: string, message: string): void {
    this.#deps.log.debug('cosigner refused', { cosigner: peer.id, code, reason: message });
    if (!RETRIED.has(code)) {
      this.#refusals.set(peer.id, { code, message });
      return;
    }
    if (code !== 'NONCE_UNKNOWN') peer.noteStall();
    this.#rest(peer);
  }

  #rest(peer: Peer): void {
    const times = this.#rests.get(peer.id) ?? 0;
    this.#rests.set(peer.id, times + 1);
    this.#resting.add(peer.id);
    this.#after(REST_MS * 2 ** times, () => {
      this.#resting.delete(peer.id);
      this.poke();
    });
  }

  #outOfTime(): RoundResult {
    const { peers, threshold } = this.#deps;
    return outOfTime(this.#vote.canonical.chainId, threshold, peers, this.#refusals.values());
  }

  #extensionBytes(): Uint8Array | undefined {
    const { canonical, extension } = this.#vote;
    if (extension === undefined) return undefined;
    const { chainId, height, round } = canonical;
    return extensionSignBytes({ chainId, height, round, extension });
  }

  #after(delayMs: number, task: () => void): void {
    this.#timers.push(
      this.#deps.clock.schedule(delayMs, () => {
        if (!this.#done) task();
      }),
    );
  }

  #finish(result: RoundResult): void {
    if (this.#done) return;
    this.#done = true;
    for (const timer of this.#timers) timer.cancel();
    this.#resolve(result);
  }
}

/** Refusals that say nothing about the vote; the same cosigner may be asked again in this round. */
const RETRIED: ReadonlySet<string> = new Set(['NONCE_UNKNOWN', 'BUSY', 'TERM_OLD']);

function tryParse(signBytes: Uint8Array): Canonical | undefined {
  try {
    return parseSignBytes(signBytes);
  } catch {
    return undefined;
  }
}
