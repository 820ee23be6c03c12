import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { AskedCluster } from '../support/asked-cluster.js';
import { cleanupAfterAll } from '../support/cleanup.js';
import { HEKATE_MAIN, PROJECT_ROOT, TestFolder } from '../support/project.js';
import { tailOf } from '../support/processes.js';
import { runHekate } from '../support/run-hekate.js';
import { writeValidatorKey } from '../support/validator-key.js';

const cleanup = cleanupAfterAll();
const folder = new TestFolder('hardening');
cleanup.add(() => folder.remove());
const { keyFile } = writeValidatorKey(folder.path);
const made = folder.file('made');

const INIT = ['--chain-id', 'hardening-1', '--node', 'tcp://127.0.0.1:1', '--threshold', '2'];
const COSIGNERS = ['--cosigner', '127.0.0.1:7001', '127.0.0.1:7002', '127.0.0.1:7003'];
const DEALING = ['--threshold', '2', '--count', '3', '--chain-id', 'hardening-1'];
expect((await runHekate(['init', made, ...INIT, ...COSIGNERS])).code).toBe(0);

it.each<[string, readonly string[]]>([
  ['init', ['init', folder.file('new'), ...INIT, ...COSIGNERS]],
  ['keys split', ['keys', 'split', '--key', keyFile, ...DEALING, '--out', folder.file('split')]],
  ['keys verify', ['keys', 'verify', made]],
  ['cosigner start', ['cosigner', 'start', '--home', `${made}/cosigner-1`]],
  ['sentry-link start', ['sentry-link', 'start', '--home', `${made}/sentry-link-1`]],
])('%s refuses to run with a debugger port', async (_name, args) => {
  const before = readdirSync(folder.path);
  for (const [options, environment] of [
    [['--inspect=0'], {}],
    [[], { NODE_OPTIONS: '--inspect=0' }],
  ] as const) {
    const run = await runNode([...options, HEKATE_MAIN, ...args], environment);
    expect(run.stderr).toMatch(/^DEBUGGER_OPEN: this process has a debugger port .* Fix: start it without --inspect/m);
    expect(run.code).toBe(2);
  }
  expect(readdirSync(folder.path)).toEqual(before);
});

it('a command that touches no secret may be debugged', async () => {
  expect((await runNode(['--inspect=0', HEKATE_MAIN, 'keys', 'show', made])).code).toBe(0);
});

it('SIGUSR1 opens no debugger port, and ends nothing', async () => {
  const at = await AskedCluster.start(cleanup, { name: 'usr1' });
  for (const [i, { pid }] of at.cluster.processes.entries()) {
    const sockets = socketsOf(pid);
    process.kill(pid, 'SIGUSR1');
    process.kill(pid, 'SIGUSR1');
    await at.signed({ step: 'Prevote', height: BigInt(i + 1) });
    expect(listening(socketsOf(pid).filter((inode) => !sockets.includes(inode)))).toEqual([]);
  }
  for (const { logFile } of at.cluster.processes) expect(tailOf(logFile, 1_000)).not.toMatch(/Debugger listening/);
});

it.skipIf(process.getuid?.() !== 0)('where the kernel allows no locked memory, that is told, and it works', () => {
  const module = pathToFileURL(join(PROJECT_ROOT, 'dist', 'src', 'shared', 'ports', 'locked-memory.js')).href;
  const script = `const { canLockMemory, lockedBytes } = await import('${module}');
    console.log(canLockMemory(), lockedBytes(64).fill(7)[63]);`;
  const node = [process.execPath, '--input-type=module', '-e', script];
  // Without CAP_IPC_LOCK, which root has, RLIMIT_MEMLOCK counts.
  const args = ['--bounding-set=-ipc_lock', '--inh-caps=-ipc_lock', 'prlimit', '--memlock=0:0', ...node];
  expect(execFileSync('setpriv', args, { encoding: 'utf8' }).trim()).toBe('false 7');
});

/** Inodes of a process's sockets, proc_pid_fd(5). */
function socketsOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [...readlinkSync(`/proc/${pid}/fd/${fd}`).matchAll(/^socket:\[(\d+)\]$/g)].map(([, inode = '']) => inode);
    } catch {
      return [];
    }
  });
}

/** Those that listen, proc_pid_net(5): state 0A. */
function listening(inodes: readonly string[]): string[] {
  const lines = ['tcp', 'tcp6'].flatMap((kind) => readFileSync(`/proc/net/${kind}`, 'utf8').split('\n'));
  return lines.filter(
    (line) => line.trim().split(/\s+/)[3] === '0A' && inodes.includes(line.trim().split(/\s+/)[9] ?? ''),
  );
}

function runNode(
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...environment },
    timeout: 20_000,
  });
  let stderr = '';
  child.stderr.on('data', (bytes: Buffer) => (stderr += bytes.toString()));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stderr })));
}
