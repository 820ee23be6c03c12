import { HekateError, isHekateError } from '../errors.js';
import { invariant } from '../invariant.js';
import { WireReader } from '../wire/reader.js';
import { WireWriter } from '../wire/writer.js';
import type { Timestamp } from './canonical.js';
import { writeTimestamp } from './fields.js';
import { EMPTY_PROPOSAL, EMPTY_VOTE, readProposal, readVote, writeProposal, writeVote } from './node-messages.js';
import { readPublicKey, writePublicKey } from './public-key.js';
import { readRemoteError, writeRemoteError, type RemoteSignerError } from './remote-error.js';

/** Nodes up to 0.39 and 1.0 read no longer response, and lose their place in the stream over one (privval/signer_endpoint.go). */
export const MAX_RESPONSE_BYTES = 10_240;

export interface Refused {
  readonly kind: 'refused';
  /** The request that is refused. */
  readonly of: 'pubKey' | 'signVote' | 'signProposal' | 'signBytes';
  readonly error: RemoteSignerError;
}

/** What a node makes use of in a vote response; the rest of the vote it knows itself. */
export interface SignedVoteResponse {
  readonly kind: 'signedVote';
  readonly timestamp: Timestamp;
  readonly signature: Uint8Array;
  /** Empty: none. */
  readonly extensionSignature: Uint8Array;
}

export interface PubKeyResponse {
  readonly kind: 'pubKey';
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
}

/** What a signer sends: the even members of privval's Message. */
export type PrivvalResponse =
  | PubKeyResponse
  | SignedVoteResponse
  | { readonly kind: 'signedProposal'; readonly signature: Uint8Array }
  | { readonly kind: 'signedBytes'; readonly signature: Uint8Array }
  | { readonly kind: 'ping' }
  | Refused
  /** An empty Message: what a request gets that we do not know. The node takes it for an answer and waits no longer. */
  | { readonly kind: 'empty' };

/**
 * The shortest message that nodes of both dialects take: of a vote its timestamp and signatures, of a proposal its
 * signature. An extension is never sent back, which keeps every response far below MAX_RESPONSE_BYTES.
 */
export function encodeResponse(response: PrivvalResponse): Uint8Array {
  const writer = new WireWriter();
  switch (response.kind) {
    case 'pubKey':
      writer.message(2, (w) => writePublicKey(w, response.publicKey));
      break;
    case 'signedVote':
      writer.message(4, (w) => w.message(1, (vote) => writeSignedVote(vote, response)));
      break;
    case 'signedProposal':
      writer.message(6, (w) => w.message(1, (proposal) => proposal.bytes(7, response.signature)));
      break;
    case 'ping':
      writer.message(8, () => undefined);
      break;
    case 'signedBytes':
      writer.message(10, (w) => w.bytes(1, response.signature));
      break;
    case 'refused':
      writeRefused(writer, response);
      break;
    case 'empty':
      break;
  }
  const message = writer.finish();
  invariant(message.length < MAX_RESPONSE_BYTES, 'a response is shorter than what nodes read');
  return message;
}

/** The node's side. Throws PRIVVAL_MALFORMED. An error in a response outweighs the rest of it. */
export function decodeResponse(message: Uint8Array): PrivvalResponse {
  try {
    return readResponse(new WireReader(message));
  } catch (error) {
    if (!isHekateError(error) || error.code !== 'WIRE_MALFORMED') throw error;
    throw new HekateError('PRIVVAL_MALFORMED', `a response cannot be read: ${error.message}`, { cause: error });
  }
}

function writeSignedVote(vote: WireWriter, response: SignedVoteResponse): void {
  writeTimestamp(vote, 5, response.timestamp);
  vote.bytes(8, response.signature);
  vote.bytes(10, response.extensionSignature);
}

/** With the empty messages that CometBFT's own signer sends along (they are not nullable there). */
function writeRefused(writer: WireWriter, { of, error }: Refused): void {
  switch (of) {
    case 'pubKey':
      return writer.message(2, (w) => {
        w.message(1, () => undefined);
        writeRemoteError(w, error);
      });
    case 'signVote':
      return writer.message(4, (w) => {
        writeVote(w, 1, EMPTY_VOTE);
        writeRemoteError(w, error);
      });
    case 'signProposal':
      return writer.message(6, (w) => {
        writeProposal(w, 1, EMPTY_PROPOSAL);
        writeRemoteError(w, error);
      });
    case 'signBytes':
      return writer.message(10, (w) => writeRemoteError(w, error));
  }
}

function readResponse(reader: WireReader): PrivvalResponse {
  let response: PrivvalResponse = { kind: 'empty' };
  while (reader.next()) {
    const { field } = reader;
    if (field === 2) response = readPubKeyResponse(reader.message());
    else if (field === 4) response = readVoteResponse(reader.message());
    else if (field === 6) response = readProposalResponse(reader.message());
    else if (field === 8) response = readPing(reader.message());
    else if (field === 10) response = readBytesResponse(reader.message());
    else reader.skip();
  }
  return response;
}

function readPubKeyResponse(reader: WireReader): PrivvalResponse {
  const { publicKey, error } = readPublicKey(reader);
  return error === undefined ? { kind: 'pubKey', publicKey } : { kind: 'refused', of: 'pubKey', error };
}

function readVoteResponse(reader: WireReader): PrivvalResponse {
  let vote = EMPTY_VOTE;
  let error: RemoteSignerError | undefined;
  while (reader.next()) {
    if (reader.field === 1) vote = readVote(reader.message());
    else if (reader.field === 2) error = readRemoteError(reader.message());
    else reader.skip();
  }
  if (error !== undefined) return { kind: 'refused', of: 'signVote', error };
  const { timestamp, signature, extensionSignature } = vote;
  return { kind: 'signedVote', timestamp, signature, extensionSignature };
}

function readProposalResponse(reader: WireReader): PrivvalResponse {
  let proposal = EMPTY_PROPOSAL;
  let error: RemoteSignerError | undefined;
  while (reader.next()) {
    if (reader.field === 1) proposal = readProposal(reader.message());
    else if (reader.field === 2) error = readRemoteError(reader.message());
    else reader.skip();
  }
  if (error !== undefined) return { kind: 'refused', of: 'signProposal', error };
  return { kind: 'signedProposal', signature: proposal.signature };
}

function readBytesResponse(reader: WireReader): PrivvalResponse {
  let signature: Uint8Array = new Uint8Array(0);
  let error: RemoteSignerError | undefined;
  while (reader.next()) {
    if (reader.field === 1) signature = reader.bytes();
    else if (reader.field === 2) error = readRemoteError(reader.message());
    else reader.skip();
  }
  return error === undefined ? { kind: 'signedBytes', signature } : { kind: 'refused', of: 'signBytes', error };
}

function readPing(reader: WireReader): PrivvalResponse {
  while (reader.next()) reader.skip();
  return { kind: 'ping' };
}
