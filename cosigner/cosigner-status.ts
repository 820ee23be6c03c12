import type { ChainReport } from '../src/shared/coordination/messages.js';
import { ownRelease, tooOld, type Release } from '../src/shared/coordination/release.js';
import { HekateError } from '../src/shared/errors.js';
import type { CosignerStatus, LinkPeerStatus, StatusProblem } from '../src/shared/status/process-status.js';
import { watermarkStatus } from '../src/shared/status/watermark-status.js';
import { VERSION } from '../src/shared/version.js';
import type { Cosigner } from './cosigner.js';
import type { HaltedChain } from './halted-chain.js';
import type { LinkServer } from './links/link-server.js';

/** What this process answers to `hekate status`. */
export function describeCosigner(
  cosigner: Cosigner,
  server: Pick<LinkServer, 'links' | 'passedOver'>,
  nowMs: number,
): CosignerStatus {
  const links = server.links();
  const releases = cosigner.releases();
  const { term, holder } = cosigner.leases.describe(nowMs);
  const leader = holder === '' ? undefined : holder;
  const reports = cosigner.report();
  return {
    kind: 'cosigner',
    id: cosigner.id,
    ...ownRelease(VERSION),
    node: process.version,
    pid: process.pid,
    uptimeSeconds: Math.floor(process.uptime()),
    term,
    leader: leader ?? null,
    links,
    peers: [...releases].map(([name, release]): LinkPeerStatus => {
      return { name, connected: links.includes(name), ...release, passedOver: server.passedOver(name) };
    }),
    chains: reports.map(watermarkStatus),
    problems: cosignerProblems({
      reports,
      haltedAtStart: cosigner.halted,
      waits: cosigner.waits(),
      links,
      leader,
      releases,
    }),
  };
}

export interface CosignerSituation {
  readonly reports: readonly Pick<ChainReport, 'chainId' | 'halted'>[];
  readonly haltedAtStart: readonly Pick<HaltedChain, 'chainId' | 'error'>[];
  readonly waits: ReadonlyMap<string, string>;
  readonly links: readonly string[];
  readonly leader: string | undefined;
  readonly releases: ReadonlyMap<string, Release>;
}

/** Why this cosigner signs nothing as things are. */
export function cosignerProblems({
  reports,
  haltedAtStart,
  waits,
  links,
  leader,
  releases,
}: CosignerSituation): readonly StatusProblem[] {
  const problems = reports.flatMap(({ chainId, halted }) => {
    if (halted === undefined) return [];
    const error = haltedAtStart.find((chain) => chain.chainId === chainId)?.error;
    const message = `chain ${chainId}: this cosigner signs nothing`;
    if (error === undefined) return [new HekateError(halted, message)];
    return [new HekateError(halted, `${message}: ${error.message}`, { fix: error.fix })];
  });
  for (const [chainId, what] of waits) problems.push(new HekateError('WAITING', `chain ${chainId}: ${what}`));
  const old = [...releases].flatMap(([name, release]) => tooOld(name, release) ?? []);
  // One that is too old keeps nobody from signing while another link is there.
  if (links.length === 0 && old.length > 0) problems.push(...old);
  else if (links.length === 0) problems.push(new HekateError('NO_LINK', 'no sentry-link is connected'));
  else if (leader === undefined) problems.push(new HekateError('NO_LEADER', 'no sentry-link leads'));
  return problems;
}
