import type { ChainReport } from '../coordination/messages.js';
import type { WatermarkStatus } from './process-status.js';

export function watermarkStatus({ chainId, height, round, step, halted }: ChainReport): WatermarkStatus {
  return { chainId, height: height.toString(), round, step, halted: halted ?? null };
}
