/** `node delay-proxy-main.js DELAY_MS PORT…`: tells its parent the port in front of each PORT. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

const HOST = '127.0.0.1';
/** Timers of Node are up to a millisecond late: the rest is waited for turn by turn. */
const TIMER_SLACK_MS = 1.5;

interface Due {
  readonly atMs: number;
  readonly bytes: Buffer;
}

/** One direction of one connection. */
class DelayLine {
  readonly #queue: Due[] = [];
  readonly #to: Socket;
  #waiting = false;

  constructor(from: Socket, to: Socket, delayMs: number) {
    this.#to = to;
    from.setNoDelay(true);
    from.on('data', (bytes: Buffer) => {
      this.#queue.push({ atMs: performance.now() + delayMs, bytes });
      this.#wait();
    });
    from.on('error', () => from.destroy());
    from.on('close', () => setTimeout(() => to.destroy(), delayMs));
  }

  #wait(): void {
    const [next] = this.#queue;
    if (this.#waiting || next === undefined) return;
    this.#waiting = true;
    const restMs = next.atMs - performance.now() - TIMER_SLACK_MS;
    if (restMs >= 1) setTimeout(() => this.#turn(), restMs);
    else setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#waiting = false;
    const now = performance.now();
    while (this.#queue[0] !== undefined && this.#queue[0].atMs <= now) this.#to.write(this.#queue.shift()?.bytes ?? '');
    this.#wait();
  }
}

const [delayMs = 0, ...targets] = process.argv.slice(2).map(Number);
const ports = targets.map(
  (target) =>
    new Promise<number>((resolve) => {
      const server = createServer((near) => {
        const far = connect(target, HOST);
        new DelayLine(near, far, delayMs);
        new DelayLine(far, near, delayMs);
      });
      server.listen(0, HOST, () => resolve((server.address() as AddressInfo).port));
    }),
);
process.on('disconnect', () => process.exit(0));
void Promise.all(ports).then((all) => process.send?.(all));
