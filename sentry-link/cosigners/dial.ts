import type { LookupAddress } from 'node:dns';
import { connect, type Socket } from 'node:net';
import type { SecureContext, TLSSocket } from 'node:tls';
import { formatHostPort, type HostPort } from '../../src/shared/config/host-port.js';
import { HekateError, isHekateError, messageOf } from '../../src/shared/errors.js';
import type { ErrorCode } from '../../src/shared/error-codes.js';
import type { Clock, Timer } from '../../src/shared/ports/clock.js';
import {
  answering,
  isName,
  LOOKUP_LIMIT_MS,
  systemHostNames,
  type HostNames,
  type LookupError,
} from '../../src/shared/ports/host-names.js';
import { systemFix } from '../../src/shared/system-error.js';
import { pinnedTlsClient, type PinnedPeer } from '../../src/shared/transport/tls.js';

/** A lost SYN is sent again only after a second (RFC 6298 §2), so a new attempt starts beside it well before. */
const ATTEMPT_EVERY_MS = 250;
const CONNECT_TIMEOUT_MS = 1_000;
const HANDSHAKE_TIMEOUT_MS = 1_000;

export interface DialOptions {
  readonly address: HostPort;
  /** Our own identity, and the certificates of all peers. */
  readonly context: SecureContext;
  readonly peer: PinnedPeer;
  readonly otherPeers: readonly PinnedPeer[];
  readonly clock: Clock;
  /** Default: those of this process. */
  readonly names?: HostNames;
}

export interface DialHandlers {
  /** TLS is up with the pinned peer. Whether the peer accepts us shows only in what it says next. */
  connected(socket: TLSSocket): void;
  failed(reason: HekateError): void;
}

/** Starts one TCP connection, to one of `addresses` where the host is a name; a test that loses packets has its own. */
export type OpenSocket = (address: HostPort, addresses: readonly LookupAddress[] | undefined) => Socket;

const openSocket: OpenSocket = ({ host, port }, addresses) =>
  connect({ host, port, noDelay: true, autoSelectFamily: true, ...(addresses && { lookup: answering(addresses) }) });

/**
 * One dial of a cosigner: its name, where it has one, TCP, several attempts side by side while none is answered, then TLS with the pinned certificate.
 * Calls one handler, once, unless it is abandoned first.
 */
export class Dial {
  readonly #options: DialOptions;
  readonly #handlers: DialHandlers;
  readonly #open: OpenSocket;
  readonly #sockets = new Set<Socket>();
  readonly #timers = new Set<Timer>();
  #over = false;
  /** Why what is dialled is the last known address. */
  #trouble: LookupError | undefined;

  constructor(options: DialOptions, handlers: DialHandlers, open: OpenSocket = openSocket) {
    this.#options = options;
    this.#handlers = handlers;
    this.#open = open;
  }

  start(): void {
    const { address, names = systemHostNames } = this.#options;
    if (!isName(address.host)) return this.#connect();
    names.addresses(address.host).then(
      ({ addresses, trouble }) => {
        this.#trouble = trouble;
        this.#connect(addresses);
      },
      (error: unknown) => this.#fail(connectError(error, this.#where())),
    );
  }

  #connect(addresses?: readonly LookupAddress[]): void {
    if (this.#over) return;
    this.#attempt(addresses);
    this.#timeout(CONNECT_TIMEOUT_MS, 'the host does not answer');
  }

