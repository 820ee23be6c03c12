import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { guardAgainstOrphan } from '../support/orphan-guard.js';

const HOST = '127.0.0.1';
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

/** What the long wire itself takes, there and back, with nothing but an echo at its end: ms of each of `count` messages. */
export async function wireRoundTrips(delayMs: number, count: number): Promise<readonly number[]> {
  const echo = createServer({ noDelay: true }, (socket) => void socket.pipe(socket));
  await once(echo.listen(0, HOST), 'listening');
  const proxies = await DelayProxies.start([(echo.address() as AddressInfo).port], delayMs);
  const socket = connect({ host: HOST, port: proxies.ports[0] ?? 0, noDelay: true });
  const samples: number[] = [];
  try {
    for (let i = 0; i < count; i++) {
      const from = performance.now();
      socket.write(Buffer.alloc(200));
      await once(socket, 'data');
      samples.push(performance.now() - from);
    }
  } finally {
    socket.destroy();
    await proxies.stop();
    echo.close();
  }
  return samples;
}
