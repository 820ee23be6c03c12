import { FIXES } from '../shared/error-codes.js';

/** The text of docs/errors.md: every code with its usual fix. `npm run docs` writes it. */
export function errorTable(): string {
  const rows = Object.entries(FIXES)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, fix]) => `| \`${code}\` | ${fix.replaceAll('|', '\\|')} |`);
  return [
    '# Error codes',
    '',
    'Errors read `CODE: cause. Fix: …`. The code is stable; logs, answers to nodes and `--json` output carry it. Some causes',
    'come with a fix of their own; this is the usual one. Written by `npm run docs` from `src/shared/error-codes.ts`.',
    '',
    '| code | fix |',
    '| --- | --- |',
    ...rows,
    '',
  ].join('\n');
}
