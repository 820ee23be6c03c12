import type { WireReader } from '../wire/reader.js';
import type { WireWriter } from '../wire/writer.js';
import type { BlockId, Timestamp } from './canonical.js';
import {
  EMPTY_BYTES,
  NO_BLOCK,
  readBlockId,
  readTimestamp,
  writeBlockId,
  writeTimestamp,
  ZERO_TIME,
} from './fields.js';

/** Vote of CometBFT's types.proto, unchecked. `type` is its SignedMsgType: 1 prevote, 2 precommit. */
export interface VoteMessage {
  readonly type: number;
  readonly height: bigint;
  readonly round: number;
  /** All of it empty for nil. */
  readonly blockId: BlockId;
  readonly timestamp: Timestamp;
  readonly validatorAddress: Uint8Array;
  readonly validatorIndex: number;
  readonly signature: Uint8Array;
  /** Since 0.38. */
  readonly extension: Uint8Array;
  readonly extensionSignature: Uint8Array;
}

/** Proposal of CometBFT's types.proto, unchecked. `type` is 32, and nobody looks at it. */
export interface ProposalMessage {
  readonly type: number;
  readonly height: bigint;
  readonly round: number;
  readonly polRound: number;
  readonly blockId: BlockId;
  readonly timestamp: Timestamp;
  readonly signature: Uint8Array;
}

/** What an absent vote means. */
export const EMPTY_VOTE: VoteMessage = {
  type: 0,
  height: 0n,
  round: 0,
  blockId: NO_BLOCK,
  timestamp: ZERO_TIME,
  validatorAddress: EMPTY_BYTES,
  validatorIndex: 0,
  signature: EMPTY_BYTES,
  extension: EMPTY_BYTES,
  extensionSignature: EMPTY_BYTES,
};

export const EMPTY_PROPOSAL: ProposalMessage = {
  type: 0,
  height: 0n,
  round: 0,
  polRound: 0,
  blockId: NO_BLOCK,
  timestamp: ZERO_TIME,
  signature: EMPTY_BYTES,
};

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export function readVote(reader: WireReader): VoteMessage {
  const vote: Mutable<VoteMessage> = { ...EMPTY_VOTE };
  while (reader.next()) {
    const { field } = reader;
    if (field === 1) vote.type = reader.int32();
    else if (field === 2) vote.height = reader.int64();
    else if (field === 3) vote.round = reader.int32();
    else if (field === 4) vote.blockId = readBlockId(reader.message());
    else if (field === 5) vote.timestamp = readTimestamp(reader.message());
    else if (field === 6) vote.validatorAddress = reader.bytes();
    else if (field === 7) vote.validatorIndex = reader.int32();
    else if (field === 8) vote.signature = reader.bytes();
    else if (field === 9) vote.extension = reader.bytes();
    else if (field === 10) vote.extensionSignature = reader.bytes();
    else reader.skip();
  }
  return vote;
}

export function writeVote(writer: WireWriter, field: number, vote: VoteMessage): void {
  writer.message(field, (w) => {
    w.int32(1, vote.type);
    w.int64(2, vote.height);
    w.int32(3, vote.round);
    writeBlockId(w, 4, vote.blockId);
    writeTimestamp(w, 5, vote.timestamp);
    w.bytes(6, vote.validatorAddress);
    w.int32(7, vote.validatorIndex);
    w.bytes(8, vote.signature);
    w.bytes(9, vote.extension);
    w.bytes(10, vote.extensionSignature);
  });
}

export function readProposal(reader: WireReader): ProposalMessage {
  const proposal: Mutable<ProposalMessage> = { ...EMPTY_PROPOSAL };
  while (reader.next()) {
    const { field } = reader;
    if (field === 1) proposal.type = reader.int32();
    else if (field === 2) proposal.height = reader.int64();
    else if (field === 3) proposal.round = reader.int32();
    else if (field === 4) proposal.polRound = reader.int32();
    else if (field === 5) proposal.blockId = readBlockId(reader.message());
    else if (field === 6) proposal.timestamp = readTimestamp(reader.message());
    else if (field === 7) proposal.signature = reader.bytes();
    else reader.skip();
  }
  return proposal;
}

export function writeProposal(writer: WireWriter, field: number, proposal: ProposalMessage): void {
  writer.message(field, (w) => {
    w.int32(1, proposal.type);
    w.int64(2, proposal.height);
    w.int32(3, proposal.round);
    w.int32(4, proposal.polRound);
    writeBlockId(w, 5, proposal.blockId);
    writeTimestamp(w, 6, proposal.timestamp);
    w.bytes(7, proposal.signature);
  });
}
