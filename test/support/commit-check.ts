import { verify } from 'node:crypto';
import type { CometRpc } from './comet-rpc.js';
import { ed25519PublicKey } from './public-key.js';
import { PRECOMMIT, parseTimestamp, voteSignBytes } from './vote-bytes.js';

/** What is wrong with a range of heights; `checked` counts the commits with our good signature. */
export interface CommitReport {
  readonly checked: number;
  readonly problems: readonly string[];
}

export interface CommitCheck {
  readonly rpc: CometRpc;
  readonly chainId: string;
  /** Our 20-byte address in upper-case hex, and our 32-byte key. */
  readonly address: string;
  readonly publicKey: Uint8Array;
  /** Inclusive; `to` must be below the node's height, so that the commit is the one that the next block carries. */
  readonly from: number;
  readonly to: number;
  /** After a restart of the node itself a height may take a second round: the node forgot a proposal it had signed. */
  readonly laterRounds?: 'allowed';
  /**
   * How many of our precommits may be for nil; undefined: none. Among several validators a node precommits nil when two
   * thirds of the precommits reach it before two thirds of the prevotes do, which is its own right choice.
   */
  readonly nilAtMost?: number;
}

const FLAG_COMMIT = 2;
const FLAG_NIL = 3;

/** Every commit of the range: round 0, our precommit for the block with a signature that OpenSSL accepts, no evidence. */
export async function checkCommits(check: CommitCheck): Promise<CommitReport> {
  const key = ed25519PublicKey(check.publicKey);
  const problems: string[] = [];
  let checked = 0;
  let nil = 0;
  for (let height = check.from; height <= check.to; height++) {
    const problem = (text: string): void => void problems.push(`height ${height}: ${text}`);
    const { signed_header: header, canonical } = await check.rpc.commit(height);
    const { commit } = header;
    if (!canonical) problem('the commit is not final yet');
    if (Number(commit.height) !== height) problem(`the commit is for ${commit.height}`);
    if (commit.round !== 0 && check.laterRounds === undefined) problem(`round ${commit.round}`);
    const evidence = (await check.rpc.block(height)).block.evidence.evidence ?? [];
    if (evidence.length > 0) problem(`evidence ${JSON.stringify(evidence)}`);
    const ours = commit.signatures.find((signature) => signature.validator_address === check.address);
    const forNil = ours?.block_id_flag === FLAG_NIL && ++nil <= (check.nilAtMost ?? 0);
    if (ours === undefined || (ours.block_id_flag !== FLAG_COMMIT && !forNil)) {
      problem(`our precommit is missing (flag ${ours?.block_id_flag ?? 'absent'})`);
      continue;
    }
    const { hash, parts } = commit.block_id;
    const signBytes = voteSignBytes({
      type: PRECOMMIT,
      height: BigInt(height),
      round: commit.round,
      blockId: forNil ? undefined : { hash: hex(hash), partsTotal: parts.total, partsHash: hex(parts.hash) },
      timestamp: parseTimestamp(ours.timestamp),
      chainId: check.chainId,
    });
    if (verify(null, signBytes, key, Buffer.from(ours.signature ?? '', 'base64'))) checked++;
    else problem('our signature does not verify');
  }
  return { checked, problems };
}

const hex = (text: string): Uint8Array => Buffer.from(text, 'hex');

/** Height from which the node's chain has vote extensions, 0 when it has none. */
export async function extensionHeight(rpc: CometRpc): Promise<number> {
  const { consensus_params: params } = await rpc.consensusParams(1);
  return Number((params.feature ?? params.abci)?.vote_extensions_enable_height ?? 0);
}
