import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { CollectedStatus } from '../setup/collect-status.js';
import type {
  CosignerStatus,
  LinkPeerStatus,
  LinkStatus,
  NodeStatus,
  PeerStatus,
  StatusProblem,
  WatermarkStatus,
} from '../shared/status/process-status.js';
import { tooOld, type Release } from '../shared/coordination/release.js';
import { describeAbsence } from './absence.js';
import { EXIT_FAILED } from './exit-codes.js';
import { print, printJson, type Io } from './io.js';
import { examples } from './options.js';

export function addStatusCommand(program: Command, io: Io, fail: (exitCode: number) => void): void {
  program
    .command('status')
    .summary('what the processes of this host say about themselves')
    .description(
      'Asks each process whose home is DIR or lies in it: who leads, quorum, watermarks, connections, latency, versions.',
    )
    .argument('[dir]', 'a home, or a folder of homes', '.')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
The exit code is 1 while a process here does not run or cannot do its part in signing. Each reason is a line that begins
with "problem" (\`problems\` in JSON): no leader; no quorum, with each cosigner that cannot sign and why; no node; a chain for
which a cosigner has stopped. A cosigner does not know of the quorum: for that, ask a host that has a sentry-link.
${examples('hekate status ./cluster', 'hekate status ./cluster --json | jq .')}`,
    )
    .action(async (dir: string, { json }: { json?: boolean }) => {
      const { collectStatus } = await import('../setup/collect-status.js');
      const collected = await collectStatus(resolve(dir));
      if (json === true) printJson(io, collected);
      else print(io, collected.flatMap(describe).join('\n'));
      if (collected.some((one) => !one.running || one.status.problems.length > 0)) fail(EXIT_FAILED);
    });
}

function describe(one: CollectedStatus): string[] {
  if (!one.running) return [`${one.home}: ${describeAbsence(one)}`, `  problem: ${one.problem}`];
  const { status, home } = one;
  const common = `${release(status)}, node ${status.node}, pid ${status.pid}, up ${status.uptimeSeconds} s`;
  return [
    `${home}: ${status.kind === 'cosigner' ? `cosigner ${status.id}` : status.name}, ${common}`,
    ...(status.kind === 'cosigner' ? describeCosigner(status) : describeLink(status)),
    ...status.problems.map(describeProblem),
  ];
}

function describeCosigner({ term, leader, links, peers, chains }: CosignerStatus): string[] {
  return [
    `  term ${term}, leader ${leader ?? 'none'}, links connected: ${links.join(', ') || 'none'}`,
    ...peers.map(describeLinkPeer),
    ...chains.map((chain) => `  ${watermark(chain)}${chain.halted === null ? '' : `, signs nothing: ${chain.halted}`}`),
  ];
}

function describeLinkPeer(peer: LinkPeerStatus): string {
  const old = tooOld(peer.name, peer);
  const state = peer.connected ? 'connected' : `not connected${old === undefined ? '' : ` (${old.code}: ${old.fix})`}`;
  return `  ${peer.name}: ${state}, ${release(peer)}${passedOver(peer)}`;
}

function describeLink({ leading, term, leader, standbys, chains, cosigners, nodes }: LinkStatus): string[] {
  const next =
    standbys.length === 0 ? 'no other sentry-link is ready to take over' : `${standbys.join(', ')} could take over`;
  return [
    `  ${leading ? `leads, term ${term}; ${next}` : `stands by, ${leader === null ? 'no leader known' : `${leader} leads`}`}`,
    ...chains.map(
      ({ chainId, able, count, threshold }) =>
        `  ${chainId}: ${able} of ${count} cosigners can sign, ${threshold} needed`,
    ),
    ...cosigners.flatMap(describePeer),
    ...nodes.map((node) => `  ${describeNode(node, leading)}${leading ? turn(node, nodes) : ''}`),
  ];
}

function describePeer(peer: PeerStatus): string[] {
  const state = !peer.connected
    ? `not connected${peer.problem === null ? '' : ` (${peer.problem})`}`
    : peer.quarantined
      ? 'left out for a while'
      : 'connected';
  const delays = peer.connected ? `, round trip ${ms(peer.roundTripMs)}, signs in ${ms(peer.signMs)}` : '';
  const { version, protocol, features } = peer;
  const heard = version === null ? '' : `, ${release({ version, protocol: protocol ?? 0, features })}`;
  return [
    `  cosigner ${peer.id}: ${state}${delays}${heard}${passedOver(peer)}${falls(peer)}${peer.claims.map((claim) => `, ${claim}`).join('')}`,
    ...peer.chains.flatMap(({ unable, ...chain }) =>
      unable === null ? [] : [`    ${watermark(chain)}, cannot sign: ${unable}`],
    ),
  ];
}

function describeNode({ address, chainId, connected, problem, signed, refused }: NodeStatus, leading: boolean): string {
  const state = connected
    ? 'connected'
    : leading
      ? `not connected${problem === null ? '' : ` (${problem})`}`
      : 'not dialled, the leader does that';
  return `node ${address} (${chainId}): ${state}, ${signed} signed, ${refused} refused`;
}

/** Of several nodes of a chain, which one is served. */
function turn({ chainId, served, because }: NodeStatus, nodes: readonly NodeStatus[]): string {
  if (nodes.filter((node) => node.chainId === chainId).length === 1) return '';
  return served ? `, served${because === null ? '' : `: ${because}`}` : ', not served';
}

function release({ version, protocol, features }: Release): string {
  const also = features.length === 0 ? '' : ` with ${features.join(' ')}`;
  return `version ${version || 'unknown'}, ${protocol === 0 ? 'no protocol said' : `protocol ${protocol}`}${also}`;
}

function passedOver({ passedOver: parts }: { readonly passedOver: number }): string {
  return parts === 0 ? '' : `, sent ${parts} things that are not in this version`;
}

function falls({ falls: times }: PeerStatus): string {
  return times === 0 ? '' : `, its watermark fell ${times} times`;
}

function describeProblem({ code, message, fix }: StatusProblem): string {
  return `  problem: ${code}: ${message}. Fix: ${fix}`;
}

function watermark({ chainId, place }: WatermarkStatus): string {
  return `${chainId}: watermark ${place}`;
}

function ms(value: number | null): string {
  return value === null ? 'unknown' : `${value.toFixed(1)} ms`;
}
