import { rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { DelimitedReader, bytesOf, integerOf, readFields } from './proto-fields.js';

export type SignStepName = 'Proposal' | 'Prevote' | 'Precommit';

/** How often a node that is away is tried again. */
const RETRY_MS = 50;

/** One sign request of the node and what came of it. */
export interface SignRecord {
  readonly step: SignStepName;
  readonly height: bigint;
  readonly round: number;
  /** Hex of the encoded block id, empty for nil. */
  readonly block: string;
  /** `lost`: the connection ended first, so the node asks again. */
  outcome: 'pending' | 'signed' | 'refused' | 'lost';
  /** The description of a refusal. */
  error: string;
  /** From the last byte of the request to the last byte of the answer. */
  ms: number;
}

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
    const requests = new DelimitedReader();
    const answers = new DelimitedReader();
    // Answers come in the order of the requests; undefined for those that sign nothing (ping, public key).
    const open: { record: SignRecord | undefined; askedAt: number }[] = [];
    node.on('data', (bytes) => {
      for (const message of requests.push(bytes)) {
        const record = requestOf(message);
        if (record) this.records.push(record);
        open.push({ record, askedAt: performance.now() });
      }
      signer.write(bytes);
    });
    signer.on('data', (bytes) => {
      for (const message of answers.push(bytes)) {
        const asked = open.shift();
        if (asked?.record) answer(asked.record, message, performance.now() - asked.askedAt);
      }
      node.write(bytes);
    });
    const ended = (): void => {
      for (const { record } of open.splice(0)) if (record) record.outcome = 'lost';
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

const STEPS: Readonly<Record<string, SignStepName>> = { 1: 'Prevote', 2: 'Precommit', 32: 'Proposal' };
const VOTE_REQUEST = 3;
const PROPOSAL_REQUEST = 5;

/** SignVoteRequest (field 3, block id in field 4) or SignProposalRequest (field 5, block id in field 5). */
function requestOf(message: Uint8Array): SignRecord | undefined {
  const [request] = readFields(message);
  if (request?.number !== VOTE_REQUEST && request?.number !== PROPOSAL_REQUEST) return undefined;
  const fields = readFields(bytesOf(readFields(request.value as Uint8Array), 1) ?? new Uint8Array());
  const isProposal = request.number === PROPOSAL_REQUEST;
  const block = bytesOf(fields, isProposal ? 5 : 4) ?? new Uint8Array();
  const isNil = bytesOf(readFields(block), 1) === undefined;
  return {
    step: STEPS[String(integerOf(fields, 1))] ?? 'Proposal',
    height: integerOf(fields, 2),
    round: Number(integerOf(fields, 3)),
    block: isNil ? '' : Buffer.from(block).toString('hex'),
    outcome: 'pending',
    error: '',
    ms: 0,
  };
}

/** SignedVoteResponse and SignedProposalResponse: field 1 is what was signed, field 2 the RemoteSignerError. */
function answer(record: SignRecord, message: Uint8Array, ms: number): void {
  const [response] = readFields(message);
  const error = bytesOf(readFields((response?.value ?? new Uint8Array()) as Uint8Array), 2);
  record.ms = ms;
  record.outcome = error === undefined ? 'signed' : 'refused';
  if (error !== undefined) record.error = Buffer.from(bytesOf(readFields(error), 2) ?? []).toString();
}
