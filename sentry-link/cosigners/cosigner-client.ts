import type { TLSSocket } from 'node:tls';
import { formatHostPort, type HostPort } from '../../src/shared/config/host-port.js';
import type { CosignerHello, CosignerMessage, LinkHello } from '../../src/shared/coordination/messages.js';
import { ownRelease, tooOld, type Release } from '../../src/shared/coordination/release.js';
import type { ErrorCode } from '../../src/shared/error-codes.js';
import { HekateError } from '../../src/shared/errors.js';
import { must } from '../../src/shared/invariant.js';
import type { Clock, Timer } from '../../src/shared/ports/clock.js';
import type { Log } from '../../src/shared/ports/log.js';
import type { RandomBytes } from '../../src/shared/ports/random.js';
import type { TlsIdentity } from '../../src/shared/transport/identity.js';
import { LogLimiter } from '../../src/shared/log-limiter.js';
import { PassedOver } from '../../src/shared/transport/passed-over.js';
import { checkPins, clientContext, type PinnedPeer } from '../../src/shared/transport/tls.js';
import { CosignerStream } from './cosigner-stream.js';
import { Dial, type DialOptions } from './dial.js';
import type { Outgoing } from './peer-stream.js';
import { RedialDelay } from './redial-delay.js';

const HELLO_TIMEOUT_MS = 1_000;
/** A dead peer is noticed within a second; its owner makes it say something every 250 ms by heartbeats. */
const SILENCE_MS = 900;
const LOG_INTERVAL_MS = 10_000;

export interface CosignerClientOptions {
  readonly address: HostPort;
  /** Our own; not needed any more once the client is made. */
  readonly identity: TlsIdentity;
  /** The one cosigner that may answer; with another certificate of the same name among `otherPeers`, with that too. */
  readonly peer: PinnedPeer;
  /** The other cosigners, so that swapped addresses are named. */
  readonly otherPeers: readonly PinnedPeer[];
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: RandomBytes;
}

/** What a link is told of one cosigner, by whatever connects the two. */
export interface CosignerHandlers {
  /** For the hello of a new stream. */
  newest(): LinkHello['newest'];
  /** A stream is open, and `outgoing` is the way to send on it, until disconnected(). */
  connected(hello: CosignerHello, outgoing: Outgoing): void;
  message(message: CosignerMessage): void;
  /** So many parts of messages are not in this version, since the start. */
  passedOver(count: number): void;
  /** The open stream is over; the next one is dialled by itself. */
  disconnected(reason: HekateError): void;
  /**
   * No stream came of a dial. PEER_REFUSED: nothing listens there, the process is not running. `release`: what it says that
   * it runs, where it came so far.
   */
  dialFailed(code: ErrorCode, release?: Release): void;
}

/** A connection to one cosigner that is kept up by itself. */
export interface CosignerConnection {
  start(): void;
  /** Ends the stream, letting what was sent leave; no handler is called any more. */
  close(): Promise<void>;
}

/** A link's side of one cosigner: keeps one stream open, dialling again after each loss or failure. */
export class CosignerClient implements CosignerConnection {
  readonly #options: CosignerClientOptions & Pick<DialOptions, 'context'>;
  readonly #handlers: CosignerHandlers;
  readonly #limiter: LogLimiter;
  readonly #redial: RedialDelay;
  #attempt: Dial | undefined;
  #stream: CosignerStream | undefined;
  /** The hello has come: the owner has been told of this stream. */
  #greeted = false;
  #closed = false;
  #greetedMs = 0;
  #heardMs = 0;
  #timer: Timer | undefined;
  #lastFailure: ErrorCode | undefined;
  /** Of the hello that could not be accepted. */
  #refused: Release | undefined;
  readonly #passedOver: PassedOver;

  /** Throws TLS_PIN_MISMATCH or TLS_IDENTITY_INVALID. */
  constructor(options: CosignerClientOptions, handlers: CosignerHandlers) {
    checkPins([options.peer, ...options.otherPeers]);
    const context = clientContext(options.identity, [options.peer, ...options.otherPeers]);
    this.#options = { ...options, context };
    this.#handlers = handlers;
    this.#limiter = new LogLimiter(options.clock, LOG_INTERVAL_MS);
    this.#redial = new RedialDelay(options.random);
    this.#passedOver = new PassedOver(options.clock, options.log);
  }

