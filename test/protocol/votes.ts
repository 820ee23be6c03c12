import type { BlockId, Canonical, SignStep } from '../../src/shared/privval/canonical.js';
import type { VoteToSign } from '../../sentry-link/vote-to-sign.js';
import { SignBytes } from '../../src/shared/privval/sign-bytes.js';

export const CHAIN = 'test-1';

export interface VoteSpec {
  readonly at: readonly [height: number, round: number, step: SignStep];
  /** A letter names a block, `nil` is none. */
  readonly block?: string;
  readonly nanos?: number;
  readonly polRound?: bigint;
  readonly extension?: string;
  readonly chainId?: string;
}

/** What a node session would hand over for this vote or proposal. */
export function vote({
  at,
  block = 'A',
  nanos = 500,
  polRound = -1n,
  extension,
  chainId = CHAIN,
}: VoteSpec): VoteToSign {
  const [height, round, step] = at;
  const blockId = block === 'nil' ? undefined : blockNamed(block);
  const timestamp = { seconds: 1_700_000_000n, nanos };
  const common = { chainId, height: BigInt(height), round, blockId, timestamp };
  const canonical: Canonical = step === 1 ? { ...common, step, polRound } : { ...common, step };
  const bytes = extension === undefined ? undefined : new Uint8Array(Buffer.from(extension));
  return { signBytes: SignBytes.encode(canonical), extension: bytes };
}

function blockNamed(name: string): BlockId {
  const fill = name.charCodeAt(0);
  return { hash: new Uint8Array(32).fill(fill), partsTotal: 1, partsHash: new Uint8Array(32).fill(fill + 1) };
}
