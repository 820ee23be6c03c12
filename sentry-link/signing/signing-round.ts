import type { NonceCommitment, SignReply, SignRequest } from '../../src/shared/coordination/messages.js';
import type { ErrorCode } from '../../src/shared/error-codes.js';
import type { Group } from '../../src/shared/frost/group.js';
import { isHekateError } from '../../src/shared/errors.js';
import { cosignerName } from '../../src/shared/home/paths.js';
import { must } from '../../src/shared/invariant.js';
import type { Clock, Timer } from '../../src/shared/ports/clock.js';
import type { Log } from '../../src/shared/ports/log.js';
import { compareTimestamps, STEP_PROPOSAL, type Timestamp } from '../../src/shared/privval/canonical.js';
import { extensionSignBytes, sameExceptTimestamp, SignBytes } from '../../src/shared/privval/sign-bytes.js';
import type { Peer } from '../cosigners/peer.js';
import type { VoteToSign } from '../vote-to-sign.js';
import { Attempt, type CompletedSignature, type GroupKey } from './attempt.js';
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

interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
}

export type RoundResult =
  | { readonly kind: 'signed'; readonly signed: CompletedSignature; readonly signers: readonly number[] }
  | ({ readonly kind: 'refused' } & Refusal);

/** More than any mix of slow, lost and bad cosigners needs before the deadline (invariant 9). */
const MAX_ATTEMPTS = 128;
/**
 * A cosigner that could not serve just now (busy, another term, stream lost) is not asked again before this, doubled each
 * time: one that answers `no` faster than the others sign must not spoil every attempt.
 */
