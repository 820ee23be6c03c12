import { DEFAULT_WATERMARK_LIMITS } from '../../src/shared/watermark/rules.js';
import type { Peer } from '../cosigners/peer.js';

/**
 * A cosigner that is this many heights behind the others is asked although they are nearer. One that is never asked would
 * be left behind until it takes the height for a jump and refuses, on the day on which it is needed.
 */
const CATCH_UP_HEIGHTS = 1_000n;

/** What the choice depends on. */
export type Candidate = Pick<Peer, 'id' | 'ready' | 'report' | 'suspect' | 'roundTripMs'>;

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
 * timestamp that was signed), then those that have to catch up, then the nearest, those that recently kept a request
 * waiting last. Undefined when fewer than t can take part now.
 */
export function chooseSigners<C extends Candidate>(
  candidates: readonly C[],
  context: ChoiceContext,
): readonly C[] | undefined {
  const { chainId, threshold, nonces, hrs } = context;
  const height = (peer: C): bigint => peer.report(chainId)?.height ?? 0n;
  const front = candidates.reduce((highest, peer) => (height(peer) > highest ? height(peer) : highest), 0n);
  const jumps = (from: bigint): boolean => hrs.height > from + DEFAULT_WATERMARK_LIMITS.maxHeightJump;
  const able = candidates.filter((peer) => {
    // What is a jump for the others must not become the first height of one that never signed: it would be lost to the cluster.
    const misled = front > 0n && jumps(front) && peer.report(chainId)?.step === 0;
    return !misled && peer.ready(chainId, nonces);
  });
  if (able.length < threshold) return undefined;
  const urgency = (peer: C): number => {
    const report = peer.report(chainId);
    if (report === undefined) return 2;
    if (report.height === hrs.height && report.round === hrs.round && report.step === hrs.step) return 0;
    // Step 0: it never signed, and until it does no height is a jump for it.
    if (report.step === 0) return 1;
    // One that is too far behind refuses: it would cost every vote time until an operator raises its watermark.
    return front > report.height + CATCH_UP_HEIGHTS && !jumps(report.height) ? 1 : 2;
  };
  // Whole milliseconds: noise must not make the set change from vote to vote.
  const distance = (peer: C): number => Math.round(peer.roundTripMs ?? 0);
  const ranked = [...able].sort(
    (a, b) =>
      Number(a.suspect) - Number(b.suspect) || urgency(a) - urgency(b) || distance(a) - distance(b) || a.id - b.id,
  );
  return ranked.slice(0, threshold).sort((a, b) => a.id - b.id);
}
