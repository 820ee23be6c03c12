import { spawn } from 'node:child_process';
import { HEKATE_MAIN } from './project.js';
import { guardAgainstOrphan } from './orphan-guard.js';

export interface HekateRun {
  /** Null when it had to be killed. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `hekate` to its end; what runs on after `timeoutMs` is killed. `nodeArgs`: options of Node. */
export function runHekate(
  args: readonly string[],
  timeoutMs = 10_000,
  nodeArgs: readonly string[] = [],
): Promise<HekateRun> {
  const child = spawn(process.execPath, [...nodeArgs, HEKATE_MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  guardAgainstOrphan(child);
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (bytes: Buffer) => (output.stdout += bytes.toString()));
  child.stderr.on('data', (bytes: Buffer) => (output.stderr += bytes.toString()));
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code, ...output });
    });
  });
}
