import { accessSync, constants, lstatSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { HekateError } from '../errors.js';

const DENIED: ReadonlySet<unknown> = new Set(['EACCES', 'EPERM']);

/**
 * A file or folder that this user may not use, as the error that it is: what denies it, whose that is, who we are, and the
 * commands that mend it. Undefined for any other error. `path`: where the system's own error does not name it.
 */
export function accessDenied(error: unknown, path?: string): HekateError<'ACCESS_DENIED'> | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error) || !DENIED.has(error.code))
    return undefined;
  const named = path ?? ('path' in error && typeof error.path === 'string' ? error.path : undefined);
  if (named === undefined) return undefined;
  const wanted = resolve(named);
  const barrier = barrierBefore(wanted);
  const owner = ownerOf(barrier);
  const [us, them] = [process.geteuid?.() ?? 0, owner === undefined ? 'somebody else' : nameOf(owner)];
  const at = barrier === wanted ? '' : `${barrier} is in the way: it `;
  return new HekateError(
    'ACCESS_DENIED',
    `${wanted}: ${at === '' ? 'it ' : at}belongs to ${them}, this is ${nameOf(us)} (${String(error.code)})`,
    { cause: error, fix: fixFor(barrier, owner, us) },
  );
}

function fixFor(barrier: string, owner: number | undefined, us: number): string {
  if (us === 0)
    return `root is kept out by something else than modes: a network file system, a security module, lsattr ${barrier}`;
  if (owner === us) return `chmod u+rwX ${barrier}`;
  const them = owner === undefined ? 'OWNER' : plainName(owner);
  // runuser knows names only.
  const as = /^\d+$/.test(them) ? `sudo -u '#${them}' hekate …` : `runuser -u ${them} -- hekate …`;
  return `run it as ${them} (${as}), or give the folder to this user: chown -R ${plainName(us)} ${barrier}`;
}

/** The first folder on the way that we may not enter, else what the path names, else the folder it would be in. */
function barrierBefore(path: string): string {
  const folders: string[] = [];
  for (let at = dirname(path); ; at = dirname(at)) {
    folders.unshift(at);
    if (at === dirname(at)) break;
  }
  for (const folder of folders) {
    try {
      accessSync(folder, constants.X_OK);
    } catch {
      return folder;
    }
  }
  return ownerOf(path) === undefined ? dirname(path) : path;
}

function ownerOf(path: string): number | undefined {
  try {
    return lstatSync(path).uid;
  } catch {
    return undefined;
  }
}

function nameOf(uid: number): string {
  const name = plainName(uid);
  return name === String(uid) ? `user ${uid}` : `${name} (user ${uid})`;
}

/** As in /etc/passwd (passwd(5)); the number where it has none. */
function plainName(uid: number): string {
  try {
    const line = readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find((one) => one.split(':')[2] === String(uid));
    return line?.split(':')[0] ?? String(uid);
  } catch {
    return String(uid);
  }
}
