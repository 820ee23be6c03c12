import { connect, type ClientHttp2Session, type ClientHttp2Stream, type IncomingHttpHeaders } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { MAX_STREAM_MESSAGE_BYTES } from '../../src/shared/coordination/limits.js';
import type { CosignerMessage, LinkMessage } from '../../src/shared/coordination/messages.js';
import type { ErrorCode } from '../../src/shared/error-codes.js';
import { HekateError, isHekateError } from '../../src/shared/errors.js';
import { decodeCosignerMessage, type OnPassedOver } from '../../src/shared/transport/codec.js';
import { LINK_PATH } from '../../src/shared/transport/contract.js';
import { FrameReader, frameLinkMessage } from '../../src/shared/transport/grpc-frames.js';
import type { Outgoing } from './peer-stream.js';

/** Sent and not yet taken by the network: three requests with the largest vote extension. */
const MAX_QUEUED_BYTES = 4 * 1024 * 1024;
/** Time for the last messages to leave when we end the stream ourselves. */
const GRACE_MS = 100;
const GRPC_OK = '0';
/** The reasons a cosigner gives in its status; anything else it says is not repeated. */
const REASONS: readonly ErrorCode[] = [
  'LINK_CLOSED',
  'LINK_REPLACED',
  'LINK_SILENT',
  'PROTOCOL_OLD',
  'TLS_UNPINNED',
  'TLS_WRONG_ROLE',
  'TRANSPORT_MALFORMED',
];

/** What it means to us. */
const TOLD: Readonly<Partial<Record<ErrorCode, string>>> = {
  LINK_REPLACED: 'gave the stream to another process that came with the identity of this sentry-link',
  LINK_SILENT: 'ended the stream: it heard nothing from this sentry-link',
  PROTOCOL_OLD: 'does not work with this sentry-link, whose release is too old for it',
  TLS_UNPINNED: 'does not know the certificate of this sentry-link',
  TLS_WRONG_ROLE: 'knows the certificate of this sentry-link as that of a cosigner',
  TRANSPORT_MALFORMED: 'ended the stream: it could not read what this sentry-link sent',
};

export interface StreamHandlers {
  message(message: CosignerMessage): void;
  /** A message had parts that are not in this version. */
  passedOver: OnPassedOver;
  /** Called once, unless close() came first. */
  ended(reason: HekateError): void;
}

/**
 * One call of hekate.v1.Cosigner/Link, gRPC's wire protocol (grpc/grpc doc/PROTOCOL-HTTP2.md) straight on node:http2. One
 * stream on one connection that we dialled ourselves needs no channel, and what grpc-js's channel would add is in the way: it
 * backs off by its own clock, leaves half-made connections behind when it is closed, and hides why a dial failed.
 */
export class CosignerStream implements Outgoing {
  readonly #name: string;
  readonly #handlers: StreamHandlers;
  #session: ClientHttp2Session | undefined;
  #stream: ClientHttp2Stream | undefined;
  readonly #reader = new FrameReader(MAX_STREAM_MESSAGE_BYTES);
  /** The cosigner's HTTP/2 settings have come, so it has accepted our certificate. */
  #accepted = false;
  #ended = false;

  constructor(name: string, handlers: StreamHandlers) {
    this.#name = name;
    this.#handlers = handlers;
  }

  /** Opens the call on a connection whose TLS is up. */
  start(socket: TLSSocket): void {
    const session = connect('https://cosigner', { createConnection: () => socket, settings: { enablePush: false } });
    session.once('remoteSettings', () => (this.#accepted = true));
    session.on('error', () => this.#dropped());
    session.on('close', () => this.#dropped());
    const stream = session.request({
      ':method': 'POST',
      ':path': LINK_PATH,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.on('response', (headers) => this.#response(headers));
    stream.on('trailers', (headers: IncomingHttpHeaders) => this.#status(headers));
    stream.on('data', (chunk: Buffer) => this.#data(chunk));
    stream.on('error', () => this.#dropped());
    stream.on('close', () => this.#dropped());
    this.#session = session;
    this.#stream = stream;
  }

  /** False when the stream is over; a peer that does not read ends it. */
  send(message: LinkMessage): boolean {
    if (this.#ended || this.#stream === undefined) return false;
    const queued = this.#stream.writableLength;
    if (queued > MAX_QUEUED_BYTES) {
      this.end(new HekateError('PEER_QUEUE_FULL', `${this.#name} left ${queued} bytes unread`));
      return false;
    }
    this.#stream.write(frameLinkMessage(message));
    return true;
  }

  /** Ends the stream and its connection now. */
  end(reason: HekateError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#session?.destroy();
    this.#handlers.ended(reason);
  }

  /** Lets what was sent leave, then ends; resolves when the connection is gone. No handler is called any more. */
  async close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    const session = this.#session;
    if (session === undefined) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => session.destroy(), GRACE_MS);
      session.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      this.#stream?.end();
      session.close();
    });
  }

  #data(chunk: Buffer): void {
    if (this.#ended) return;
    for (const bytes of this.#checked(() => this.#reader.push(chunk)) ?? []) {
      const message = this.#checked(() => decodeCosignerMessage(bytes, this.#handlers.passedOver));
      if (this.#ended) return;
      if (message !== undefined) this.#handlers.message(message);
    }
  }

  /** What the peer did wrong ends the stream; a fault of our own is thrown on. */
  #checked<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!isHekateError(error)) throw error;
      this.end(error);
      return undefined;
    }
  }

  #response(headers: IncomingHttpHeaders): void {
    const type = String(headers['content-type']);
    if (Number(headers[':status']) !== 200 || !type.startsWith('application/grpc'))
      this.end(new HekateError('PEER_NOT_COSIGNER', `${this.#name} answers, but not in gRPC`));
    else if (headers['grpc-status'] !== undefined) this.#status(headers);
  }

  #status(headers: IncomingHttpHeaders): void {
    const status = String(headers['grpc-status']);
    const given = REASONS.find((code) => code === headers['grpc-message']);
    if (given !== undefined && given !== 'LINK_CLOSED')
      return this.end(new HekateError(given, `${this.#name} ${TOLD[given] ?? 'ended the stream'}`));
    if (given !== undefined) return this.end(new HekateError('PEER_CLOSED', `${this.#name} is stopping`));
    const how = status === GRPC_OK ? 'OK' : /^\d{1,2}$/.test(status) ? `gRPC status ${status}` : 'no status';
    this.end(new HekateError('PEER_CLOSED', `${this.#name} ended the stream (${how})`));
  }

  #dropped(): void {
    const code = this.#accepted ? 'PEER_DROPPED' : 'TLS_REFUSED';
    const what = this.#accepted ? 'the connection is gone' : 'it closes the connection when it sees our certificate';
    this.end(new HekateError(code, `${this.#name}: ${what}`));
  }
}
