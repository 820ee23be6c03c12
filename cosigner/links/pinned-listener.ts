import { lookup } from 'node:dns/promises';
import { isIP, type Socket } from 'node:net';
import type { Server, TLSSocket } from 'node:tls';
import { formatHostPort, type HostPort } from '../../src/shared/config/host-port.js';
import { HekateError, messageOf } from '../../src/shared/errors.js';
import { must } from '../../src/shared/invariant.js';
import type { Clock, Timer } from '../../src/shared/ports/clock.js';
import type { Log } from '../../src/shared/ports/log.js';
import type { TlsIdentity } from '../../src/shared/transport/identity.js';
import { LogLimiter } from '../../src/shared/log-limiter.js';
import { peerPin, pinnedTlsServer, type PinnedPeer } from '../../src/shared/transport/tls.js';
import { PendingHandshakes } from './pending-handshakes.js';

const HANDSHAKE_TIMEOUT_MS = 3_000;
/** Connections that have not shown who they are; one more, and one has to go, so that links still get in. */
const MAX_UNKNOWN = 64;
const LOG_INTERVAL_MS = 10_000;
/** How often an address is tried that this host does not have yet, and how often that is said. */
const LISTEN_AGAIN_MS = 1_000;
const LISTEN_LOG_MS = 60_000;

interface Unknown {
  readonly socket: Socket;
  readonly timer: Timer;
}

export interface ListenerOptions {
  readonly listen: HostPort;
  readonly identity: TlsIdentity;
  readonly peers: readonly PinnedPeer[];
  readonly clock: Clock;
  readonly log: Log;
  /** Called once, as soon as links can connect. */
  readonly onListening?: (port: number) => void;
}

/** `ip:port` of the other end: the one thing that a socket, its TLS wrapper and a gRPC call have in common. */
export function remoteOf(socket: Socket): string {
  return `${socket.remoteAddress}:${socket.remotePort}`;
}

/**
 * The port of a cosigner. Hands over connections of pinned peers only, after the TLS handshake and before a byte of what
 * they say is read; everybody else is dropped here, with a reason in the log.
 */
