import { invariant, InvariantViolation, must } from '../../src/shared/invariant.js';
import { LogLimiter } from '../../src/shared/log-limiter.js';
import type { ByteChannel } from '../../src/shared/ports/byte-channel.js';
import type { Clock, Timer } from '../../src/shared/ports/clock.js';
import type { Log } from '../../src/shared/ports/log.js';
import type { RandomBytes } from '../../src/shared/ports/random.js';
import { classifyDial, dialError, underneath, type DialCode, type DialError } from './dial-error.js';
import { WatchedChannel, type ChannelEnd } from './watched-channel.js';
import type { NodeAddress } from '../../src/shared/config/node-address.js';

/** A node that starts waits 3 s for its signer and then exits (CometBFT node/node.go), so dialling is quick. */
const DIAL_INTERVAL_MS = 500;
const DIAL_JITTER_MS = 100;
/** What somebody has to mend first is dialled less often each time, down to this. */
const SELDOM_MS = 5_000;
/** What answers there is not a node, or not one that can be spoken with. */
const WRONG: ReadonlySet<DialCode> = new Set<DialCode>(['DIAL_BAD_HELLO', 'DIAL_AUTH']);
/** An attempt that is pending for so long is connected (looking its name up and connecting take at most 2.5 s) and waits for the node's hello. */
const SILENT_AFTER_MS = 3_000;
/** Somebody may wait for that node: that it still does not turn to us is told so often. */
const SILENT_AGAIN_MS = 600_000;
/** Three of the node's pings and its longest wait for an answer. */
const IDLE_MS = 10_000;
/** More of the same is told so often. */
const LOG_AGAIN_MS = 60_000;
/** A node that connects and drops all the time changes class with every attempt; this bounds what it makes us write. */
const MAX_CHANGES_PER_MINUTE = 10;

/** An open connection to a node, handshake done, not yet started. */
export interface NodeChannel extends ByteChannel {
  readonly peerId?: string;
}

/**
 * Connects once. Must settle within bounded time, and destroy its socket as soon as `abort` fires. Rejects with an errno error
 * or a HekateError.
 */
export type ConnectToNode = (address: NodeAddress, abort: AbortSignal) => Promise<NodeChannel>;

export interface DiallerOptions {
  readonly chain: string;
  readonly address: NodeAddress;
  readonly connect: ConnectToNode;
  /** Takes over an open connection; must call its start() before it returns. */
  readonly serve: (channel: ByteChannel, peerId: string | undefined) => void;
  /** Called with the class of every failure, for metrics and status. */
  readonly failed?: (code: DialCode) => void;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Log;
}

interface Dialling {
  readonly name: 'dialling';
  readonly abort: AbortController;
  /** Until it is told that the node is silent, or told again. */
  silence: Timer;
  accepted: boolean;
}

type State =
  | { readonly name: 'closed' }
  | { readonly name: 'waiting'; readonly timer: Timer }
  | Dialling
  | { readonly name: 'connected'; readonly channel: WatchedChannel };

const CLOSED: State = { name: 'closed' };

/**
 * Keeps exactly one connection to one node while it is open, and none while it is closed: a node serves whoever it accepted
 * first, and every connection that is dialled and dropped costs a CometBFT 0.37.2 node 3 s (privval/signer_listener_endpoint.go).
 */
export class Dialler {
  readonly #options: DiallerOptions;
  /** Every change at once: it remembers the last line alone. */
  readonly #limiter: LogLimiter;
  #state: State = CLOSED;
  #earliestDialMs: number;
  /** What is connected may end by itself; nothing is dialled any more. */
  #retires = false;
  #lastFailure: DialCode | undefined;
  /** Times in a row that it was wrong. */
  #wrongs = 0;

  constructor(options: DiallerOptions) {
    this.#options = options;
    const limits = { newPerMinute: MAX_CHANGES_PER_MINUTE, remembered: 1 };
    this.#limiter = new LogLimiter(options.clock, LOG_AGAIN_MS, limits);
    this.#earliestDialMs = options.clock.nowMs();
  }

  get state(): State['name'] {
    return this.#state.name;
  }

  /** Why there is no connection; undefined while there is one, and before the first attempt has failed. */
  get lastFailure(): DialCode | undefined {
    return this.#lastFailure;
  }

  /** The node has a connection of ours, be it one that it has not turned to yet. */
  get accepted(): boolean {
    return this.#state.name === 'connected' || (this.#state.name === 'dialling' && this.#state.accepted);
  }

