import { Server, ServerCredentials, status, type ServiceDefinition } from '@grpc/grpc-js';
import type { TLSSocket } from 'node:tls';
import type { HostPort } from '../../src/shared/config/host-port.js';
import { MAX_STREAM_MESSAGE_BYTES } from '../../src/shared/coordination/limits.js';
import { HekateError } from '../../src/shared/errors.js';
import { systemClock, type Clock, type Timer } from '../../src/shared/ports/clock.js';
import type { Log } from '../../src/shared/ports/log.js';
import { LINK_PATH } from '../../src/shared/transport/contract.js';
import { pinOf, type TlsIdentity } from '../../src/shared/transport/identity.js';
import { LogLimiter } from '../../src/shared/log-limiter.js';
import { PassedOver } from '../../src/shared/transport/passed-over.js';
import { checkPins, type PinnedPeer } from '../../src/shared/transport/tls.js';
import { PinnedListener, remoteOf } from './pinned-listener.js';
import { LinkStream, type LinkCall, type LinkHandler, type OnLink } from './link-stream.js';

/** A pinned peer that connects and then opens no stream. */
const IDLE_MS = 5_000;
const REFUSAL_GRACE_MS = 100;
const LOG_INTERVAL_MS = 10_000;
const TWINS_INTERVAL_MS = 60_000;
/** A link that opens another stream has given its old one up; one that spoke on it so lately has not. */
const ALIVE_MS = 500;

export interface LinkServerOptions {
  readonly listen: HostPort;
  readonly identity: TlsIdentity;
  readonly links: readonly PinnedPeer[];
  /** Other cosigners: known so that one that acts as a link is named, never let in. */
  readonly otherPeers: readonly PinnedPeer[];
  /** Called once for every stream that a link opens; the link's earlier stream has been closed by then. */
  readonly onLink: OnLink;
  /** A fault in hekate itself, thrown by the owner's handlers: the process must not go on. */
  readonly onFault: (error: unknown) => void;
  readonly log: Log;
  readonly clock?: Clock;
  /** Called once, as soon as links can connect. */
  readonly onListening?: (port: number) => void;
}

interface Connection {
  readonly socket: TLSSocket;
  readonly peer: PinnedPeer;
  /** Runs until a stream is opened. */
  readonly idle: Timer;
  used: boolean;
}

/** Serves hekate.v1.Cosigner to pinned links. */
export class LinkServer {
  readonly #options: LinkServerOptions;
  readonly #clock: Clock;
  readonly #listener: PinnedListener;
  readonly #grpc: Server;
  readonly #links: ReadonlySet<string>;
  readonly #connections = new Map<string, Connection>();
  readonly #streams = new Map<string, LinkStream>();
  readonly #limiter: LogLimiter;
  readonly #twins: LogLimiter;
  readonly #passedOver: PassedOver;