export class PinnedListener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #unknown = new PendingHandshakes<Unknown>(MAX_UNKNOWN);
  readonly #peers: ReadonlyMap<string, PinnedPeer>;
  readonly #limiter: LogLimiter;
  readonly #notYet: LogLimiter;
  #again: Timer | undefined;
  #closed = false;

  constructor(options: ListenerOptions, onPeer: (socket: TLSSocket, peer: PinnedPeer) => void) {
    this.#options = options;
    this.#peers = new Map(options.peers.map((peer) => [peer.pin, peer]));
    this.#limiter = new LogLimiter(options.clock, LOG_INTERVAL_MS);
    this.#notYet = new LogLimiter(options.clock, LISTEN_LOG_MS);
    this.#server = pinnedTlsServer(options.identity, options.peers);
    this.#server.on('connection', (socket: Socket) => this.#admit(socket));
    this.#server.on('tlsClientError', (error, socket) => {
      const reason = handshakeError(error, socket);
      if (reason === undefined) options.log.debug('connection dropped before the handshake was over');
      else this.#refuse(socket, reason);
    });
    this.#server.on('secureConnection', (socket) => {
      socket.on('error', () => socket.destroy());
      this.#known(remoteOf(socket));
      const pin = peerPin(socket);
      const peer = pin === undefined ? undefined : this.#peers.get(pin);
      if (peer === undefined)
        this.#refuse(socket, new HekateError('TLS_UNPINNED', 'its certificate is not pinned here'));
      else if (socket.alpnProtocol !== 'h2')
        this.#refuse(socket, new HekateError('TLS_HANDSHAKE', `${peer.name} does not ask for HTTP/2`));
      else onPeer(socket, peer);
    });
  }

  /**
   * Resolves with the port; undefined while this host does not have the address yet (a tunnel or an interface that comes up
   * later, a name server that is not there), which is tried again until it is. Throws PORT_IN_USE or LISTEN_FAILED.
   */
  async start(): Promise<number | undefined> {
    const { listen } = this.#options;
    try {
      return await this.#listen(listen.host);
    } catch (error) {
      // Dual stack where there is IPv6; a kernel without it has the other half.
      if (listen.host === IPV6_EVERYWHERE && NO_IPV6.has(errnoOf(error))) return this.#listen(IPV4_EVERYWHERE);
      if (!NOT_YET.has(errnoOf(error))) throw listenError(error, listen);
      this.#waitForAddress(error);
      return undefined;
    }
  }

  /** A name may have addresses that this host cannot listen on, ::1 or 127.0.0.1 say: the first on which it can is taken. */
  async #listen(host: string): Promise<number> {
    const addresses = isIP(host) === 0 ? await lookup(host, { all: true }) : [{ address: host }];
    let failure: unknown;
    for (const { address } of addresses) {
      try {
        return await this.#listenOn(address);
      } catch (error) {
        failure ??= error;
      }
    }
    throw failure;
  }

  async #listenOn(host: string): Promise<number> {
    const { port } = this.#options.listen;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', reject);
        if (this.#closed) this.#server.close();
        // Accepting failed (out of file descriptors): the connections that are open go on.
        this.#server.on('error', (error) => this.#warn('LISTEN_FAILED', { reason: messageOf(error) }));
        resolve();
      });
    });
    const address = must(this.#server.address(), 'a listening server has an address');
    const bound = typeof address === 'string' ? port : address.port;
    this.#options.onListening?.(bound);
    return bound;
  }

  #waitForAddress(error: unknown): void {
    const { clock, log, listen } = this.#options;
    const { code, message, fix } = listenError(error, listen);
    const fields = { code, address: formatHostPort(listen), reason: message, fix };
    this.#notYet.write(code, (event, all) => log.warn(event, all), 'waiting for the address to listen on', fields);
    this.#again = clock.schedule(LISTEN_AGAIN_MS, () => {
      this.#listen(listen.host).catch((failed: unknown) => {
        if (this.#closed) return;
        this.#waitForAddress(failed);
      });
    });
  }

  /** No new connections; those handed over are their owner's. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#again?.cancel();
    for (const { socket } of this.#unknown.all()) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #admit(socket: Socket): void {
    socket.on('error', () => socket.destroy());
    const { remoteAddress } = socket;
    if (remoteAddress === undefined) return void socket.destroy();
    const remote = remoteOf(socket);
    const timer = this.#options.clock.schedule(HANDSHAKE_TIMEOUT_MS, () => {
      this.#refuse(socket, new HekateError('TLS_HANDSHAKE', `not finished within ${HANDSHAKE_TIMEOUT_MS} ms`));
    });
    const evicted = this.#unknown.add(remote, remoteAddress, { socket, timer });
    if (evicted !== undefined) {
      evicted.timer.cancel();
      const reason = 'too many connections from its address that do not say who they are';
      this.#refuse(evicted.socket, new HekateError('TLS_HANDSHAKE', reason));
    }
    socket.once('close', () => this.#known(remote, socket));
  }

  #known(remote: string, socket?: Socket): void {
    const entry = this.#unknown.get(remote);
    if (entry === undefined || (socket !== undefined && entry.socket !== socket)) return;
    entry.timer.cancel();
    this.#unknown.delete(remote);
  }

  #refuse(socket: Socket, reason: HekateError): void {
    const { remoteAddress } = socket;
    socket.destroy();
    this.#warn(reason.code, { reason: reason.message, address: remoteAddress, fix: reason.fix });
  }

  #warn(code: string, fields: Readonly<Record<string, string | undefined>>): void {
    this.#limiter.write(code, (event, all) => this.#options.log.warn(event, all), 'connection refused', {
      code,
      ...fields,
    });
  }
}

/**
 * Node reports a rejected certificate as a reset of its own making; the verdict is on the socket. Undefined for a peer that
 * went away by itself: a health check, or a link that did not expect this cosigner and says so in its own log.
 */
function handshakeError(error: Error, socket: TLSSocket): HekateError | undefined {
  // Typed as Error, but Node sets the code of OpenSSL's verdict.
  const verdict = socket.authorizationError as unknown;
  if (typeof verdict === 'string')
    return new HekateError('TLS_UNPINNED', `its certificate is not pinned here (${verdict})`);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
  if (code === 'ECONNRESET') return undefined;
  return new HekateError('TLS_HANDSHAKE', `no TLS 1.3 handshake with a pinned certificate (${code})`);
}

const IPV6_EVERYWHERE = '::';
const IPV4_EVERYWHERE = '0.0.0.0';
const NO_IPV6: ReadonlySet<string> = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL']);
/** What comes right by itself when an interface or a name server comes up. */
const NOT_YET: ReadonlySet<string> = new Set(['EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN', 'ENODEV', 'ENETUNREACH']);

function listenError(error: unknown, listen: HostPort): HekateError {
  const address = formatHostPort(listen);
  const errno = errnoOf(error);
  if (errno === 'EADDRINUSE')
    return new HekateError('PORT_IN_USE', `another process listens on ${address}`, { cause: error });
  if (errno === 'ENOTFOUND' || errno === 'EAI_AGAIN')
    return new HekateError('LISTEN_NOT_YET', `the name ${listen.host} has no address (${errno})`, { cause: error });
  if (NOT_YET.has(errno))
    return new HekateError('LISTEN_NOT_YET', `this host does not have the address ${address} (${errno})`, {
      cause: error,
    });
  return new HekateError('LISTEN_FAILED', `cannot listen on ${address}: ${messageOf(error)}`, { cause: error });
}

function errnoOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
}
