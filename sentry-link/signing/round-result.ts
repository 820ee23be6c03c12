import type { Peer } from '../cosigners/peer.js';
import type { CompletedSignature } from './attempt.js';

export interface Refusal {
  readonly code: string;
  readonly message: string;
}

export type RoundResult =
  { readonly kind: 'signed'; readonly signed: CompletedSignature } | ({ readonly kind: 'refused' } & Refusal);

export function refused(code: string, message: string): RoundResult {
  return { kind: 'refused', code, message };
}

/** So many cosigners have refused, or shown that they cannot, that t are no longer left: what the node is told. */
export function tooManyRefusals(refusals: Iterable<Refusal>): RoundResult {
  const worst = [...refusals].sort((a, b) => rank(a.code) - rank(b.code))[0];
  return worst === undefined
    ? refused('QUORUM_LOST', 'too many cosigners gave bad answers')
    : refused(worst.code, worst.message);
}

/** The deadline has come: what is known of why. */
export function outOfTime(
  chainId: string,
  threshold: number,
  peers: readonly Peer[],
  refusals: Iterable<Refusal>,
): RoundResult {
  const [first] = refusals;
  const connected = peers.filter((peer) => peer.connected);
  const halted = connected.flatMap((peer) => peer.report(chainId)?.halted ?? [])[0];
  const also = [
    first === undefined ? '' : `; one refused: ${first.code}`,
    halted === undefined ? '' : `; one signs nothing: ${halted}`,
  ].join('');
  const message = `${connected.length} of ${peers.length} cosigners connected, ${threshold} needed${also}`;
  return refused('QUORUM_LOST', message);
}

/** A double sign is what the operator must hear of, whatever else the others say. */
function rank(code: string): number {
  return code === 'DOUBLE_SIGN' ? 0 : code.endsWith('_REGRESSION') ? 1 : 2;
}
