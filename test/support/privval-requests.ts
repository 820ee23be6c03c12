import { bytesField, uintField } from './proto-fields.js';
import { blockIdField, timestampField, type TestBlockId, type TestProposal, type TestVote } from './vote-bytes.js';

/** What a node asks, as members of privval's Message; written apart from the production encoder. */
export const PING: Uint8Array = bytesField(7);

export function publicKey(chainId: string): Uint8Array {
  return bytesField(1, text(1, chainId));
}

/** SignVoteRequest. The block id is written for nil too, as CometBFT does (it is not nullable). */
export function signVote(vote: TestVote): Uint8Array {
  const message = bytesField(
    1,
    uintField(1, BigInt(vote.type)),
    uintField(2, vote.height),
    uintField(3, BigInt(vote.round)),
    blockId(4, vote.blockId),
    timestampField(5, vote.timestamp),
    bytesField(6, new Uint8Array(20)),
    vote.extension === undefined || vote.extension.length === 0 ? new Uint8Array() : bytesField(9, vote.extension),
  );
  return bytesField(3, message, text(2, vote.chainId), uintField(3, vote.skipExtensionSigning === true ? 1n : 0n));
}

/** SignProposalRequest. */
export function signProposal(proposal: TestProposal): Uint8Array {
  const message = bytesField(
    1,
    uintField(1, 32n),
    uintField(2, proposal.height),
    uintField(3, BigInt(proposal.round)),
    uintField(4, BigInt(proposal.polRound)),
    blockId(5, proposal.blockId),
    timestampField(6, proposal.timestamp),
  );
  return bytesField(5, message, text(2, proposal.chainId));
}

/** SignBytesRequest of CometBFT 1.0. */
export function signBytes(bytes: Uint8Array): Uint8Array {
  return bytesField(9, bytesField(1, bytes));
}

function blockId(number: number, id: TestBlockId | undefined): Uint8Array {
  return id === undefined ? bytesField(number, bytesField(2)) : blockIdField(number, id);
}

function text(number: number, value: string): Uint8Array {
  return value === '' ? new Uint8Array() : bytesField(number, Buffer.from(value));
}
