import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Backlog } from '../../src/dev/model-node/backlog.js';
import { listenForSigners, type Listening } from '../../src/dev/model-node/listen.js';
import type { ByteChannel } from '../../src/shared/ports/byte-channel.js';
import { systemClock } from '../../src/shared/ports/clock.js';
import { systemRandom } from '../../src/shared/ports/random.js';
import { eventually } from './eventually.js';
import * as ask from './privval-requests.js';
import { DelimitedReader, bytesOf, delimited, integerOf, readFields, type ProtoField } from './proto-fields.js';
import type { TestProposal, TestTimestamp, TestVote } from './vote-bytes.js';

export interface Signed {
  readonly kind: 'signed';
  readonly signature: Uint8Array;
  /** Of a proposal the zero time: its answer carries none. */
  readonly timestamp: TestTimestamp;
  /** Empty: none. */
  readonly extensionSignature: Uint8Array;
  readonly ms: number;
}

export interface Refused {
  readonly kind: 'refused';
  /** Description of the RemoteSignerError: `CODE: cause`. */
  readonly error: string;
  readonly code: number;
  readonly ms: number;
}

export type SignAnswer = Signed | Refused;

interface Question {
  /** Field of the answer in privval's Message, 0 for an empty one. */
  readonly field: number;
  readonly resolve: (fields: ProtoField[]) => void;
  readonly reject: (error: Error) => void;
}

const DEADLINE_MS = 5000;

/**
 * A node that asks what a test tells it to ask: one connection at a time, over a unix socket or an encrypted tcp
 * connection, requests and answers encoded apart from production code. A real node cannot be made to vote twice, or to go on after a refusal.
 */
export class AskingNode {
  /** Connections that ended while this node wanted them. */
  dropped = 0;
  private readonly backlog = new Backlog(systemClock);
  private listening: Listening | undefined;
  private active: ByteChannel | undefined;
  private questions: Question[] = [];
  private closed = false;

  private constructor(private readonly chainId: string) {}

  /** `where`: the path of a unix socket, or 'tcp' for a free port of 127.0.0.1. */
  static async listen(where: string, chainId: string): Promise<AskingNode> {
    const node = new AskingNode(chainId);
    if (where !== 'tcp') rmSync(where, { force: true });
    const address =
      where === 'tcp'
        ? ({ transport: 'tcp', host: '127.0.0.1', port: 0 } as const)
        : ({ transport: 'unix', path: where } as const);
    node.listening = await listenForSigners(address, node.backlog, { clock: systemClock, random: systemRandom });
    void node.acceptAll();
    return node;
  }

  /** As a signer dials it. */
  get address(): string {
    return this.listening?.address ?? '';
  }

  /** Resolves once a signer is connected. */
  async connected(timeoutMs: number): Promise<void> {
    await eventually('a signer dials the node', timeoutMs, () => (this.active ? true : undefined), 10);
  }

  /** The 32 bytes of PubKeyResponse.pub_key (Ed25519), or throws with the signer's error. */
  async publicKey(chainId = this.chainId): Promise<Uint8Array> {
    const fields = await this.ask(ask.publicKey(chainId), 2, DEADLINE_MS);
    const error = bytesOf(fields, 2);
    if (error !== undefined) throw new Error(descriptionOf(error));
    return new Uint8Array(bytesOf(readFields(bytesOf(fields, 1) ?? new Uint8Array()), 1) ?? []);
  }

  async ping(): Promise<void> {
    await this.ask(ask.PING, 8, DEADLINE_MS);
  }

  /** Throws when there is no answer within `deadlineMs`. */
  async vote(vote: TestVote, deadlineMs = DEADLINE_MS): Promise<SignAnswer> {
    return this.signature(ask.signVote(vote), 4, { time: 5, signature: 8 }, deadlineMs);
  }

  async proposal(proposal: TestProposal, deadlineMs = DEADLINE_MS): Promise<SignAnswer> {
    return this.signature(ask.signProposal(proposal), 6, { time: 6, signature: 7 }, deadlineMs);
  }

