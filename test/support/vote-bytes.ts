import { bytesField, delimited, sfixed64Field, uintField } from './proto-fields.js';

export const PREVOTE = 1;
export const PRECOMMIT = 2;
export const PROPOSAL = 32;

export interface TestBlockId {
  readonly hash: Uint8Array;
  readonly partsTotal: number;
  readonly partsHash: Uint8Array;
}

export interface TestTimestamp {
  readonly seconds: bigint;
  readonly nanos: number;
}

export interface TestVote {
  /** PREVOTE or PRECOMMIT; a hostile node sends others too. */
  readonly type: number;
  readonly height: bigint;
  readonly round: number;
  /** Undefined is nil. */
  readonly blockId: TestBlockId | undefined;
  readonly timestamp: TestTimestamp;
  readonly chainId: string;
  readonly extension?: Uint8Array;
  /** SignVoteRequest.skip_extension_signing of CometBFT 1.0. */
  readonly skipExtensionSigning?: boolean;
}

export interface TestProposal {
  readonly height: bigint;
  readonly round: number;
  readonly polRound: number;
  readonly blockId: TestBlockId | undefined;
  readonly timestamp: TestTimestamp;
  readonly chainId: string;
}

/**
 * Sign bytes of a vote for a block, from types/canonical.proto. Written apart from the production encoder on purpose:
 * the checker of real commits must not share its mistakes.
 */
export function voteSignBytes(vote: TestVote): Uint8Array {
  return delimited(
    uintField(1, BigInt(vote.type)),
    sfixed64Field(2, vote.height),
    sfixed64Field(3, BigInt(vote.round)),
    vote.blockId === undefined ? new Uint8Array() : blockIdField(4, vote.blockId),
    timestampField(5, vote.timestamp),
    bytesField(6, Buffer.from(vote.chainId)),
  );
}

/** CanonicalProposal: its fields behind pol_round are numbered one higher than those of a vote. */
export function proposalSignBytes(proposal: TestProposal): Uint8Array {
  return delimited(
    uintField(1, BigInt(PROPOSAL)),
    sfixed64Field(2, proposal.height),
    sfixed64Field(3, BigInt(proposal.round)),
    uintField(4, BigInt(proposal.polRound)),
    proposal.blockId === undefined ? new Uint8Array() : blockIdField(5, proposal.blockId),
    timestampField(6, proposal.timestamp),
    bytesField(7, Buffer.from(proposal.chainId)),
  );
}

/** CanonicalVoteExtension: neither block nor timestamp. */
export function extensionSignBytes({ extension, height, round, chainId }: TestVote): Uint8Array {
  return delimited(
    extension === undefined || extension.length === 0 ? new Uint8Array() : bytesField(1, extension),
    sfixed64Field(2, height),
    sfixed64Field(3, BigInt(round)),
    bytesField(4, Buffer.from(chainId)),
  );
}

/** BlockID and CanonicalBlockID are the same on the wire. */
export function blockIdField(number: number, blockId: TestBlockId): Uint8Array {
  const parts = bytesField(2, uintField(1, BigInt(blockId.partsTotal)), bytesField(2, blockId.partsHash));
  return bytesField(number, bytesField(1, blockId.hash), parts);
}

export function timestampField(number: number, { seconds, nanos }: TestTimestamp): Uint8Array {
  return bytesField(number, uintField(1, seconds), uintField(2, BigInt(nanos)));
}

/** RFC 3339 with up to nine digits of a second, as CometBFT's RPC prints times. */
export function parseTimestamp(text: string): TestTimestamp {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/.exec(text);
  if (!match) throw new Error(`not a UTC timestamp: ${text}`);
  const [, whole = '', fraction = ''] = match;
  return { seconds: BigInt(Date.parse(`${whole}Z`)) / 1000n, nanos: Number(fraction.padEnd(9, '0')) };
}
