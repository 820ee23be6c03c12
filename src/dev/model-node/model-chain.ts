import { createHash } from 'node:crypto';
import {
  STEP_PRECOMMIT,
  STEP_PREVOTE,
  STEP_PROPOSAL,
  type BlockId,
  type Canonical,
  type Timestamp,
} from '../../shared/privval/canonical.js';
import { EMPTY_BYTES, NO_BLOCK } from '../../shared/privval/fields.js';
import { EMPTY_PROPOSAL, EMPTY_VOTE } from '../../shared/privval/node-messages.js';
import type { PrivvalRequest } from '../../shared/privval/request.js';

/** 2025-01-01T00:00:00Z. Blocks of the model are a second apart, whatever the clock on the wall says. */
const GENESIS_SECONDS = 1_735_689_600n;
const NANOS_PER_SECOND = 1_000_000_000;

/** CometBFT versions as the signer can tell them apart: 0.34 to 0.37, 0.38 to 0.40, 1.0. */
export type NodeVersion = '0.37' | '0.38' | '1.0';

/** One thing to be signed: what is asked, and what the signature must be of. */
export interface Ballot {
  readonly request: PrivvalRequest;
  readonly canonical: Canonical;
  /** Vote extension to be signed too; undefined when none may be. */
  readonly extension: Uint8Array | undefined;
}

export interface ModelChainOptions {
  readonly chainId: string;
  readonly version: NodeVersion;
  /** The application's vote extension of a height; undefined for a chain without them. */
  readonly extension: ((height: bigint) => Uint8Array) | undefined;
}

/**
 * What a node with one validator asks to have signed. Blocks and proposals follow from height and round alone, so a node
 * that was stopped in the middle of a height proposes the same again, byte for byte; votes carry the time of asking.
 */
export class ModelChain {
  constructor(readonly options: ModelChainOptions) {}

  blockAt(height: bigint, round: number): BlockId {
    const name = `${this.options.chainId}/${height}/${round}`;
    return { hash: sha256(`block ${name}`), partsTotal: 1, partsHash: sha256(`parts ${name}`) };
  }

  /** `polRound` is the round in which the block was locked, -1 for a new one. */
  proposal(height: bigint, round: number, blockId: BlockId, polRound: number): Ballot {
    const { chainId } = this.options;
    const timestamp = timeOf(height, 0);
    const proposal = { ...EMPTY_PROPOSAL, type: 32, height, round, polRound, blockId, timestamp };
    return {
      request: { kind: 'signProposal', chainId, proposal },
      canonical: { step: STEP_PROPOSAL, chainId, height, round, polRound: BigInt(polRound), blockId, timestamp },
      extension: undefined,
    };
  }

  /** A vote for a block, or for nil. `nowMs` gives it the nanoseconds of its timestamp. */
  vote(
    step: typeof STEP_PREVOTE | typeof STEP_PRECOMMIT,
    height: bigint,
    round: number,
    blockId: BlockId | undefined,
    nowMs: number,
  ): Ballot {
    const { chainId, version, extension } = this.options;
    const extended = step === STEP_PRECOMMIT && blockId !== undefined;
    const skipped = version === '0.37' || (version === '1.0' && extension === undefined);
    const extensionBytes = (version === '0.37' ? undefined : extension?.(height)) ?? EMPTY_BYTES;
    const timestamp = timeOf(height, nowMs);
    const vote = {
      ...EMPTY_VOTE,
      type: step === STEP_PREVOTE ? 1 : 2,
      height,
      round,
      blockId: blockId ?? NO_BLOCK,
      timestamp,
      extension: extended ? extensionBytes : EMPTY_BYTES,
    };
    const skipExtensionSigning = version === '1.0' && extension === undefined;
    return {
      request: { kind: 'signVote', chainId, vote, skipExtensionSigning },
      canonical: { step, chainId, height, round, blockId, timestamp },
      extension: extended && !skipped ? extensionBytes : undefined,
    };
  }
}

function timeOf(height: bigint, nowMs: number): Timestamp {
  return { seconds: GENESIS_SECONDS + height, nanos: Math.floor(nowMs * 1e6) % NANOS_PER_SECOND };
}

function sha256(text: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(text).digest());
}
