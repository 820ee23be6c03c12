import type { ChainReport } from '../coordination/messages.js';
import { tellsWatermark } from '../coordination/tells-watermark.js';
import { describePlace } from '../watermark/watermark.js';
import type { WatermarkStatus } from './process-status.js';

export function watermarkStatus(report: ChainReport): WatermarkStatus {
  const { chainId, height, round, step } = report;
  const signs = { halted: report.halted ?? null, waiting: report.waiting ?? null };
  if (!tellsWatermark(report)) return { chainId, height: null, round: null, step: null, place: 'not known', ...signs };
  return { chainId, height: height.toString(), round, step, place: describePlace(report), ...signs };
}
