import type { ChainReport } from './messages.js';

/**
 * Whether a report says how far its cosigner is. That of a chain that was halted before its state was read does not: it stands at
 * height 0, which is no place at all. Every state that was ever read has a number above 0.
 */
export function tellsWatermark({ halted, sequence }: Pick<ChainReport, 'halted' | 'sequence'>): boolean {
  return halted === undefined || sequence > 0n;
}
