import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { messageOf } from '../../src/shared/errors.js';
import { eventually } from './eventually.js';
import { guardAgainstOrphan } from './orphan-guard.js';

/** A network and an /etc/hosts of this test's own: nothing in it reaches anything outside. Gone when its last process is. */
export class NetworkNamespace {
  private constructor(private readonly holder: ChildProcess) {}

  /** Skips the test, and says why, where there can be none; in CI that is a failure. */
  static async create(context: { skip(note: string): void }, hostsFile: string): Promise<NetworkNamespace> {
    const own = ['--net', '--mount', 'sh', '-c'];
    const mounted = `mount --bind '${hostsFile}' /etc/hosts`;
    try {
      execFileSync('unshare', [...own, mounted], { stdio: 'pipe' });
    } catch (error) {
      if (process.env['CI'] !== undefined) throw error;
      context.skip(`a network namespace cannot be made here (needs root): ${messageOf(error)}`);
    }
    const holder = spawn('unshare', [...own, `${mounted} && exec sleep 600`], { stdio: 'ignore' });
    guardAgainstOrphan(holder);
    await eventually('a network namespace', 5_000, () =>
      readFileSync(`/proc/${holder.pid ?? ''}/comm`, 'utf8') === 'sleep\n' ? true : undefined,
    );
    return new NetworkNamespace(holder);
  }

  /** The command line that runs another one in it. */
  command(...command: readonly string[]): readonly [string, ...string[]] {
    return ['nsenter', '--net', '--mount', '--target', String(this.holder.pid), ...command];
  }

  run(...command: readonly string[]): void {
    const [file, ...args] = this.command(...command);
    execFileSync(file, args, { stdio: 'pipe' });
  }

  close(): void {
    this.holder.kill('SIGKILL');
  }
}