  /** We lead: connect, and connect again whenever the connection ends. Nothing happens if it is open already. */
  open(): void {
    this.#retires = false;
    if (this.#state.name === 'closed') this.#dialWhenDue();
  }

  /** We are to lead no more: nothing is dialled from now on, and a connection is left to whoever serves on it. */
  retire(): void {
    this.#retires = true;
    if (this.#state.name !== 'connected') this.close();
  }

  /** We lead no more: the connection or the attempt is destroyed before this returns, and nothing is dialled. */
  close(): void {
    const state = this.#state;
    this.#state = CLOSED;
    this.#lastFailure = undefined;
    switch (state.name) {
      case 'closed':
        return;
      case 'waiting':
        return state.timer.cancel();
      case 'dialling':
        state.silence.cancel();
        return state.abort.abort();
      case 'connected':
        return state.channel.close();
    }
  }

  #dialWhenDue(): void {
    const { clock } = this.#options;
    const delayMs = Math.max(0, this.#earliestDialMs - clock.nowMs());
    this.#state = { name: 'waiting', timer: clock.schedule(delayMs, () => this.#dial()) };
  }

  #dial(): void {
    const { clock, connect, address } = this.#options;
    invariant(this.#state.name === 'waiting', 'a node is dialled only while there is no connection to it and we lead');
    this.#pause();
    const abort = new AbortController();
    const silence = clock.schedule(SILENT_AFTER_MS, () => this.#silent(attempt));
    const attempt: Dialling = { name: 'dialling', abort, silence, accepted: false };
    this.#state = attempt;
    void connect(address, abort.signal).then(
      (channel) => {
        attempt.silence.cancel();
        if (this.#state === attempt) this.#connected(channel);
        else discard(channel);
      },
      (error: unknown) => {
        attempt.silence.cancel();
        if (error instanceof InvariantViolation) throw error;
        if (this.#state !== attempt) return;
        const failure = classifyDial(error, address);
        this.#noteWrong(WRONG.has(failure.code));
        this.#fail(failure);
        // Whoever was told of the failure may have closed the dialler.
        if (this.#state === attempt) this.#dialWhenDue();
      },
    );
  }

  /** From now, the next dial is at least an interval away. */
  #pause(intervalMs = DIAL_INTERVAL_MS): void {
    const jitter = must(this.#options.random(1)[0], 'a random byte') / 255;
    this.#earliestDialMs = this.#options.clock.nowMs() + intervalMs + jitter * DIAL_JITTER_MS;
  }

  #noteWrong(wrong: boolean): void {
    if (!wrong) return void (this.#wrongs = 0);
    this.#pause(Math.min(SELDOM_MS, DIAL_INTERVAL_MS * 2 ** this.#wrongs));
    this.#wrongs++;
  }

  #silent(attempt: Dialling): void {
    attempt.accepted = true;
    const silent = (ms: number): DialError => {
      const what = `connected, but no handshake within ${ms} ms; the connection is kept for when the node turns to it`;
      return dialError('DIAL_SILENT', this.#options.address, what);
    };
    const again = (ms: number): void => {
      attempt.silence = this.#options.clock.schedule(SILENT_AGAIN_MS, () => {
        this.#tell(silent(ms + SILENT_AGAIN_MS));
        again(ms + SILENT_AGAIN_MS);
      });
    };
    again(SILENT_AFTER_MS);
    this.#fail(silent(SILENT_AFTER_MS));
  }

  #connected(inner: NodeChannel): void {
    const { chain, address, clock, serve, log } = this.#options;
    const channel = new WatchedChannel(inner, clock, IDLE_MS, (end) => this.#ended(channel, end));
    this.#state = { name: 'connected', channel };
    this.#lastFailure = undefined;
    // Only failures are counted, and only their lines say so.
    if (this.#limiter.passes('connected'))
      log.info('connected to the node', { chain, node: address.text, peer: inner.peerId });
    serve(channel, inner.peerId);
    invariant(channel.started, 'serve() starts the channel that it takes over');
  }

  #ended(channel: WatchedChannel, end: ChannelEnd): void {
    if (!this.#serves(channel)) return;
    if (this.#retires) return void (this.#state = CLOSED);
    this.#fail(this.#endError(end));
    if (!this.#serves(channel)) return;
    // A connection that ended before it was of use must not be followed by the next one without a pause.
    if (!end.heard) this.#pause();
    // We end what breaks the protocol; frames that do not verify end by themselves.
    this.#noteWrong(end.ours || end.reason?.code === 'SC_BAD_FRAME');
    this.#dialWhenDue();
  }

  #serves(channel: WatchedChannel): boolean {
    return this.#state.name === 'connected' && this.#state.channel === channel;
  }

  #endError({ reason, heard, ours }: ChannelEnd): DialError {
    const { address } = this.#options;
    if (reason?.code === 'DIAL_IDLE') return dialError('DIAL_IDLE', address, reason.message);
    const [code, what] = heard
      ? (['DIAL_LOST', 'the connection ended'] as const)
      : (['DIAL_DROPPED', 'the connection ended before the node asked anything'] as const);
    if (reason !== undefined) return underneath(code, address, `${what}: `, reason);
    return dialError(code, address, `${what}: closed by ${ours ? 'hekate' : 'the node'}`);
  }

  #fail(error: DialError): void {
    this.#lastFailure = error.code;
    this.#tell(error);
    this.#options.failed?.(error.code);
  }

  #tell(error: DialError): void {
    const { chain, address, log } = this.#options;
    const fields = { chain, node: address.text, code: error.code, cause: error.message, fix: error.fix };
    this.#limiter.write(error.code, (event, all) => log.warn(event, all), 'no connection to the node', fields);
  }
}

/** Ends a connection that came too late to be wanted. */
function discard(channel: ByteChannel): void {
  channel.start({ bytes() {}, closed() {} });
  channel.close();
}
