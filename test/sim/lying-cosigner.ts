import type { CosignerParts } from '../../cosigner/assembly.js';
import type { LinkSession } from '../../cosigner/links/link-session.js';
import type { ErrorCode } from '../../src/shared/error-codes.js';
import type {
  ChainReport,
  CosignerMessage,
  NonceBatch,
  SignedReply,
  SignReply,
} from '../../src/shared/coordination/messages.js';
import { toPoint } from '../../src/shared/frost/group.js';
import { toSignatureShare } from '../../src/shared/frost/signature-share.js';
import { STEP_PROPOSAL, type Timestamp } from '../../src/shared/privval/canonical.js';
import { SignBytes, withTimestamp } from '../../src/shared/privval/sign-bytes.js';
import type { Coverage } from './coverage.js';
import type { OpenedStream } from './opened-stream.js';
import { answerBytes, type WaitAnswer } from '../../src/shared/watermark/wait-messages.js';
import { signatureOf } from '../support/test-keys.js';
import { forgetful, SIM_PARTS } from './parts.js';
import type { Prng } from './prng.js';

/** Refusals that make a link do something. */
const CODES: readonly ErrorCode[] = [
  'BUSY',
  'DOUBLE_SIGN',
  'FROST_POINT_INVALID',
  'HEIGHT_JUMP',
  'HEIGHT_REGRESSION',
  'NONCE_UNKNOWN',
  'TERM_OLD',
];
/** A point of small order, and no point at all. */
const BAD_POINTS = [Uint8Array.of(1, ...new Uint8Array(31)), Uint8Array.of(2, ...new Uint8Array(31))].map(toPoint);

/** Shares of one cosigner, after which every chain has signed. */
const SIGNED = 20;

/**
 * A cosigner that somebody took over: it signs whatever it is asked, for anybody, and says what it likes, as far as it can be
 * said in the protocol.
 */
export class LyingCosigner {
  readonly parts: CosignerParts = { ...SIM_PARTS, openWatermark: forgetful };
  /** Until the faults end. */
  lying = true;
  readonly #random: Prng;
  readonly #coverage: Coverage;
  /** Of how much that it says. */
  readonly #often: number;
  readonly #asked = new Map<number, Uint8Array>();
  readonly #said: SignedReply[] = [];

  constructor(random: Prng, coverage: Coverage) {
    this.#random = random;
    this.#coverage = coverage;
    this.#often = random.pick([0.02, 0.1, 0.4]);
  }

  /** What a link says to it. */
  listening(session: LinkSession): OpenedStream {
    return {
      start: () => session.start(),
      close: () => session.close(),
      receive: (message) => {
        if (message.kind === 'signRequest') this.#asked.set(message.id, message.signBytes);
        session.receive(message);
      },
    };
  }

  /** Says a message, or something else. */
  say(message: CosignerMessage, send: (message: CosignerMessage) => void): void {
    if (message.kind === 'signed') this.#said.push(message);
    if (!this.#random.chance(this.#often)) return send(message);
    for (const lie of this.#lies(message)) send(lie);
  }

  #lies(message: CosignerMessage): readonly CosignerMessage[] {
    switch (message.kind) {
      case 'cosignerHello': {
        const id = this.#random.chance(0.3) ? 1 + this.#random.below(9) : message.id;
        return this.#note('hello', { ...message, id, chains: this.#falseReports(message.chains) });
      }
      case 'heartbeatReply': {
        const lie = {
          ...message,
          granted: this.#random.chance(0.5),
          term: this.#falseTerm(message.term),
          holder: this.#random.pick(['', 'link-1', 'link-2', 'nobody']),
          remainingMs: this.#random.below(2_000),
          renewedTerm: this.#falseTerm(message.renewedTerm),
          otherLink: this.#random.chance(0.5),
          chains: this.#falseReports(message.chains),
        };
        return this.#note('place or term', lie);
      }
      case 'leaseFree':
        return this.#note('a lease that is free', { ...message, turn: this.#random.below(3) });
      case 'nonceBatch':
        return this.#falseNonces(message);
      case 'waitQuestion':
        return this.#note('question again', message, message);
      case 'waitAnswer':
        return this.#note('standpoint', this.#falseStandpoint(message));
      default:
        return this.#falseAnswer(message);
    }
  }

  #falseTerm(term: number): number {
    const random = this.#random;
    return random.pick([0, term, term + 1, term + random.below(2_000_000), 2 ** 50]);
  }

