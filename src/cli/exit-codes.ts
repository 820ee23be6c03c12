import type { ErrorCode } from '../shared/error-codes.js';

export const EXIT_OK = 0;
export const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/** The command or a configuration file must be written differently; everything else is a failure. */
const USAGE_CODES: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'USAGE',
  'CONFIG_INVALID',
  'NODE_ADDRESS_INVALID',
  'NODE_ADDRESS_UNSUPPORTED',
  'PORT_IN_USE',
  'LISTEN_FAILED',
  'THRESHOLD_UNSAFE',
  'WATERMARK_START_MISSING',
  'WATERMARK_START_UNSURE',
  'WATERMARK_START_CONTRADICTED',
  'DEBUGGER_OPEN',
]);

export function exitCodeOf(code: ErrorCode): number {
  return USAGE_CODES.has(code) ? EXIT_USAGE : EXIT_FAILED;
}
