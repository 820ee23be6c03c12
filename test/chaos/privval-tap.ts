import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { ByteChannel } from '../../src/shared/ports/byte-channel.js';
import { systemClock } from '../../src/shared/ports/clock.js';
import { systemRandom } from '../../src/shared/ports/random.js';
import { socketChannel } from '../../src/shared/ports/socket-channel.js';
import { identityFromSeed } from '../../src/shared/secret-connection/identity.js';
import { secureChannel } from '../../src/shared/secret-connection/secure-channel.js';
import { PrivvalConversation, type ConversationEvents } from '../support/privval-conversation.js';

/** A signer waits for a node that has another one for as long as that takes. */
const FOR_EVER_MS = 2 ** 31 - 1;

/**
 * Stands between a node's encrypted tcp port and its signers, and reads along: to the node it is the signer, to the signer the
 * node, which neither can tell, for a node's key is a new one at each start and it takes any signer's. The node's hello comes
 * first, so that a signer waits as long as it would without this; a FIN goes on as FIN, a RST as RST, and what comes after either
 * is answered with a RST, as by the kernel of a process that is gone.
 */
export class PrivvalTap {
  private readonly identity = identityFromSeed(systemRandom(32));
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    readonly port: number,
    private readonly nodePort: number,
    private readonly events: ConversationEvents,
  ) {}

  static async listen(nodePort: number, events: ConversationEvents): Promise<PrivvalTap> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(0, '127.0.0.1', resolve);
    });
    const tap = new PrivvalTap(server, (server.address() as AddressInfo).port, nodePort, events);
    server.on('connection', (signer) => tap.take(signer));
    return tap;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  private take(signer: Socket): void {
    const node = connect(this.nodePort, '127.0.0.1');
    const ended = { signer: endOf(signer), node: endOf(node) };
    this.keep(signer);
    this.keep(node);
    const over = (to: Socket, how: 'fin' | 'rst'): void => {
      if (to.destroyed) return;
      if (how === 'rst') to.resetAndDestroy();
      else to.end(() => to.destroy());
    };
    void ended.signer.then((how) => over(node, how));
    void ended.node.then((how) => over(signer, how));
    node.once('connect', () => void this.join(signer, node).catch(() => (signer.destroy(), node.destroy())));
  }

  private async join(signer: Socket, node: Socket): Promise<void> {
    const deps = { identity: this.identity, clock: systemClock, random: systemRandom, helloTimeoutMs: FOR_EVER_MS };
    // Both ways at once where the signer is there already; it says nothing before the node does.
    const toNode = await secureChannel(socketChannel(node, { transport: 'tcp' }), deps);
    const early: Uint8Array[] = [];
    const other: { channel?: ByteChannel } = {};
    let over = false;
    const conversation = new PrivvalConversation(this.events);
    const forward = (bytes: Uint8Array): void => {
      conversation.fromNode(bytes);
      other.channel?.write(bytes);
    };
    const end = (): void => {
      if (over) return;
      over = true;
      conversation.ended();
    };
    toNode.start({
      bytes: (bytes) => (other.channel === undefined ? void early.push(bytes) : forward(bytes)),
      closed: end,
    });
    const toSigner = await secureChannel(socketChannel(signer, { transport: 'tcp' }), deps);
    toSigner.start({
      bytes: (bytes) => {
        conversation.fromSigner(bytes);
        toNode.write(bytes);
      },
      closed: end,
    });
    other.channel = toSigner;
    for (const bytes of early) forward(bytes);
  }

  private keep(socket: Socket): void {
    socket.setNoDelay(true);
    this.sockets.add(socket);
    socket.on('error', () => {}).once('close', () => this.sockets.delete(socket));
  }
}

/** How the other side ends a connection: a channel that reads it would close it with a RST of its own before that is told. */
function endOf(socket: Socket): Promise<'fin' | 'rst'> {
  return new Promise((resolve) => {
    socket.prependListener('end', () => resolve('fin'));
    socket.prependListener('error', () => resolve('rst'));
    socket.once('close', () => resolve('fin'));
  });
}
