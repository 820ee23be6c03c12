import { DelimitedReader, bytesOf, integerOf, readFields } from './proto-fields.js';

export type SignStepName = 'Proposal' | 'Prevote' | 'Precommit';

/** One sign request of the node and what came of it. */
export interface SignRecord {
  readonly step: SignStepName;
  readonly height: bigint;
  readonly round: number;
  /** Hex of the encoded block id, empty for nil. */
  readonly block: string;
  /** `lost`: the connection ended first, so the node asks again. */
  outcome: 'pending' | 'signed' | 'refused' | 'lost';
  /** The description of a refusal. */
  error: string;
  /** From the last byte of the request to the last byte of the answer. */
  ms: number;
}

/** What becomes of sign requests, as it happens. */
export interface ConversationEvents {
  asked?(record: SignRecord): void;
  /** Signed or refused. */
  answered?(record: SignRecord): void;
  lost?(record: SignRecord): void;
}

/**
 * One connection between a node and its signer, in the clear: writes down every sign request and what was answered. Answers
 * come in the order of the requests.
 */
export class PrivvalConversation {
  private readonly requests = new DelimitedReader();
  private readonly answers = new DelimitedReader();
  /** Undefined for those that sign nothing (ping, public key). */
  private readonly open: { record: SignRecord | undefined; askedAt: number }[] = [];

  constructor(private readonly events: ConversationEvents) {}

  fromNode(bytes: Uint8Array): void {
    for (const message of this.requests.push(bytes)) {
      const record = requestOf(message);
      this.open.push({ record, askedAt: performance.now() });
      if (record) this.events.asked?.(record);
    }
  }

  fromSigner(bytes: Uint8Array): void {
    for (const message of this.answers.push(bytes)) {
      const asked = this.open.shift();
      if (!asked?.record) continue;
      answer(asked.record, message, performance.now() - asked.askedAt);
      this.events.answered?.(asked.record);
    }
  }

  ended(): void {
    for (const { record } of this.open.splice(0)) {
      if (!record) continue;
      record.outcome = 'lost';
      this.events.lost?.(record);
    }
  }
}

const STEPS: Readonly<Record<string, SignStepName>> = { 1: 'Prevote', 2: 'Precommit', 32: 'Proposal' };
const VOTE_REQUEST = 3;
const PROPOSAL_REQUEST = 5;

/** SignVoteRequest (field 3, block id in field 4) or SignProposalRequest (field 5, block id in field 5). */
function requestOf(message: Uint8Array): SignRecord | undefined {
  const [request] = readFields(message);
  if (request?.number !== VOTE_REQUEST && request?.number !== PROPOSAL_REQUEST) return undefined;
  const fields = readFields(bytesOf(readFields(request.value as Uint8Array), 1) ?? new Uint8Array());
  const isProposal = request.number === PROPOSAL_REQUEST;
  const block = bytesOf(fields, isProposal ? 5 : 4) ?? new Uint8Array();
  const isNil = bytesOf(readFields(block), 1) === undefined;
  return {
    step: STEPS[String(integerOf(fields, 1))] ?? 'Proposal',
    height: integerOf(fields, 2),
    round: Number(integerOf(fields, 3)),
    block: isNil ? '' : Buffer.from(block).toString('hex'),
    outcome: 'pending',
    error: '',
    ms: 0,
  };
}

/** SignedVoteResponse and SignedProposalResponse: field 1 is what was signed, field 2 the RemoteSignerError. */
function answer(record: SignRecord, message: Uint8Array, ms: number): void {
  const [response] = readFields(message);
  const error = bytesOf(readFields((response?.value ?? new Uint8Array()) as Uint8Array), 2);
  record.ms = ms;
  record.outcome = error === undefined ? 'signed' : 'refused';
  if (error !== undefined) record.error = Buffer.from(bytesOf(readFields(error), 2) ?? []).toString();
}