  #falseReports(reports: readonly ChainReport[]): readonly ChainReport[] {
    const random = this.#random;
    return reports.map((report) => ({
      ...report,
      height: random.pick([0n, report.height, report.height + 1n, report.height + 1_000_000n, 2n ** 62n]),
      round: random.below(3),
      step: random.below(4),
      sequence: report.sequence + BigInt(random.below(3)),
    }));
  }

  /** With its own signature, which is good. */
  #falseStandpoint(answer: WaitAnswer): WaitAnswer {
    const random = this.#random;
    const { height } = answer.place;
    const place = {
      // Who never signed has to believe it, and would be lost to the cluster.
      height: random.pick([
        0n,
        height,
        height + 1n,
        ...(this.#said.length > SIGNED ? [height + 1_000_000n, 2n ** 62n] : []),
      ]),
      round: random.below(3),
      step: random.below(4),
    };
    const lie = { ...answer, place, waiting: random.chance(0.5) };
    return { ...lie, signature: signatureOf(answer.answerer, answerBytes(lie)) };
  }

  #falseNonces(batch: NonceBatch): readonly CosignerMessage[] {
    const [first, ...others] = batch.commitments;
    if (first === undefined) return [batch];
    const bad = this.#random.pick(BAD_POINTS);
    switch (this.#random.pick(['point', 'point', 'again', 'swapped'] as const)) {
      case 'point':
        return this.#note('bad point', { ...batch, commitments: [{ ...first, hiding: bad, binding: bad }, ...others] });
      case 'again':
        return this.#note('nonces again', batch, batch);
      case 'swapped':
        return this.#note('other nonces', {
          ...batch,
          commitments: batch.commitments.map((one) => ({ ...one, hiding: one.binding, binding: one.hiding })),
        });
    }
  }

  #falseAnswer(reply: SignReply): readonly CosignerMessage[] {
    const { id } = reply;
    const random = this.#random;
    switch (random.pick(['share', 'share', 'replay', 'stored', 'stored', 'refused', 'silent'] as const)) {
      case 'share':
        return this.#note('wrong share', this.#wrongShare(reply));
      case 'replay':
        return this.#note('replayed share', { ...(this.#said.length > 0 ? random.pick(this.#said) : reply), id });
      case 'stored':
        return this.#note('stored', this.#falselyStored(id) ?? reply);
      case 'refused':
        return this.#note('refusal', { kind: 'refused', id, code: random.pick(CODES), message: 'I would rather not' });
      case 'silent':
        return this.#note('silence');
    }
  }

  #wrongShare(reply: SignReply): SignReply {
    if (reply.kind !== 'signed') return reply;
    const share = this.#random.bytes(32);
    share[31] = share[31]! & 0x0f;
    const { groupCommitment } = reply.vote;
    const wrong = this.#random.chance(0.3)
      ? { groupCommitment: toPoint(this.#random.bytes(32)), share: reply.vote.share }
      : { groupCommitment, share: toSignatureShare(share) };
    return this.#random.chance(0.5) || reply.extension === undefined
      ? { ...reply, vote: wrong }
      : { ...reply, extension: wrong };
  }

  /** "The same vote is stored with another timestamp", which it is not; or another block. */
  #falselyStored(id: number): SignReply | undefined {
    const asked = this.#asked.get(id);
    if (asked === undefined) return undefined;
    try {
      const { says } = SignBytes.parse(asked);
      const seconds = this.#random.pick([-100n, -1n, 0n, 1n, 30n, 61n, 1_000_000n]);
      const nanos = this.#random.below(1_000_000_000);
      const timestamp: Timestamp = { seconds: says.timestamp.seconds + seconds, nanos };
      const lie =
        says.step !== STEP_PROPOSAL && this.#random.chance(0.2)
          ? { ...withTimestamp(says, timestamp), blockId: undefined }
          : withTimestamp(says, timestamp);
      return { kind: 'stored', id, signBytes: SignBytes.encode(lie).bytes };
    } catch {
      return undefined;
    }
  }

  #note(what: string, ...messages: readonly CosignerMessage[]): readonly CosignerMessage[] {
    this.#coverage.note(`lying cosigner: ${what}`);
    return messages;
  }
}