  /** Throws TLS_PIN_MISMATCH or TLS_IDENTITY_INVALID. */
  constructor(options: LinkServerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#limiter = new LogLimiter(this.#clock, LOG_INTERVAL_MS);
    this.#twins = new LogLimiter(this.#clock, TWINS_INTERVAL_MS);
    this.#passedOver = new PassedOver(this.#clock, options.log);
    this.#links = new Set(options.links.map(({ pin }) => pin));
    const peers = [...options.links, ...options.otherPeers];
    checkPins(peers);
    this.#grpc = new Server({
      'grpc.max_receive_message_length': MAX_STREAM_MESSAGE_BYTES,
      'grpc.max_concurrent_streams': 1,
      'grpc.enable_channelz': 0,
    });
    this.#grpc.addService(SERVICE, { link: (call: LinkCall) => this.#guard(() => this.#open(call)) });
    // TLS is over when a connection gets here, so that no unpinned byte reaches the HTTP/2 parser.
    const injector = this.#grpc.createConnectionInjector(ServerCredentials.createInsecure());
    this.#listener = new PinnedListener({ ...options, peers, clock: this.#clock }, (socket, peer) => {
      this.#register(socket, peer);
      injector.injectConnection(socket);
    });
  }

  /** As PinnedListener.start. */
  start(): Promise<number | undefined> {
    return this.#listener.start();
  }

  /** Names of the links that have a stream open. */
  links(): readonly string[] {
    return [...this.#streams.keys()];
  }

  /** Parts of a link's messages that were not in this version, since the start. */
  passedOver(link: string): number {
    return this.#passedOver.count(link);
  }

  /** Ends all streams and connections; resolves when the port is free. */
  async close(): Promise<void> {
    const closed = this.#listener.close();
    for (const stream of [...this.#streams.values()])
      stream.end(new HekateError('LINK_CLOSED', 'this cosigner is stopping'));
    for (const { socket, used } of this.#connections.values()) if (!used) socket.destroy();
    await closed;
    this.#grpc.forceShutdown();
  }

  #register(socket: TLSSocket, peer: PinnedPeer): void {
    // A peer needs one connection; an earlier one that it never used is an attempt that it gave up.
    for (const { socket: earlier, peer: owner, used } of this.#connections.values())
      if (owner.name === peer.name && !used) earlier.destroy();
    const remote = remoteOf(socket);
    const idle = this.#clock.schedule(IDLE_MS, () => socket.destroy());
    this.#connections.set(remote, { socket, peer, idle, used: false });
    socket.once('close', () => {
      idle.cancel();
      this.#connections.delete(remote);
    });
  }

  /** Who it is comes from the certificate of the connection; nothing of the call has been read yet. */
  #open(call: LinkCall): void {
    const connection = this.#connections.get(call.getPeer());
    const certificate = call.getAuthContext().sslPeerCertificate;
    if (connection === undefined || certificate === undefined || pinOf(certificate.raw) !== connection.peer.pin)
      return void call.emit('error', { code: status.UNAUTHENTICATED, details: 'TLS_UNPINNED' });
    const { peer, socket } = connection;
    connection.used = true;
    connection.idle.cancel();
    if (!this.#links.has(peer.pin)) return this.#refuseRole(call, peer, socket);
    this.#replace(peer, socket);
    this.#note('link connected', peer.name, { address: socket.remoteAddress ?? '' });
    const stream = new LinkStream(call, {
      name: peer.name,
      clock: this.#clock,
      onLink: (link, send, end) => this.#guarded(this.#options.onLink(link, send, end)),
      connected: () => !socket.destroyed,
      cut: () => socket.destroy(),
      onPassedOver: (parts) => this.#passedOver.note(peer.name, parts),
      onEnd: (ended, reason) => {
        if (this.#streams.get(peer.name) === ended) this.#streams.delete(peer.name);
        const { code, message, fix } = reason;
        this.#note('link disconnected', peer.name, { code, reason: message, ...(code !== 'LINK_CLOSED' && { fix }) });
      },
    });
    this.#streams.set(peer.name, stream);
    stream.start();
  }

  /** One stream for each link: a new one is what it means to use, be it another process that came with its identity. */
  #replace({ name }: PinnedPeer, by: TLSSocket): void {
    const earlier = this.#streams.get(name);
    if (earlier === undefined) return;
    const alive = earlier.silentMs < ALIVE_MS;
    earlier.end(new HekateError('LINK_REPLACED', 'the link has opened another stream'));
    if (!alive) return;
    const { code, fix } = new HekateError('LINK_REPLACED', '');
    const fields = { code, link: name, address: by.remoteAddress, fix };
    const { log } = this.#options;
    const event = 'two processes come with the identity of one sentry-link';
    this.#twins.write(name, (text, all) => log.error(text, all), event, fields);
  }

  #refuseRole(call: LinkCall, { name }: PinnedPeer, socket: TLSSocket): void {
    const { code, message, fix } = new HekateError('TLS_WRONG_ROLE', `${name} acts as a sentry-link`);
    const log = this.#options.log;
    this.#limiter.write(`role ${name}`, (event, fields) => log.error(event, fields), 'connection refused', {
      code,
      reason: message,
      peer: name,
      fix,
    });
    call.emit('error', { code: status.PERMISSION_DENIED, details: code });
    this.#clock.schedule(REFUSAL_GRACE_MS, () => socket.destroy());
  }

  #note(event: string, link: string, fields: Readonly<Record<string, string>>): void {
    const { log } = this.#options;
    this.#limiter.write(`${event} ${link} ${fields['code'] ?? ''}`, (text, all) => log.info(text, all), event, {
      link,
      ...fields,
    });
  }

  #guarded(handler: LinkHandler): LinkHandler {
    return {
      start: () => this.#guard(() => handler.start()),
      receive: (message) => this.#guard(() => handler.receive(message)),
      close: (reason) => this.#guard(() => handler.close(reason)),
    };
  }

  /** grpc-js would answer UNKNOWN to whatever is thrown and go on; a broken invariant must not be lost there. */
  #guard(task: () => void): void {
    try {
      task();
    } catch (error) {
      this.#options.onFault(error);
    }
  }
}

const same = (bytes: Buffer): Buffer => bytes;

/** Messages pass as bytes: what cannot be decoded ends the stream with our reason, not with grpc-js's. */
const SERVICE: ServiceDefinition = {
  link: {
    path: LINK_PATH,
    requestStream: true,
    responseStream: true,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  },
};
