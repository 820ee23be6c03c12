import type { CosignerStatus } from '../src/shared/status/process-status.js';
import { watermarkStatus } from '../src/shared/status/watermark-status.js';
import { VERSION } from '../src/shared/version.js';
import type { Cosigner } from './cosigner.js';

/** What this process answers to `hekate status`. */
export function describeCosigner(cosigner: Cosigner, links: readonly string[], nowMs: number): CosignerStatus {
  const { term, holder } = cosigner.leases.describe(nowMs);
  return {
    kind: 'cosigner',
    id: cosigner.id,
    version: VERSION,
    node: process.version,
    pid: process.pid,
    uptimeSeconds: Math.floor(process.uptime()),
    term,
    leader: holder === '' ? null : holder,
    links,
    chains: cosigner.report().map(watermarkStatus),
  };
}
