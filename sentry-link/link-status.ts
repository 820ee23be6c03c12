import type { LinkStatus } from '../src/shared/status/process-status.js';
import { watermarkStatus } from '../src/shared/status/watermark-status.js';
import { VERSION } from '../src/shared/version.js';
import type { NodeService } from './node/node-service.js';
import type { SentryLink } from './sentry-link.js';

/** What this process answers to `hekate status`. */
export function describeLink(name: string, link: SentryLink, services: readonly NodeService[]): LinkStatus {
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
      connected: peer.connected,
      version: peer.version === '' ? null : peer.version,
      roundTripMs: peer.roundTripMs ?? null,
      signMs: peer.signLatencyMs ?? null,
      quarantined: peer.quarantined,
      chains: peer.reports().map(watermarkStatus),
    })),
    nodes: services.flatMap((service) => service.status()),
  };
}
