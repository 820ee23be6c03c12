import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/**
 * What happens to connections: bytes go through as they are; are dropped at once; go nowhere; get an answer of something
 * else; come back. Or, after so many bytes of the target: they end 50 ms later, nothing more goes through, a bit is lost. Or,
 * after so many bytes for the target, nothing more of what is sent to it is read.
 */
export type Conduct = 'through' | 'drop' | 'silent' | 'http' | 'echo' | Partial<Limits>;

interface Limits {
  readonly endAfter: number;
  readonly holdAfter: number;
  readonly changeAfter: number;
  readonly deafAfter: number;
}

/** A port of 127.0.0.1 that leads to another one, unless something is in the way: a proxy, a firewall, another server. */
export class Middle {
  private conduct: Conduct = 'through';
  private readonly sockets = new Set<Socket>();
  private server: Server | undefined;
  private kept = 0;

  private constructor(private readonly target: number) {}

  static async listen(target: number): Promise<Middle> {
    const middle = new Middle(target);
    await middle.listen();
    return middle;
  }

  get port(): number {
    return this.kept;
  }

  /** For all connections from now on; those that are there end. */
  set(conduct: Conduct): void {
    this.conduct = conduct;
    this.cut();
  }

  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  /** As a firewall or a process that is killed ends connections: with a RST. */
  reset(): void {
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  /** On the port that it had before. */
  async listen(): Promise<void> {
    const server = createServer((socket) => this.take(socket));
    await new Promise<void>((resolve) => server.listen(this.kept, '127.0.0.1', resolve));
    this.kept = (server.address() as AddressInfo).port;
    this.server = server;
  }

  /** Nothing listens any more. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server?.close(resolve) ?? resolve(undefined));
    this.cut();
    await closed;
  }

  private take(socket: Socket): void {
    const { conduct } = this;
    this.keep(socket);
    if (conduct === 'drop') return void socket.destroy();
    if (conduct === 'silent') return void socket.resume();
    if (conduct === 'http') return void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    if (conduct === 'echo') return void socket.pipe(socket);
    const { endAfter, holdAfter, changeAfter, deafAfter } = conduct === 'through' ? {} : conduct;
    const target = connect(this.target, '127.0.0.1');
    this.keep(target);
    let [sent, count] = [0, 0];
    socket
      .on('data', (bytes: Buffer) => {
        target.write(bytes);
        if ((sent += bytes.length) >= (deafAfter ?? Infinity)) socket.pause();
      })
      .once('close', () => target.destroy());
    target
      .on('data', (bytes: Buffer) => {
        const change = Math.max(0, (changeAfter ?? Infinity) - count);
        if (change < bytes.length) bytes[change]! ^= 1;
        const most = Math.max(0, (endAfter ?? holdAfter ?? Infinity) - count);
        socket.write(bytes.subarray(0, most));
        if (endAfter !== undefined && bytes.length >= most) setTimeout(() => socket.destroy(), 50);
        count += bytes.length;
      })
      .once('close', () => socket.destroy());
  }

  private keep(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('error', () => {}).once('close', () => this.sockets.delete(socket));
  }
}
