import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { guardAgainstOrphan } from '../support/orphan-guard.js';

export interface ChildOptions {
  readonly cwd: string;
  /** On top of ours. */
  readonly env?: Readonly<Record<string, string>>;
  /** Ends the child, with everything that it started in its own process group. */
  readonly signal: AbortSignal;
  /** Each line of stderr as it comes. */
  readonly onLine?: (line: string) => void;
}

export interface Ended {
  /** Undefined when a signal ended it. */
  readonly code: number | undefined;
  /** No more than the end of each. */
  readonly stdout: string;
  readonly stderr: string;
}

const KEPT_CHARACTERS = 4 * 1024 * 1024;

/**
 * Runs a tool to its end, whatever its exit code. Throws when it cannot be started, and the signal's reason when that
 * ended it. The group is killed, not asked: a build or an installation has children of its own that would go on.
 */
export async function runChild(command: string, args: readonly string[], options: ChildOptions): Promise<Ended> {
  const { cwd, env = {}, signal, onLine } = options;
  signal.throwIfAborted();
  const child = spawn(command, args, {
    ...{ cwd, env: { ...process.env, ...env }, detached: true },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  guardAgainstOrphan(child);
  const kill = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  };
  signal.addEventListener('abort', kill);
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout = (stdout + text).slice(-KEPT_CHARACTERS)));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-KEPT_CHARACTERS)));
  if (onLine !== undefined) createInterface({ input: child.stderr }).on('line', onLine);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    signal.throwIfAborted();
    return { code: code ?? undefined, stdout, stderr };
  } finally {
    signal.removeEventListener('abort', kill);
  }
}

/** The end of what a tool said, for the message of its failure. */
export function lastWords({ stdout, stderr }: Ended, lines = 12): string {
  const said = stderr.trim() === '' ? stdout : stderr;
  return said.trimEnd().split('\n').slice(-lines).join('\n');
}
