import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { ByteChannel } from '../../src/shared/ports/byte-channel.js';
import { systemClock } from '../../src/shared/ports/clock.js';
import { systemRandom } from '../../src/shared/ports/random.js';
import { socketChannel } from '../../src/shared/ports/socket-channel.js';
import { identityFromSeed } from '../../src/shared/secret-connection/identity.js';
import { secureChannel } from '../../src/shared/secret-connection/secure-channel.js';

/** What one connection gets: the bare socket, or the encrypted channel once the handshake is over. */
export type Behaviour =
  | { readonly name: string; readonly bare: (socket: Socket) => void }
  | { readonly name: string; readonly encrypted: (channel: ByteChannel, raw: Socket) => void };

/**
 * A privval listener that does to its first connection what the first behaviour says, to the next one the next, and so
 * on; later ones are left alone.
 */
export class HostileNode {
  /** Behaviours whose connection has ended. */
  readonly ended: string[] = [];
  private readonly sockets = new Set<Socket>();
  private next = 0;

  private constructor(
    private readonly server: Server,
    private readonly behaviours: readonly Behaviour[],
  ) {}

  static async listen(behaviours: readonly Behaviour[]): Promise<HostileNode> {
    const server = createServer();
    const node = new HostileNode(server, behaviours);
    server.on('connection', (socket) => node.take(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return node;
  }

  get address(): string {
    return `tcp://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private take(socket: Socket): void {
    this.sockets.add(socket);
    const behaviour = this.behaviours[this.next++];
    socket
      .on('error', () => {})
      .once('close', () => {
        this.sockets.delete(socket);
        if (behaviour) this.ended.push(behaviour.name);
      });
    if (behaviour === undefined) return;
    if ('bare' in behaviour) {
      // Somebody has to read, or the end of the connection is not seen.
      socket.resume();
      return behaviour.bare(socket);
    }
    const identity = identityFromSeed(systemRandom(32));
    const deps = { identity, clock: systemClock, random: systemRandom };
    secureChannel(socketChannel(socket, { transport: 'tcp' }), deps).then(
      (channel) => behaviour.encrypted(channel, socket),
      () => socket.destroy(),
    );
  }
}
