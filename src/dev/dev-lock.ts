import { closeSync, existsSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { HekateError } from '../shared/errors.js';
import { tryLockFile } from '../shared/ports/file-lock.js';
import { MODE_PRIVATE } from '../shared/ports/file-mode.js';

/** Beside the folder of the chain: --fresh removes and makes that anew while the lock is held. */
export function lockPath(dir: string): string {
  return `${dir}.lock`;
}

/**
 * Makes this the one `hekate dev` of a folder, and leaves its process id for others to read. A kernel lock: it ends with the
 * process, however that ends. Returns what gives it back; throws DEV_RUNNING or STATE_LOCK_UNSUPPORTED.
 */
export function lockDev(dir: string): () => void {
  mkdirSync(dirname(dir), { recursive: true });
  const fd = openSync(lockPath(dir), 'a+', MODE_PRIVATE);
  if (!tryLockFile(fd)) {
    closeSync(fd);
    throw runsAlready(dir);
  }
  ftruncateSync(fd);
  writeSync(fd, String(process.pid));
  return () => {
    ftruncateSync(fd);
    closeSync(fd);
  };
}

/** The process id of the `hekate dev` that runs with this folder, if one does. */
export function runningDev(dir: string): number | undefined {
  const path = lockPath(dir);
  const pid = existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0;
  // One that was killed leaves its id behind; only then is the lock tried, so that a start is not kept out by who looks.
  if (!Number.isSafeInteger(pid) || pid <= 0 || !existsProcess(pid)) return undefined;
  if (pid === process.pid) return pid;
  const fd = openSync(path, 'r+');
  try {
    return tryLockFile(fd) ? undefined : pid;
  } finally {
    closeSync(fd);
  }
}

function existsProcess(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Another user's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function runsAlready(dir: string): HekateError {
  const text = readFileSync(lockPath(dir), 'utf8');
  if (!/^\d+$/.test(text)) return new HekateError('DEV_RUNNING', `another process runs the cluster in ${dir} already`);
  return new HekateError('DEV_RUNNING', `process ${text} runs the cluster in ${dir} already`, {
    fix: `go on with that one (\`hekate dev status\` shows it), or end it with \`kill ${text}\`; a second one needs a folder of its own, --dir`,
  });
}
