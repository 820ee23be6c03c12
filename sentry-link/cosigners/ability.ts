import type { ErrorCode } from '../../src/shared/error-codes.js';
import { tellsWatermark } from '../../src/shared/coordination/tells-watermark.js';
import { cosignerName } from '../../src/shared/home/paths.js';
import { describeWait } from '../../src/shared/watermark/start-wait.js';
import { describePlace } from '../../src/shared/watermark/watermark.js';
import type { Peer } from './peer.js';

/** So many heights pass by themselves, or in a half-finished vote; a watermark further up is somebody's doing. */
const USUAL_LEAD = 10n;

/** What it depends on. */
export interface Observed {
  readonly id: number;
  readonly problem: ErrorCode | undefined;
  readonly stream: Pick<Peer['stream'], 'connected'>;
  readonly chains: Pick<Peer['chains'], 'report' | 'leftOut'>;
}

/** Why one cosigner cannot take part in any signature of a chain. */
export interface Inability {
  readonly cosigner: number;
  /** Undefined: nothing is wrong, its first dial has not ended. */
  readonly code: ErrorCode | undefined;
  readonly why: string;
}

/**
 * The cosigners that cannot sign for a chain as things are, each with the reason, for people to read: whom to ask is decided
 * elsewhere, and the last word is the cosigner's own. `reached`: how far the chain is, where that is known.
 */
export function inabilities(
  chainId: string,
  peers: readonly Observed[],
  reached: bigint | undefined,
): readonly Inability[] {
  const ids = peers.map(({ id }) => id);
  return peers.flatMap((peer) => {
    const found = inability(chainId, peer, reached, ids);
    return found === undefined ? [] : [{ cosigner: peer.id, ...found }];
  });
}

/** `cosigner-2 PEER_REFUSED, cosigner-3 being dialled`. */
export function listInabilities(found: readonly Inability[]): string {
  return found.map(({ cosigner, code, why }) => `${cosignerName(cosigner)} ${code ?? why}`).join(', ');
}

function inability(
  chainId: string,
  peer: Observed,
  reached: bigint | undefined,
  others: readonly number[],
): Omit<Inability, 'cosigner'> | undefined {
  if (!peer.stream.connected)
    return { code: peer.problem, why: peer.problem === undefined ? 'being dialled' : 'not connected' };
  const leftOut = peer.chains.leftOut(chainId);
  if (leftOut !== undefined) return { code: 'COSIGNER_BAD', why: `left out: ${leftOut}` };
  const report = peer.chains.report(chainId);
  if (report === undefined) return { code: 'WRONG_CHAIN', why: 'does not know this chain' };
  if (report.halted !== undefined) return { code: report.halted, why: 'signs nothing' };
  if (report.waiting !== undefined)
    return {
      code: 'WAITING',
      why: `waiting: ${describeWait(
        report.waiting,
        others.filter((id) => id !== peer.id),
      )}`,
    };
  if (reached === undefined || report.height <= reached + USUAL_LEAD) return undefined;
  const why = `its watermark, ${describePlace(report)}, is ${report.height - reached} heights above height ${reached}`;
  return { code: 'WATERMARK_AHEAD', why: `${why}, where the chain is` };
}

/**
 * How far a chain certainly is, by what t cosigners have reached together. One that is not heard now may have reached anything:
 * undefined when too few are left.
 */
export function heightReached(chainId: string, threshold: number, peers: readonly Observed[]): bigint | undefined {
  const heard = peers.filter(({ stream }) => stream.connected);
  const known = heard.flatMap((peer) => {
    const report = peer.chains.report(chainId);
    return report !== undefined && tellsWatermark(report) ? report.height : [];
  });
  known.sort((a, b) => (a < b ? 1 : a > b ? -1 : 0));
  const unheard = peers.length - known.length;
  return known[threshold - 1 - unheard];
}
