import { rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { PrivvalConversation, type SignRecord } from './privval-conversation.js';

/** How often a node that is away is tried again. */
const RETRY_MS = 50;

/**
 * Stands between a node's unix privval socket and its signer, where the protocol is not encrypted, and writes down
 * every signature that was released: what a signer says about itself is not evidence.
 */
export class PrivvalRecorder {
  readonly records: SignRecord[] = [];
  /** Connections of a signer that reached the node. */
  connections = 0;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    readonly address: string,
  ) {}

  /** Listens on the socket `path` and hands every connection on to the node's socket `upstream`. */
  static async listen(path: string, upstream: string): Promise<PrivvalRecorder> {
    rmSync(path, { force: true });
    const server = createServer();
    const recorder = new PrivvalRecorder(server, `unix://${path}`);
    server.on('connection', (signer) => {
      recorder.sockets.add(signer);
      signer.on('error', () => {}).once('close', () => recorder.sockets.delete(signer));
      recorder.reach(signer, upstream);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(path, resolve);
    });
    return recorder;
  }

  /** Different blocks that were signed at one height, round and step: must stay empty. */
  conflicts(): string[] {
    const signed = new Map<string, string>();
    const conflicts: string[] = [];
    for (const record of this.records) {
      if (record.outcome !== 'signed') continue;
      const where = `${record.step} ${record.height}/${record.round}`;
      const before = signed.get(where) ?? record.block;
      if (before !== record.block) conflicts.push(`${where}: ${before || 'nil'} and ${record.block || 'nil'}`);
      signed.set(where, record.block);
    }
    return conflicts;
  }

  with(outcome: SignRecord['outcome']): SignRecord[] {
    return this.records.filter((record) => record.outcome === outcome);
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** While the node is away the signer waits, as it does in the backlog of a node that is busy with another. */
  private reach(signer: Socket, upstream: string): void {
    const node = connect(upstream);
    node.once('connect', () => this.join(signer, node));
    node.once('error', () => {
      if (!signer.destroyed) setTimeout(() => this.reach(signer, upstream), RETRY_MS).unref();
    });
  }

  private join(signer: Socket, node: Socket): void {
    this.connections++;
    const conversation = new PrivvalConversation({ asked: (record) => void this.records.push(record) });
    node.on('data', (bytes) => {
      conversation.fromNode(bytes);
      signer.write(bytes);
    });
    signer.on('data', (bytes) => {
      conversation.fromSigner(bytes);
      node.write(bytes);
    });
    const ended = (): void => {
      conversation.ended();
      signer.destroy();
      node.destroy();
      this.sockets.delete(node);
    };
    this.sockets.add(node);
    signer.once('close', ended);
    node.on('error', () => {}).once('close', ended);
    if (signer.destroyed) ended();
  }
}
