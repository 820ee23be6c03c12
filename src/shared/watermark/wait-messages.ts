import { concat } from '../bytes.js';
import type { StateBinding } from './slot-record.js';
import type { Place } from './watermark.js';

/** Drawn by a cosigner that waits: an answer to them was given after its start. */
export const QUESTION_BYTES = 32;
/** P-256 takes 72, RSA with 4096 bits 512. */
export const MAX_IDENTITY_SIGNATURE_BYTES = 512;

/** A cosigner that waits asks another one where it stands. Links carry it, and cannot make one. */
export interface WaitQuestion extends StateBinding {
  readonly kind: 'waitQuestion';
  readonly asker: number;
  readonly asked: number;
  readonly question: Uint8Array;
  /** With the TLS identity key of the asker, over `questionBytes`. */
  readonly signature: Uint8Array;
}

/** What it answers, to that question alone. */
export interface WaitAnswer extends StateBinding {
  readonly kind: 'waitAnswer';
  readonly asker: number;
  readonly answerer: number;
  readonly question: Uint8Array;
  readonly place: Place;
  /** The answerer waits itself. */
  readonly waiting: boolean;
  /** With the TLS identity key of the answerer, over `answerBytes`. */
  readonly signature: Uint8Array;
}

const QUESTION_CONTEXT = Buffer.from('hekate/wait-question/1\n', 'latin1');
const ANSWER_CONTEXT = Buffer.from('hekate/wait-answer/1\n', 'latin1');

/** What the signature of a question is over. */
export function questionBytes({
  asker,
  asked,
  question,
  ...key
}: Omit<WaitQuestion, 'kind' | 'signature'>): Uint8Array {
  return concat(QUESTION_CONTEXT, keyBytes(key), uint(4, asker), uint(4, asked), question);
}

/** What the signature of an answer is over. */
export function answerBytes(answer: Omit<WaitAnswer, 'kind' | 'signature'>): Uint8Array {
  const { asker, answerer, question, place, waiting, ...key } = answer;
  return concat(
    ...[ANSWER_CONTEXT, keyBytes(key), uint(4, asker), uint(4, answerer), question],
    ...[uint(8, place.height), uint(4, place.round), uint(1, place.step), uint(1, waiting ? 1 : 0)],
  );
}

function keyBytes({ chainId, groupPublicKey }: StateBinding): Uint8Array {
  const name = Buffer.from(chainId, 'utf8');
  return concat(uint(1, name.length), name, groupPublicKey);
}

function uint(size: 1 | 4 | 8, value: number | bigint): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes.subarray(8 - size);
}