  /**
   * Sends one message and returns the fields of the answer inside its oneof. Answers of other kinds may come first. Without
   * an answer in time the connection is closed, as CometBFT does it: what comes later must not answer the next request.
   */
  async ask(message: Uint8Array, answerField: number, deadlineMs = DEADLINE_MS): Promise<ProtoField[]> {
    this.send(delimited(message));
    const answered = new Promise<ProtoField[]>((resolve, reject) => {
      this.questions.push({ field: answerField, resolve, reject });
    });
    answered.catch(() => {});
    const stop = new AbortController();
    const late = delay(deadlineMs, undefined, { signal: stop.signal });
    late.catch(() => {});
    try {
      const fields = await Promise.race([answered, late]);
      if (fields !== undefined) return fields;
      this.dropped--;
      this.active?.close();
      throw new Error(`no answer within ${deadlineMs} ms`);
    } finally {
      stop.abort();
    }
  }

  /** Puts bytes on the connection, whatever they are. */
  send(bytes: Uint8Array): void {
    if (!this.active) throw new Error('no signer is connected');
    this.active.write(bytes);
  }

  /** Ends the connection; the next signer that dials is taken. */
  drop(): void {
    this.active?.close();
  }

  async close(): Promise<void> {
    this.closed = true;
    const ended = this.listening?.close();
    this.backlog.close();
    this.active?.close();
    await ended;
  }

  /** As CometBFT does it: whoever dials second waits until the first is gone. */
  private async acceptAll(): Promise<void> {
    while (!this.closed) {
      const signer = await this.backlog.accept(60_000);
      const channel = await signer?.open().catch(() => undefined);
      if (channel !== undefined) await this.serve(channel);
    }
  }

  private serve(channel: ByteChannel): Promise<void> {
    const reader = new DelimitedReader();
    return new Promise((resolve) => {
      this.active = channel;
      channel.start({
        bytes: (bytes) => {
          for (const message of reader.push(bytes)) this.answered(message);
        },
        closed: () => {
          this.active = undefined;
          if (!this.closed) this.dropped++;
          for (const { reject } of this.questions.splice(0)) reject(new Error('the signer ended the connection'));
          resolve();
        },
      });
    });
  }

  private answered(message: Uint8Array): void {
    const [sum] = readFields(message);
    const index = this.questions.findIndex(({ field }) => field === (sum?.number ?? 0));
    const [question] = index < 0 ? this.questions.splice(0, 1) : this.questions.splice(index, 1);
    if (index < 0) question?.reject(new Error(`the signer answers with field ${sum?.number ?? 0}`));
    else question?.resolve(readFields((sum?.value ?? new Uint8Array()) as Uint8Array));
  }

  private async signature(
    message: Uint8Array,
    field: number,
    at: { time: number; signature: number },
    deadlineMs: number,
  ): Promise<SignAnswer> {
    const from = performance.now();
    const fields = await this.ask(message, field, deadlineMs);
    const ms = performance.now() - from;
    const error = bytesOf(fields, 2);
    const signed = readFields(bytesOf(fields, 1) ?? new Uint8Array());
    const signature = bytesOf(signed, at.signature) ?? new Uint8Array();
    const extensionSignature = bytesOf(signed, 10) ?? new Uint8Array();
    if (error !== undefined) {
      if (signature.length > 0 || extensionSignature.length > 0) throw new Error('a refusal that carries a signature');
      return { kind: 'refused', error: descriptionOf(error), code: Number(integerOf(readFields(error), 1)), ms };
    }
    const time = readFields(bytesOf(signed, at.time) ?? new Uint8Array());
    const timestamp = { seconds: integerOf(time, 1), nanos: Number(integerOf(time, 2)) };
    return { kind: 'signed', signature, timestamp, extensionSignature, ms };
  }
}

const descriptionOf = (error: Uint8Array): string => Buffer.from(bytesOf(readFields(error), 2) ?? []).toString();
