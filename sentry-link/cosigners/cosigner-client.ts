import { formatHostPort, type HostPort } from '../../src/shared/config/host-port.js';
import type { CosignerHello, CosignerMessage, LinkHello, LinkMessage } from '../../src/shared/coordination/messages.js';
import type { ErrorCode } from '../../src/shared/error-codes.js';
import { HekateError } from '../../src/shared/errors.js';
import type { Clock, Timer } from '../../src/shared/ports/clock.js';
import type { Log } from '../../src/shared/ports/log.js';
import type { RandomBytes } from '../../src/shared/ports/random.js';
import type { TlsIdentity } from '../../src/shared/transport/identity.js';
import { LogLimiter } from '../../src/shared/log-limiter.js';
import { checkPins, type PinnedPeer } from '../../src/shared/transport/tls.js';
import { dialCosigner } from './dial.js';
import { CosignerStream } from './cosigner-stream.js';

const HELLO_TIMEOUT_MS = 1_000;
/** A dead peer is noticed within a second; its owner makes it say something every 250 ms by heartbeats. */
const SILENCE_MS = 900;
const MIN_REDIAL_MS = 100;
const REDIAL_JITTER_MS = 150;
const LOG_INTERVAL_MS = 10_000;

export interface CosignerClientOptions {
  readonly address: HostPort;
  /** Our own. */
  readonly identity: TlsIdentity;
  /** The one cosigner that may answer. */
  readonly peer: PinnedPeer;
  /** The other cosigners, so that swapped addresses are named. */
  readonly otherPeers: readonly PinnedPeer[];
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: RandomBytes;
}

export interface CosignerClientHandlers {
  /** For the hello of a new stream. */
  seen(): LinkHello['seen'];
  /** A stream is open; send() works from here on until disconnected(). */
  connected(hello: CosignerHello): void;
  message(message: CosignerMessage): void;
  /** The open stream is over; the next one is dialled by itself. */
  disconnected(reason: HekateError): void;
  /** No stream came of a dial. PEER_REFUSED: nothing listens there, the process is not running. */
  dialFailed(code: ErrorCode): void;
}

/** A link's side of one cosigner: keeps one stream open, dialling again 100 to 250 ms after each loss or failure. */
export class CosignerClient {
  readonly #options: CosignerClientOptions;
  readonly #handlers: CosignerClientHandlers;
  readonly #limiter: LogLimiter;
  #giveUp: () => void = () => {};
  #stream: CosignerStream | undefined;
  #greeted = false;
  #closed = false;
  #heardMs = 0;
  #timer: Timer | undefined;
  #lastFailure: ErrorCode | undefined;

  /** Throws TLS_PIN_MISMATCH or TLS_IDENTITY_INVALID. */
  constructor(options: CosignerClientOptions, handlers: CosignerClientHandlers) {
    checkPins([options.peer, ...options.otherPeers]);
    this.#options = options;
    this.#handlers = handlers;
    this.#limiter = new LogLimiter(options.clock, LOG_INTERVAL_MS);
  }

  start(): void {
    this.#dial();
  }

  get connected(): boolean {
    return this.#greeted;
  }

  /** False when there is no stream to send on. The same message object is encoded once for all clients. */
  send(message: LinkMessage): boolean {
    return this.#greeted && this.#stream !== undefined && this.#stream.send(message);
  }

  /** Ends the stream, letting what was sent leave; no handler is called any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#greeted = false;
    this.#timer?.cancel();
    this.#giveUp();
    await this.#stream?.close();
  }

  #dial(): void {
    this.#giveUp = dialCosigner(this.#options, {
      connected: (socket) => {
        this.#stream = new CosignerStream(socket, this.#options.peer.name, {
          message: (message) => this.#receive(message),
          ended: (reason) => this.#ended(reason),
        });
        this.#timer = this.#options.clock.schedule(HELLO_TIMEOUT_MS, () =>
          this.#silent('no hello came', HELLO_TIMEOUT_MS),
        );
        this.#stream.send({ kind: 'linkHello', version: this.#options.version, seen: this.#handlers.seen() });
      },
      failed: (reason) => this.#ended(reason),
    });
  }

  #receive(message: CosignerMessage): void {
    this.#heardMs = this.#options.clock.nowMs();
    if (this.#greeted) return this.#handlers.message(message);
    if (message.kind !== 'cosignerHello')
      return this.#stream?.end(new HekateError('TRANSPORT_MALFORMED', 'the first message is not a hello'));
    this.#greeted = true;
    this.#lastFailure = undefined;
    this.#timer?.cancel();
    this.#timer = this.#options.clock.schedule(SILENCE_MS, () => this.#listen());
    this.#note('info', 'cosigner connected', {
      address: formatHostPort(this.#options.address),
      version: message.version,
    });
    this.#handlers.connected(message);
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
    const [byte = 0] = this.#options.random(1);
    const delayMs = MIN_REDIAL_MS + (byte / 255) * REDIAL_JITTER_MS;
    this.#timer = this.#options.clock.schedule(delayMs, () => this.#dial());
    if (wasConnected) {
      this.#note('warn', 'cosigner lost', { code: reason.code, reason: reason.message });
      this.#handlers.disconnected(reason);
    } else {
      if (reason.code !== this.#lastFailure)
        this.#note('warn', 'cosigner not reached', { code: reason.code, reason: reason.message, fix: reason.fix });
      this.#lastFailure = reason.code;
      this.#handlers.dialFailed(reason.code);
    }
  }

  #note(level: 'info' | 'warn', event: string, fields: Readonly<Record<string, string>>): void {
    const { log, peer } = this.#options;
    const write = level === 'info' ? log.info.bind(log) : log.warn.bind(log);
    this.#limiter.write(`${event} ${fields['code'] ?? ''}`, write, event, { cosigner: peer.name, ...fields });
  }
}
