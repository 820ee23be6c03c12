import type { ChainReport } from '../coordination/messages.js';
import { describePlace } from '../watermark/watermark.js';
import type { WatermarkStatus } from './process-status.js';

export function watermarkStatus(report: ChainReport): WatermarkStatus {
  const { chainId, height, round, step, halted } = report;
  return { chainId, height: height.toString(), round, step, place: describePlace(report), halted: halted ?? null };
}
