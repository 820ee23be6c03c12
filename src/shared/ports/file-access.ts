import { readFileSync, realpathSync, type Stats } from 'node:fs';
import { whyTooOpen, type Guarded, type Reader } from './access.js';

/** Why a file is not safe, with its path, and what to do about it. */
export interface Unsafe {
  readonly problem: string;
  readonly fix: string;
}

/**
 * Whether others than us may get at the file behind a path; `stats` are of what was opened. Nobody can change what lies on a
 * read-only mount, and what a service manager hands over as credentials is as it made it: both are taken as found.
 */
export function whyUnsafe(path: string, stats: Stats, guarded: Guarded): Unsafe | undefined {
  const found = whyTooOpen(stats, ourselves(), guarded);
  if (found === undefined || isAsFound(path)) return undefined;
  const stolen = guarded === 'secret' ? '; if others could have read it, treat it as known to them' : '';
  return { problem: `${path} ${found.problem}`, fix: `${found.command} ${path}${stolen}` };
}

function ourselves(): Reader {
  // Always there on the systems that hekate runs on; Windows has no users in this sense.
  const [uid, gid, groups] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0, process.getgroups?.() ?? []];
  return { uid, groups: [gid, ...groups] };
}

function isAsFound(path: string): boolean {
  const real = realpathSync(path);
  const credentials = process.env['CREDENTIALS_DIRECTORY'];
  if (credentials !== undefined && credentials !== '' && isBelow(real, realOf(credentials))) return true;
  return isReadOnly(real, mountsOf());
}

function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** Lines of /proc/self/mountinfo (proc(5)); none where there is no such file. */
function mountsOf(): string {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return '';
  }
}

/** Whether the innermost mount of an absolute path is read-only, for this mount or for its file system as a whole. */
export function isReadOnly(path: string, mountInfo: string): boolean {
  let innermost = '';
  let readOnly = false;
  for (const line of mountInfo.split('\n')) {
    const [mount = '', superBlock = ''] = line.split(' - ');
    const [, , , , escaped = '', options = ''] = mount.split(' ');
    const point = escaped.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
    // Of two at one place the later one covers the earlier.
    if (point === '' || !isBelow(path, point) || point.length < innermost.length) continue;
    innermost = point;
    readOnly = [options, superBlock.split(' ')[2] ?? ''].some((list) => list.split(',').includes('ro'));
  }
  return readOnly;
}

function isBelow(path: string, folder: string): boolean {
  return folder === '/' || path === folder || path.startsWith(`${folder}/`);
}
