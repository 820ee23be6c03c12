import { FIXES, type ErrorCode } from '../shared/error-codes.js';
import { CAUSES } from './error-causes.js';

export interface ExitCode {
  readonly code: number;
  readonly meaning: string;
}

/** The text of docs/errors.md: every code with its usual fix, and what a process ends with. `npm run docs` writes it. */
export function errorTable(exits: readonly ExitCode[]): string {
  const rows = Object.entries(FIXES)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, fix]) => `| \`${code}\` | ${cell(CAUSES[code as ErrorCode])} | ${cell(fix)} |`);
  return [
    '# Error codes',
    '',
    'Errors read `CODE: cause. Fix: …`. The code is stable; logs, answers to nodes and `--json` output carry it. Some causes',
    'come with a fix of their own; this is the usual one. Written by `npm run docs` from `src/shared/error-codes.ts`.',
    '',
    '| code | what has happened | fix |',
    '| --- | --- | --- |',
    ...rows,
    '',
    '## Exit codes',
    '',
    '| exit code | meaning |',
    '| --- | --- |',
    ...exits.map(({ code, meaning }) => `| ${code} | ${meaning} |`),
    '',
    'For systemd: `Restart=always` and `RestartPreventExitStatus=2`. An address or a name that is not there yet (an interface,',
    'a tunnel, a name server) ends nothing: the process waits for it and says so once a minute. A port that another process',
    'still holds is exit code 1, so that the next start finds it free. A process that is told to end has ended within 2 s; what',
    'hangs by then, on a disk say, it leaves by a SIGKILL of its own.',
    '',
    '## One chain of several',
    '',
    'What is wrong with the `group.json`, the share or the state of one chain (`GROUP_…`, `SHARE_…`, `STATE_…`) halts that chain on',
    'that cosigner, and no other: it is logged at the start, `hekate status` shows it with its fix and exits with 1, and',
    'sentry-links leave this cosigner out for that chain. Mend it and start the cosigner again. Only when all of its chains are',
    'halted does a cosigner not start; it ends with the error of the first.',
    '',
  ].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