  /** Gives it up: no handler is called any more, and no socket is left. */
  abandon(): void {
    this.#over = true;
    this.#clear();
    for (const socket of this.#sockets) socket.destroy();
  }

  #attempt(addresses: readonly LookupAddress[] | undefined): void {
    this.#schedule(ATTEMPT_EVERY_MS, () => this.#attempt(addresses));
    const socket = this.#open(this.#options.address, addresses);
    this.#sockets.add(socket);
    socket.on('error', (error) => this.#fail(connectError(error, this.#where())));
    socket.once('connect', () => this.#handshake(socket));
  }

  /** The first to connect is the one; the others are dropped. */
  #handshake(socket: Socket): void {
    if (this.#over) return;
    this.#clear();
    for (const other of this.#sockets) if (other !== socket) other.destroy();
    this.#sockets.clear();
    const { context, peer, otherPeers } = this.#options;
    const tls = pinnedTlsClient(socket, context, peer, otherPeers);
    this.#sockets.add(tls);
    const failed = (error: Error): void => this.#fail(handshakeError(error, this.#where()));
    const dropped = (): void => this.#fail(new HekateError('PEER_DROPPED', `${this.#where()} drops the connection`));
    tls.on('error', failed);
    tls.once('close', dropped);
    tls.once('secureConnect', () => {
      if (this.#over) return;
      if (tls.alpnProtocol !== 'h2')
        return this.#fail(new HekateError('PEER_NOT_COSIGNER', `${this.#where()} does not speak HTTP/2`));
      this.#over = true;
      this.#clear();
      tls.off('error', failed);
      tls.off('close', dropped);
      this.#sockets.clear();
      this.#handlers.connected(tls);
    });
    this.#timeout(HANDSHAKE_TIMEOUT_MS, 'the process behind the port does not answer');
  }

  #fail(reason: HekateError): void {
    if (this.#over) return;
    this.abandon();
    this.#handlers.failed(reason);
  }

  #timeout(ms: number, what: string): void {
    this.#schedule(ms, () => this.#fail(new HekateError('PEER_TIMEOUT', `${this.#where()}: ${what} within ${ms} ms`)));
  }

  #schedule(ms: number, task: () => void): void {
    const timer = this.#options.clock.schedule(ms, () => {
      this.#timers.delete(timer);
      task();
    });
    this.#timers.add(timer);
  }

  #clear(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }

  #where(): string {
    const where = `${this.#options.peer.name} at ${formatHostPort(this.#options.address)}`;
    return this.#trouble === undefined ? where : `${where} (its last known address: ${this.#trouble.message})`;
  }
}

const CONNECT_CODES: Readonly<Record<string, ErrorCode>> = {
  ECONNREFUSED: 'PEER_REFUSED',
  ETIMEDOUT: 'PEER_TIMEOUT',
  EHOSTUNREACH: 'PEER_UNREACHABLE',
  ENETUNREACH: 'PEER_UNREACHABLE',
  EHOSTDOWN: 'PEER_UNREACHABLE',
  ENETDOWN: 'PEER_UNREACHABLE',
  EADDRNOTAVAIL: 'PEER_UNREACHABLE',
  ENOTFOUND: 'PEER_UNKNOWN_HOST',
  EAI_AGAIN: 'PEER_DNS_FAILED',
  ETIMEOUT: 'PEER_DNS_TIMEOUT',
};

function connectError(error: unknown, where: string): HekateError {
  const errno = codeOf(error);
  const code = CONNECT_CODES[errno];
  const cause =
    errno === 'ETIMEOUT'
      ? `${where}: its name was not found within ${LOOKUP_LIMIT_MS} ms`
      : `cannot connect to ${where} (${errno})`;
  if (code !== undefined) return new HekateError(code, cause, { cause: error });
  return new HekateError('PEER_FAILED', cause, { cause: error, ...systemFix(error) });
}

function handshakeError(error: Error, where: string): HekateError {
  if (isHekateError(error)) return error;
  const code = codeOf(error);
  if (code === 'ECONNRESET' || code === 'EPIPE')
    return new HekateError('PEER_DROPPED', `${where} drops the connection (${code})`, { cause: error });
  if (code.startsWith('ERR_SSL_'))
    return new HekateError('PEER_NOT_COSIGNER', `${where} does not speak TLS 1.3 (${code})`, { cause: error });
  // OpenSSL's verdicts on a certificate (X509_V_ERR_…).
  if (/CERT|SIGNATURE|CA$|ISSUER/.test(code))
    return new HekateError('TLS_WRONG_PEER', `${where} shows a certificate that is not pinned here (${code})`);
  return new HekateError('PEER_FAILED', `no TLS with ${where}: ${messageOf(error)}`, { cause: error });
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
}
