import { MAX_QUEUED_SIGN_REQUESTS } from '../../src/shared/coordination/limits.js';
import { invariant } from '../../src/shared/invariant.js';
import { STEP_PROPOSAL } from '../../src/shared/privval/canonical.js';
import { sameExceptTimestamp, type SignBytes } from '../../src/shared/privval/sign-bytes.js';
import { SerialQueue } from '../../src/shared/serial-queue.js';
import type { SignOutcome, VoteToSign } from '../vote-to-sign.js';
import type { NewestSignature } from './newest-signature.js';
import { SigningRound, type RoundDeps } from './signing-round.js';

export interface CoordinatorOptions {
  readonly chainId: string;
  /** From the arrival of a request to its answer; below the 5 s after which a node gives the connection up. */
  readonly deadlineMs: number;
}

/** The FROST coordinator of one chain: one signing round at a time, and the last word before a signature goes out. */
export class ChainCoordinator {
  readonly #options: CoordinatorOptions;
  readonly #deps: RoundDeps;
  readonly #newest: NewestSignature;
  readonly #queue = new SerialQueue(MAX_QUEUED_SIGN_REQUESTS);
  #round: SigningRound | undefined;
  /** What was signed last. */
  #last: SignBytes | undefined;

  constructor(options: CoordinatorOptions, deps: RoundDeps, newest: NewestSignature) {
    this.#options = options;
    this.#deps = deps;
    this.#newest = newest;
  }

  /** A cosigner changed: what waits for it may go on. */
  poke(): void {
    this.#round?.poke();
  }

  /** Signs a node's vote or proposal; a refusal is an answer like any other, in time. */
  async sign(vote: VoteToSign): Promise<SignOutcome> {
    invariant(vote.signBytes.says.chainId === this.#options.chainId, 'a coordinator signs for its own chain');
    const deadline = this.#deps.clock.nowMs() + this.#options.deadlineMs;
    const outcome = this.#queue.run(() => this.#inTurn(vote, deadline));
    return outcome ?? { kind: 'refused', code: 'BUSY', message: 'too many requests wait for this chain already' };
  }

  async #inTurn(vote: VoteToSign, deadline: number): Promise<SignOutcome> {
    const { clock, key, term } = this.#deps;
    if (term() === undefined) return NOT_LEADER;
    const leftMs = deadline - clock.nowMs();
    // Nobody waits for it any more: cosigners are not asked for what would be a half-finished vote.
    if (leftMs <= 0) return TOO_LATE;
    const round = new SigningRound(this.#asSignedBefore(vote), this.#deps);
    this.#round = round;
    const result = await round.run(leftMs);
    this.#round = undefined;
    if (result.kind === 'refused') return result;
    const { signBytes, signature, extensionSignature } = result.signed;
    const { chainId } = this.#options;
    const proof = { chainId, groupPublicKey: key.publicKey, signBytes: signBytes.bytes, signature };
    // It exists, whether it goes out or not.
    this.#newest.note(proof, signBytes.says, result.signers);
    // The lease may have run out meanwhile: then another link may be answering this node already.
    if (term() === undefined) return NOT_LEADER;
    this.#last = signBytes;
    return { kind: 'signed', signature, timestamp: signBytes.says.timestamp, extensionSignature };
  }

  /** A vote that differs from the one signed last in its timestamp alone is asked with that one's bytes from the start. */
  #asSignedBefore(vote: VoteToSign): VoteToSign {
    const [last, { says }] = [this.#last, vote.signBytes];
    if (last === undefined || says.step === STEP_PROPOSAL || !sameExceptTimestamp(last.says, says)) return vote;
    return { ...vote, signBytes: last };
  }
}

const TOO_LATE = {
  kind: 'refused',
  code: 'QUORUM_LOST',
  message: 'the requests before this one used up its time',
} as const;
const NOT_LEADER = { kind: 'refused', code: 'NOT_LEADER', message: 'this sentry-link does not lead' } as const;