const REST_MS = 100;
/** How long those that are not left out are given before the others are asked as well. */
const LAST_RESORT_MS = 500;
/** Times that one cosigner may come with newer stored bytes; each half-finished attempt of another link explains one. */
const MAX_STORED_ANSWERS = 4;
/** Half-finished votes, and the clocks of two nodes, are not further apart: bytes that are newer by more are a lie. */
const MAX_STORED_LEAD_SECONDS = 60n;

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
  /** What is asked for now: the node's bytes, or those that some cosigner stored. */
  #signBytes: SignBytes;
  #settle = false;
  #resolve: (result: RoundResult) => void = () => undefined;
  #done = false;
  #startedMs = 0;
  #pokesAgain = false;

  constructor(vote: VoteToSign, deps: RoundDeps) {
    this.#vote = vote;
    this.#deps = deps;
    this.#signBytes = vote.signBytes;
  }

  /** Answers within `deadlineMs`, whatever the cosigners do. */
  run(deadlineMs: number): Promise<RoundResult> {
    return new Promise((resolve) => {
      this.#resolve = resolve;
      this.#startedMs = this.#deps.clock.nowMs();
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
    if (open.length < threshold) return this.#finish(this.#tooFewLeft());
    if (this.#attempts.length >= MAX_ATTEMPTS) return;
    const busy = (id: number): boolean => this.#attempts.some((attempt) => attempt.isWaitingFor(id));
    const { chainId, height, round, step } = this.#vote.signBytes.says;
    const signers = chooseSigners(
      this.#trusted(open).filter(({ id }) => !busy(id) && !this.#resting.has(id)),
      { chainId, threshold, nonces: this.#vote.extension === undefined ? 1 : 2, hrs: { height, round, step } },
    );
    if (signers !== undefined) this.#start(signers, term);
  }

  /**
   * Those that are left out come in where too few others would sign, or have not in a while: what they send is verified like all
   * else, and without them a wrong suspicion could stop a chain.
   */
  #trusted(open: readonly Peer[]): readonly Peer[] {
    const { chainId } = this.#vote.signBytes.says;
    const restMs = this.#startedMs + LAST_RESORT_MS - this.#deps.clock.nowMs();
    if (restMs <= 0) return open;
    const trusted = open.filter((peer) => peer.chains.leftOut(chainId) === undefined);
    if (trusted.length === open.length) return open;
    if (trusted.filter((peer) => peer.willing(chainId)).length < this.#deps.threshold) return open;
    this.#pokeAgain(restMs);
    return trusted;
  }

  /** One timer at a time. It may run a moment early, and is set again then. */
  #pokeAgain(inMs: number): void {
    if (this.#pokesAgain) return;
    this.#pokesAgain = true;
    this.#after(inMs, () => {
      this.#pokesAgain = false;
      this.poke();
    });
  }

  #start(signers: readonly Peer[], term: number): void {
    const request = this.#request(signers, term);
    const attempt = new Attempt(request, this.#signBytes, this.#extensionBytes());
    this.#attempts.push(attempt);
    const patienceMs = Math.max(...signers.map((peer) => peer.health.patienceMs()));
    for (const peer of signers) peer.stream.ask(request, (reply) => this.#onReply(attempt, peer, reply));
    this.#after(patienceMs, () => {
      if (attempt.dead) return;
      attempt.stalled = true;
      for (const peer of signers) if (attempt.isWaitingFor(peer.id)) peer.health.noteStall();
      this.poke();
    });
  }

  #request(signers: readonly Peer[], term: number): SignRequest {
    const { extension, signBytes: asked } = this.#vote;
    const { chainId } = asked.says;
    const take = (peer: Peer): NonceCommitment =>
      must(peer.chains.takeCommitment(chainId), 'a signer is chosen for its commitments');
    const entries = signers.map((peer) => ({
      id: peer.id,
      vote: take(peer),
      extension: extension === undefined ? undefined : take(peer),
    }));
    return {
      kind: 'signRequest',
      id: this.#deps.nextRequestId(),
      term,
      chainId,
      groupPublicKey: this.#deps.key.publicKey,
      signBytes: this.#signBytes.bytes,
      extension,
      settle: this.#settle,
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
    if (result.kind === 'complete') {
      this.#noteRefusers();
      const signers = attempt.request.signers.map(({ id }) => id);
      for (const id of signers) this.#peer(id).chains.noteGoodShare(attempt.signBytes.says.chainId);
      return this.#finish({ kind: 'signed', signed: result.signed, signers });
    }
    attempt.dead = true;
    this.#leaveOut(result.ids, 'bad signature share');
    this.poke();
  }

  /** What some refused the others have signed: those are asked last for a while. Where all refuse, the node is wrong. */
  #noteRefusers(): void {
    const { chainId } = this.#vote.signBytes.says;
    for (const [id, refusal] of this.#refusals) {
      const { chains } = this.#peer(id);
      const { code } = refusal;
      // Too far behind for its own limits: until its watermark has risen.
      if (code === 'HEIGHT_JUMP' || code === 'HEIGHT_PACE') chains.noteBehind(chainId, code);
      else chains.noteRefused(chainId, refusal);
    }
  }

  /** A signer says that another's commitment is no valid point: one of the two is not to be trusted. */
  #settleCommitments(attempt: Attempt, accuser: Peer): void {
    const invalid = attempt.invalidCommitments(this.#deps.group);
    if (invalid.length > 0) this.#leaveOut(invalid, 'a nonce commitment is not a valid point');
    else this.#leaveOut([accuser.id], 'it refuses nonce commitments that are valid');
  }

  /** For the rest of this round, and of the next ones for a while. */
  #leaveOut(ids: readonly number[], reason: string): void {
    for (const id of ids) {
      this.#bad.add(id);
      this.#peer(id).chains.leaveOut(this.#vote.signBytes.says.chainId, reason);
    }
  }

  #peer(id: number): Peer {
    return must(
      this.#deps.peers.find((peer) => peer.id === id),
      'signers are chosen among the peers',
    );
  }

  /** A cosigner holds the same vote with another timestamp: the newest one stored anywhere is what gets signed. */
  #adopt(attempt: Attempt, peer: Peer, bytes: Uint8Array): void {
    const stored = tryParse(bytes);
    const asked = attempt.signBytes.says;
    if (stored === undefined || asked.step === STEP_PROPOSAL || !sameExceptTimestamp(stored.says, asked)) {
      return this.#leaveOut([peer.id], 'stored sign bytes are of another vote');
    }
    const order = compareTimestamps(stored.says.timestamp, asked.timestamp);
    if (attempt.request.settle ? order <= 0 : order === 0) {
      return this.#leaveOut([peer.id], 'stored sign bytes are no reason not to sign');
    }
    if (isFarAhead(stored.says.timestamp, this.#vote.signBytes.says.timestamp)) {
      const lead = `its stored sign bytes are over ${MAX_STORED_LEAD_SECONDS} s newer than what is asked for`;
      return this.#leaveOut([peer.id], lead);
    }
    const answers = 1 + (this.#storedAnswers.get(peer.id) ?? 0);
    this.#storedAnswers.set(peer.id, answers);
    if (answers > MAX_STORED_ANSWERS)
      return this.#leaveOut([peer.id], `it came with newer stored sign bytes ${answers} times for one vote`);
    peer.chains.noteStored(stored.says, secondsAhead(stored.says.timestamp, this.#vote.signBytes.says.timestamp));
    const storedIsNewer = compareTimestamps(stored.says.timestamp, this.#signBytes.says.timestamp) > 0;
    if (storedIsNewer || (!this.#settle && !this.#someoneSigned(this.#signBytes))) this.#signBytes = stored;
    this.#settle = true;
    for (const one of this.#attempts) one.stalled = true;
  }

  #someoneSigned(signBytes: SignBytes): boolean {
    return this.#attempts.some((attempt) => attempt.signBytes === signBytes && attempt.hasShares);
  }

  #noteRefusal(peer: Peer, code: ErrorCode, message: string): void {
    this.#deps.log.debug('cosigner refused', { cosigner: cosignerName(peer.id), code, reason: message });
    if (!RETRIED.has(code)) {
      this.#refusals.set(peer.id, { code, message });
      return;
    }
    const { chainId } = this.#vote.signBytes.says;
    // Another cosigner had asked where it stands: fresh nonces came before this answer, and it is asked with them at once.
    if (code === 'NONCE_UNKNOWN' && peer.chains.replacedLately(chainId) && !this.#rests.has(peer.id))
      return void this.#rests.set(peer.id, 0);
    if (code === 'NONCE_UNKNOWN') peer.chains.noteUnknownNonces(chainId);
    else if (code !== 'WAITING') peer.health.noteStall();
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

  /** The deadline has come: what is known of why. */
  #outOfTime(): RoundResult {
    const { peers, threshold } = this.#deps;
    const [first] = this.#refusals;
    const connected = peers.filter((peer) => peer.stream.connected);
    const { chainId } = this.#vote.signBytes.says;
    const waiting = connected.filter((peer) => peer.chains.waiting(chainId)).length;
    const halted = connected.flatMap((peer) => peer.chains.report(chainId)?.halted ?? [])[0];
    const also = [
      first === undefined ? '' : `; ${cosignerName(first[0])} refused: ${first[1].code}`,
      halted === undefined ? '' : `; one signs nothing: ${halted}`,
      waiting === 0 ? '' : `; ${waiting} still ${waiting === 1 ? 'waits' : 'wait'} after a start`,
    ].join('');
    return refused(
      'QUORUM_LOST',
      `${connected.length} of ${peers.length} cosigners connected, ${threshold} needed${also}`,
    );
  }

  /** So many cosigners have refused, or shown that they cannot, that t are no longer left: what the node is told. */
  #tooFewLeft(): RoundResult {
    const [worst] = [...this.#refusals].sort(([, a], [, b]) => rank(a.code) - rank(b.code));
    if (worst !== undefined) return refused(worst[1].code, `${cosignerName(worst[0])}: ${worst[1].message}`);
    const bad = [...this.#bad].map(cosignerName).join(', ');
    return refused('QUORUM_LOST', `too many cosigners gave bad answers: ${bad}`);
  }

  #extensionBytes(): Uint8Array | undefined {
    const { signBytes, extension } = this.#vote;
    if (extension === undefined) return undefined;
    const { chainId, height, round } = signBytes.says;
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
const RETRIED: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['NONCE_UNKNOWN', 'BUSY', 'TERM_OLD', 'WAITING']);

function isFarAhead(stored: Timestamp, asked: Timestamp): boolean {
  const latest = { seconds: asked.seconds + MAX_STORED_LEAD_SECONDS, nanos: asked.nanos };
  return compareTimestamps(stored, latest) > 0;
}

function secondsAhead(stored: Timestamp, asked: Timestamp): number {
  return Number(stored.seconds - asked.seconds) + (stored.nanos - asked.nanos) / 1e9;
}

function refused(code: ErrorCode, message: string): RoundResult {
  return { kind: 'refused', code, message };
}

/** A double sign is what the operator must hear of, whatever else the others say. */
function rank(code: ErrorCode): number {
  return code === 'DOUBLE_SIGN' ? 0 : code.endsWith('_REGRESSION') ? 1 : 2;
}

function tryParse(bytes: Uint8Array): SignBytes | undefined {
  try {
    return SignBytes.parse(bytes);
  } catch (error) {
    if (!isHekateError(error)) throw error;
    return undefined;
  }
}