  start(): void {
    this.#dial();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    this.#attempt?.abandon();
    await this.#stream?.close();
  }

  #dial(): void {
    this.#attempt = new Dial(this.#options, {
      connected: (socket) => this.#connected(socket),
      failed: (reason) => this.#ended(reason),
    });
    this.#attempt.start();
  }

  #connected(socket: TLSSocket): void {
    const { clock, peer, version } = this.#options;
    this.#stream = new CosignerStream(peer.name, {
      message: (message) => this.#receive(message),
      passedOver: (parts) => {
        this.#heardMs = clock.nowMs();
        this.#passedOver.note(peer.name, parts);
        this.#handlers.passedOver(this.#passedOver.count(peer.name));
      },
      ended: (reason) => this.#ended(reason),
    });
    this.#timer = clock.schedule(HELLO_TIMEOUT_MS, () => this.#silent('no hello came', HELLO_TIMEOUT_MS));
    this.#stream.start(socket);
    this.#stream.send({ kind: 'linkHello', ...ownRelease(version), newest: this.#handlers.newest() });
  }

  #receive(message: CosignerMessage): void {
    this.#heardMs = this.#options.clock.nowMs();
    if (this.#greeted) return this.#handlers.message(message);
    const stream = must(this.#stream, 'a message comes on a stream');
    if (message.kind !== 'cosignerHello')
      return stream.end(new HekateError('TRANSPORT_MALFORMED', 'the first message is not a hello'));
    const old = tooOld(this.#options.peer.name, message);
    if (old !== undefined) {
      const { version: its, protocol, features } = message;
      this.#refused = { version: its, protocol, features };
      return stream.end(old);
    }
    this.#greeted = true;
    this.#greetedMs = this.#heardMs;
    this.#lastFailure = undefined;
    this.#timer?.cancel();
    this.#timer = this.#options.clock.schedule(SILENCE_MS, () => this.#listen());
    this.#note('info', 'cosigner connected', {
      address: formatHostPort(this.#options.address),
      version: message.version,
    });
    this.#handlers.connected(message, stream);
  }

  #listen(): void {
    const { clock } = this.#options;
    const restMs = this.#heardMs + SILENCE_MS - clock.nowMs();
    if (restMs > 0) {
      this.#timer = clock.schedule(restMs, () => this.#listen());
      return;
    }
    // After a stall of our own, what the peer said meanwhile is read before this runs.
    this.#timer = clock.schedule(0, () => {
      if (clock.nowMs() - this.#heardMs >= SILENCE_MS) this.#silent('nothing came', SILENCE_MS);
      else this.#listen();
    });
  }

  #silent(what: string, ms: number): void {
    this.#stream?.end(new HekateError('PEER_SILENT', `${this.#options.peer.name}: ${what} within ${ms} ms`));
  }

  #ended(reason: HekateError): void {
    if (this.#closed) return;
    const wasConnected = this.#greeted;
    this.#greeted = false;
    this.#stream = undefined;
    this.#timer?.cancel();
    const { clock } = this.#options;
    const delayMs = this.#redial.next(reason.code, wasConnected ? clock.nowMs() - this.#greetedMs : 0);
    this.#timer = clock.schedule(delayMs, () => this.#dial());
    if (wasConnected) {
      this.#note('warn', 'cosigner lost', { code: reason.code, reason: reason.message, fix: reason.fix });
      this.#handlers.disconnected(reason);
    } else {
      if (reason.code !== this.#lastFailure)
        this.#note('warn', 'cosigner not reached', { code: reason.code, reason: reason.message, fix: reason.fix });
      this.#lastFailure = reason.code;
      const refused = this.#refused;
      this.#refused = undefined;
      this.#handlers.dialFailed(reason.code, refused);
    }
  }

  #note(level: 'info' | 'warn', event: string, fields: Readonly<Record<string, string>>): void {
    const { log, peer } = this.#options;
    const write = level === 'info' ? log.info.bind(log) : log.warn.bind(log);
    this.#limiter.write(`${event} ${fields['code'] ?? ''}`, write, event, { cosigner: peer.name, ...fields });
  }
}
