import { MAX_COSIGNERS } from '../coordination/limits.js';
import type { Carried } from '../coordination/messages.js';
import type { StateBinding } from '../watermark/slot-record.js';
import { MAX_IDENTITY_SIGNATURE_BYTES, QUESTION_BYTES } from '../watermark/wait-messages.js';
import { chainKey } from './commitment-codec.js';
import { between, height, int32, sized, wire64, type Wire64 } from './wire-values.js';

export interface WireQuestion extends StateBinding {
  readonly asker: number;
  readonly asked: number;
  readonly question: Uint8Array;
  readonly signature: Uint8Array;
}

export interface WireAnswer extends StateBinding {
  readonly asker: number;
  readonly answerer: number;
  readonly question: Uint8Array;
  readonly height: Wire64;
  readonly round: number;
  readonly step: number;
  readonly waiting: boolean;
  readonly signature: Uint8Array;
}

/** The same in both directions: a link gives on what it gets. */
export function toWireCarried(message: Carried): object {
  if (message.kind === 'waitQuestion') return { waitQuestion: message };
  const { place, ...rest } = message;
  return { waitAnswer: { ...rest, ...place, height: wire64(place.height) } };
}

/** Undefined: neither of the two. Throws TRANSPORT_MALFORMED. */
export function fromWireCarried(wire: {
  readonly waitQuestion?: WireQuestion;
  readonly waitAnswer?: WireAnswer;
}): Carried | undefined {
  if (wire.waitQuestion) {
    const { asker, asked, question, signature } = wire.waitQuestion;
    return {
      kind: 'waitQuestion',
      ...chainKey(wire.waitQuestion),
      asker: cosignerId(asker),
      asked: cosignerId(asked),
      ...signed(question, signature),
    };
  }
  if (wire.waitAnswer) {
    const { asker, answerer, question, signature, waiting, round, step } = wire.waitAnswer;
    return {
      kind: 'waitAnswer',
      ...chainKey(wire.waitAnswer),
      asker: cosignerId(asker),
      answerer: cosignerId(answerer),
      place: {
        height: height(wire.waitAnswer.height, 'height of an answer'),
        round: int32(round, 'round of an answer'),
        step: between(step, 0, 3, 'step of an answer'),
      },
      waiting,
      ...signed(question, signature),
    };
  }
  return undefined;
}

function cosignerId(id: number): number {
  return between(id, 1, MAX_COSIGNERS, 'cosigner id');
}

function signed(question: Uint8Array, signature: Uint8Array): Pick<WireQuestion, 'question' | 'signature'> {
  return {
    question: sized(question, QUESTION_BYTES, QUESTION_BYTES, 'question'),
    signature: sized(signature, 1, MAX_IDENTITY_SIGNATURE_BYTES, 'signature of an identity'),
  };
}
