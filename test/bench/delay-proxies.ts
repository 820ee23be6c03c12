import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { guardAgainstOrphan } from '../support/orphan-guard.js';

const PROGRAM = fileURLToPath(new URL('./delay-proxy-main.js', import.meta.url));

/** tcp proxies that make a wire long: every byte arrives a fixed time later. In a process of their own. */
export class DelayProxies {
  private constructor(
    readonly ports: readonly number[],
    readonly pid: number,
    private readonly child: ChildProcess,
  ) {}

  static async start(targets: readonly number[], delayMs: number): Promise<DelayProxies> {
    const child = fork(PROGRAM, [String(delayMs), ...targets.map(String)]);
    guardAgainstOrphan(child);
    const ports = await new Promise<readonly number[]>((resolve, reject) => {
      child.once('message', (message) => resolve(message as number[]));
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`the proxies ended with ${code ?? 'a signal'}`)));
    });
    return new DelayProxies(ports, child.pid ?? 0, child);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const exited = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGKILL');
    await exited;
  }
}
