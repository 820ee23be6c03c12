import type { ChainReport } from '../../src/shared/coordination/messages.js';
import type { Peer } from '../cosigners/peer.js';

/**
 * A cosigner that is this many heights behind the others is asked although they are nearer. One that is never asked would
 * be left behind until it takes the height for a jump and refuses, on the day on which it is needed.
 */
const CATCH_UP_HEIGHTS = 1_000n;

/** What the choice depends on. */
export interface Candidate {
  readonly id: number;
  ready(chainId: string, nonces: number): boolean;
  readonly chains: Pick<Peer['chains'], 'report' | 'behind' | 'waiting' | 'refusing' | 'leftOut'>;
  readonly health: Pick<Peer['health'], 'suspect' | 'distanceMs'>;
}

export interface ChoiceContext {
  readonly chainId: string;
  readonly threshold: number;
  /** Commitments each signer must have: one, or two with a vote extension. */
  readonly nonces: number;
  /** Height, round and step asked for, to prefer cosigners that already hold this very vote. */
  readonly hrs: { readonly height: bigint; readonly round: number; readonly step: number };
}

/**
 * The t cosigners to ask: those that already stored something for this height, round and step first (they know the
 * timestamp that was signed), then those that have to catch up, then the nearest; behind them those that recently kept a
 * request waiting or refused what the others signed; last those that are left out, whom the caller keeps away where others may
 * do. Undefined when fewer than t can take part now.
 */
export function chooseSigners<C extends Candidate>(
  candidates: readonly C[],
  context: ChoiceContext,
): readonly C[] | undefined {
  const { chainId, threshold, nonces, hrs } = context;
  const report = (peer: C): ChainReport | undefined => peer.chains.report(chainId);
  const front = heightOfEnough(
    candidates.flatMap((peer) => report(peer)?.height ?? []),
    threshold,
  );
  const isJump = (from: bigint, limit: bigint): boolean => hrs.height > from + limit;
  const able = candidates.filter((peer) => {
    // What would be a jump must not become the first height of one that never signed: it would be lost to the cluster.
    const own = report(peer);
    const misled = front > 0n && own?.step === 0 && isJump(front, own.maxHeightJump);
    return !misled && peer.ready(chainId, nonces);
  });
  if (able.length < threshold) return undefined;
  const urgency = (peer: C): number => {
    const own = report(peer);
    if (own === undefined) return 2;
    if (own.height === hrs.height && own.round === hrs.round && own.step === hrs.step) return 0;
    // Step 0: it never signed, and until it does no height is a jump for it.
    if (own.step === 0) return 1;
    // One that is too far behind refuses: it would cost every vote time until an operator raises its watermark.
    return front > own.height + CATCH_UP_HEIGHTS && !isJump(own.height, own.maxHeightJump) ? 1 : 2;
  };
  const doubt = (peer: C): number =>
    // One that waits is asked only where there are too few others: a request may be what ends its wait.
    (peer.chains.waiting(chainId) ? 4 : 0) +
    (peer.chains.leftOut(chainId) !== undefined ? 2 : 0) +
    (peer.health.suspect || peer.chains.behind(chainId) || peer.chains.refusing(chainId) ? 1 : 0);
  // Each is looked at once: a comparison would ask for all of it again, and the clock with it.
  const ranked = able.map((peer) => ({
    peer,
    doubt: doubt(peer),
    urgency: urgency(peer),
    // Whole milliseconds: noise must not make the set change from vote to vote.
    distanceMs: Math.round(peer.health.distanceMs()),
  }));
  ranked.sort(
    (a, b) => a.doubt - b.doubt || a.urgency - b.urgency || a.distanceMs - b.distanceMs || a.peer.id - b.peer.id,
  );
  const chosen = ranked.slice(0, threshold).map(({ peer }) => peer);
  return chosen.sort((a, b) => a.id - b.id);
}

/** What t of them have reached: one alone may claim any height. */
function heightOfEnough(heights: readonly bigint[], threshold: number): bigint {
  const highestFirst = [...heights].sort((a, b) => (a < b ? 1 : a > b ? -1 : 0));
  return highestFirst[threshold - 1] ?? 0n;
}
