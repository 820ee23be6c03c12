import type { ErrorCode } from '../shared/error-codes.js';

export const EXIT_OK = 0;
export const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
/** As BSD's sysexits.h has it (EX_SOFTWARE); see dieOf in src/shared/process/lifecycle.ts. */
const EXIT_FAULT = 70;

/** The command or a configuration file must be written differently, and trying again is no use; everything else is a failure. */
const USAGE_CODES: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'USAGE',
  'NODE_TOO_OLD',
  'CONFIG_INVALID',
  'NODE_ADDRESS_INVALID',
  'NODE_ADDRESS_UNSUPPORTED',
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

/** What docs/errors.md tells service managers about. */
export const EXIT_CODES: readonly { readonly code: number; readonly meaning: string }[] = [
  { code: EXIT_OK, meaning: 'it did what was asked; a process was told to end and ended in order' },
  { code: EXIT_FAILED, meaning: 'it failed, for a reason that may pass or that somebody mends: start it again' },
  {
    code: EXIT_USAGE,
    meaning: `the command or a file has to be written differently, and a new start changes nothing: ${[...USAGE_CODES].map((code) => `\`${code}\``).join(', ')}`,
  },
  {
    code: EXIT_FAULT,
    meaning:
      'a fault in hekate itself; the process ended at once, before anything else could be signed: start it again, and report what it logged',
  },
  { code: 130, meaning: '`hekate dev` was interrupted twice: it ended at once' },
];
