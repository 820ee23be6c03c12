import { HekateError, isHekateError } from '../errors.js';
import { WireReader } from '../wire/reader.js';
import { WireWriter } from '../wire/writer.js';
import { EMPTY_PROPOSAL, EMPTY_VOTE, readProposal, readVote, writeProposal, writeVote } from './node-messages.js';
import type { ProposalMessage, VoteMessage } from './node-messages.js';

/** Protobuf's wire type of an embedded message. */
const LENGTH_DELIMITED = 2;

export interface PubKeyRequest {
  readonly kind: 'pubKey';
  readonly chainId: string;
}

export interface SignVoteRequest {
  readonly kind: 'signVote';
  readonly chainId: string;
  readonly vote: VoteMessage;
  /** CometBFT 1.0 only: the chain has no vote extensions. Classic nodes do not say, so there it is always false. */
  readonly skipExtensionSigning: boolean;
}

export interface SignProposalRequest {
  readonly kind: 'signProposal';
  readonly chainId: string;
  readonly proposal: ProposalMessage;
}

/** 1.0's SignBytesRequest, or Celestia's SignRawBytesRequest: the two cannot be told apart, so its body is left unread. */
export interface SignBytesRequest {
  readonly kind: 'signBytes';
  readonly body: Uint8Array;
}

/**
 * What a node sends: the odd members of privval's Message. One form serves the classic dialect (CometBFT 0.34 to 0.40,
 * proto/cometbft/classic) and 1.0's (proto/cometbft/v1); they differ by one field of a vote request.
 */
export type PrivvalRequest =
  | PubKeyRequest
  | SignVoteRequest
  | SignProposalRequest
  | SignBytesRequest
  | { readonly kind: 'ping' }
  /** A message that is none of these; `field` is its number in Message, 0 when it is empty. */
  | { readonly kind: 'unknown'; readonly field: number };

/** Members of Message by their field number. */
const KINDS = new Map([
  [1, 'pubKey'],
  [3, 'signVote'],
  [5, 'signProposal'],
  [9, 'signBytes'],
] as const);

/** What a request is, of which only the first bytes are known; undefined for anything that nobody waits for. */
export function kindOfRequest(head: Uint8Array): 'pubKey' | 'signVote' | 'signProposal' | 'signBytes' | undefined {
  const [tag = 0] = head;
  for (const [field, kind] of KINDS) if (tag === ((field << 3) | LENGTH_DELIMITED)) return kind;
  return undefined;
}

/** Throws PRIVVAL_MALFORMED. Byte fields are views of `message`. Unknown fields are skipped, the last known one counts. */
export function decodeRequest(message: Uint8Array): PrivvalRequest {
  try {
    return readRequest(new WireReader(message));
  } catch (error) {
    if (!isHekateError(error) || error.code !== 'WIRE_MALFORMED') throw error;
    throw new HekateError('PRIVVAL_MALFORMED', `a request cannot be read: ${error.message}`, { cause: error });
  }
}

export function encodeRequest(request: PrivvalRequest): Uint8Array {
  const writer = new WireWriter();
  switch (request.kind) {
    case 'pubKey':
      writer.message(1, (w) => w.string(1, request.chainId));
      break;
    case 'signVote':
      writer.message(3, (w) => {
        writeVote(w, 1, request.vote);
        w.string(2, request.chainId);
        w.bool(3, request.skipExtensionSigning);
      });
      break;
    case 'signProposal':
      writer.message(5, (w) => {
        writeProposal(w, 1, request.proposal);
        w.string(2, request.chainId);
      });
      break;
    case 'ping':
      writer.message(7, () => undefined);
      break;
    case 'signBytes':
      return encodeBody(9, request.body);
    case 'unknown':
      if (request.field !== 0) writer.message(request.field, () => undefined);
      break;
  }
  return writer.finish();
}

function readRequest(reader: WireReader): PrivvalRequest {
  let request: PrivvalRequest = { kind: 'unknown', field: 0 };
  while (reader.next()) {
    const { field } = reader;
    if (field === 1) request = readPubKey(reader.message());
    else if (field === 3) request = readSignVote(reader.message());
    else if (field === 5) request = readSignProposal(reader.message());
    else if (field === 7) request = readPing(reader.message());
    else if (field === 9) request = { kind: 'signBytes', body: reader.bytes() };
    else {
      reader.skip();
      if (request.kind === 'unknown') request = { kind: 'unknown', field };
    }
  }
  return request;
}

function readPubKey(reader: WireReader): PubKeyRequest {
  let chainId = '';
  while (reader.next()) {
    if (reader.field === 1) chainId = reader.string();
    else reader.skip();
  }
  return { kind: 'pubKey', chainId };
}

function readSignVote(reader: WireReader): SignVoteRequest {
  let vote = EMPTY_VOTE;
  let chainId = '';
  let skipExtensionSigning = false;
  while (reader.next()) {
    if (reader.field === 1) vote = readVote(reader.message());
    else if (reader.field === 2) chainId = reader.string();
    else if (reader.field === 3) skipExtensionSigning = reader.bool();
    else reader.skip();
  }
  return { kind: 'signVote', chainId, vote, skipExtensionSigning };
}

function readSignProposal(reader: WireReader): SignProposalRequest {
  let proposal = EMPTY_PROPOSAL;
  let chainId = '';
  while (reader.next()) {
    if (reader.field === 1) proposal = readProposal(reader.message());
    else if (reader.field === 2) chainId = reader.string();
    else reader.skip();
  }
  return { kind: 'signProposal', chainId, proposal };
}

function readPing(reader: WireReader): PrivvalRequest {
  while (reader.next()) reader.skip();
  return { kind: 'ping' };
}

/** A field that is written even when its bytes are empty, as members of a oneof are. */
function encodeBody(field: number, body: Uint8Array): Uint8Array {
  const writer = new WireWriter();
  if (body.length === 0) writer.message(field, () => undefined);
  else writer.bytes(field, body);
  return writer.finish();
}
