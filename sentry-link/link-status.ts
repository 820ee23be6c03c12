import type { LinkStatus } from '../src/shared/status/process-status.js';
import { watermarkStatus } from '../src/shared/status/watermark-status.js';
import { VERSION } from '../src/shared/version.js';
import type { AssembledLink } from './assembly.js';

/** What this process answers to `hekate status`. */
export function describeLink(name: string, { link, nodes }: AssembledLink): LinkStatus {
  const term = link.candidate.term();
  return {
    kind: 'sentry-link',
    name,
    version: VERSION,
    node: process.version,
    pid: process.pid,
    uptimeSeconds: Math.floor(process.uptime()),
    leading: term !== undefined,
    term: term ?? null,
    cosigners: [...link.peers()].map((peer) => ({
      id: peer.id,
      connected: peer.stream.connected,
      version: peer.version === '' ? null : peer.version,
      roundTripMs: peer.health.roundTripMs ?? null,
      signMs: peer.health.signMs ?? null,
      quarantined: peer.health.quarantined,
      chains: peer.chains.reports().map(watermarkStatus),
    })),
    nodes: nodes.status(),
  };
}
