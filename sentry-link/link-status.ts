import type { ChainReport } from '../src/shared/coordination/messages.js';
import { ownRelease } from '../src/shared/coordination/release.js';
import { FIXES, type ErrorCode } from '../src/shared/error-codes.js';
import { HekateError } from '../src/shared/errors.js';
import { cosignerName } from '../src/shared/home/paths.js';
import type { LinkStatus, NodeStatus, PeerStatus, StatusProblem } from '../src/shared/status/process-status.js';
import { watermarkStatus } from '../src/shared/status/watermark-status.js';
import { VERSION } from '../src/shared/version.js';
import type { AssembledLink } from './assembly.js';
import type { Peer } from './cosigners/peer.js';
import { describeClaim, type TermClaim } from './leadership/term-claims.js';
import { hasQuorum, type ChainSituation, type LinkSituation } from './link-watch.js';

const NAMED_FIXES = 2;
const OTHER_OF_OUR_NAME =
  'the cosigners name this sentry-link as the leader, and it does not lead: it has just started, or another process has its identity';

/** What this process answers to `hekate status`. */
export function describeLink(name: string, { link, nodes: service }: AssembledLink): LinkStatus {
  const situation = link.situation();
  const { term, chains, claims } = situation;
  const leader = situation.leader?.name;
  const nodes = service.status();
  return {
    kind: 'sentry-link',
    name,
    ...ownRelease(VERSION),
    node: process.version,
    pid: process.pid,
    uptimeSeconds: Math.floor(process.uptime()),
    leading: term !== undefined,
    term: term ?? null,
    leader: term !== undefined ? name : leader === name ? null : (leader ?? null),
    standbys: link.candidate.standbys(),
    chains: chains.map(({ chainId, threshold, count, unable }) => {
      return { chainId, able: count - unable.length, count, threshold };
    }),
    cosigners: [...link.peers()].map((peer) => describePeer(peer, chains, claims)),
    nodes,
    problems: linkProblems(name, situation, nodes),
  };
}

function describePeer(peer: Peer, chains: readonly ChainSituation[], claims: readonly TermClaim[]): PeerStatus {
  const { connected } = peer.stream;
  const unable = ({ chainId }: ChainReport): string | null => {
    const found = chains
      .find((chain) => chain.chainId === chainId)
      ?.unable.find(({ cosigner }) => cosigner === peer.id);
    return found?.code === undefined || !connected ? null : `${found.code}: ${found.why}`;
  };
  return {
    id: peer.id,
    connected,
    problem: connected ? null : (peer.problem ?? null),
    version: peer.release?.version ?? null,
    protocol: peer.release?.protocol ?? null,
    features: peer.release?.features ?? [],
    passedOver: peer.passedOver,
    falls: peer.chains.falls,
    claims: claims.filter(({ cosigner }) => cosigner === peer.id).map(describeClaim),
    roundTripMs: peer.health.roundTripMs ?? null,
    signMs: peer.health.signMs ?? null,
    quarantined: chains.some(({ chainId }) => peer.chains.leftOut(chainId) !== undefined),
    chains: peer.chains.reports().map((report) => ({ ...watermarkStatus(report), unable: unable(report) })),
  };
}

/** Why nothing is signed as things are, or would be if this link led. */
export function linkProblems(
  name: string,
  { term, leader, chains }: LinkSituation,
  nodes: readonly Pick<NodeStatus, 'chainId' | 'address' | 'connected' | 'problem'>[],
): readonly StatusProblem[] {
  const problems = chains.filter((chain) => !hasQuorum(chain)).map(quorumProblem);
  if (term === undefined) {
    if (leader === undefined) problems.push(new HekateError('NO_LEADER', 'no sentry-link leads'));
    else if (leader.name === name) problems.push(new HekateError('LINK_REPLACED', OTHER_OF_OUR_NAME));
    return problems;
  }
  for (const { chainId } of chains) {
    const own = nodes.filter((node) => node.chainId === chainId);
    if (own.some(({ connected }) => connected)) continue;
    const tried = own.map(({ address, problem }) => `${address}: ${problem ?? 'being dialled'}`).join(', ');
    const [first] = own.flatMap(({ problem }) => problem ?? []);
    problems.push(new HekateError('NO_NODE', `no node of chain ${chainId} is connected (${tried})`, fixOf(first)));
  }
  return problems;
}

function quorumProblem({ chainId, threshold, count, unable }: ChainSituation): StatusProblem {
  const able = `${count - unable.length} of ${count} cosigners can sign for chain ${chainId}, ${threshold} are needed`;
  const each = unable.map(({ cosigner, code, why }) => `${cosignerName(cosigner)} ${why}${code ? ` (${code})` : ''}`);
  const fixes = [...new Set(unable.flatMap(({ code }) => (code === undefined ? [] : FIXES[code])))];
  const fix = fixes.length === 0 ? FIXES.QUORUM_LOST : fixes.slice(0, NAMED_FIXES).join('; ');
  return new HekateError('QUORUM_LOST', `${able}: ${each.join('; ')}`, { fix });
}

function fixOf(code: ErrorCode | undefined): { fix?: string } {
  return code === undefined ? {} : { fix: FIXES[code] };
}
