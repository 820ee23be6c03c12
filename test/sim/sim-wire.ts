import type { CosignerConnection, CosignerHandlers } from '../../sentry-link/cosigners/cosigner-client.js';
import type { CosignerMessage } from '../../src/shared/coordination/messages.js';
import { ownRelease } from '../../src/shared/coordination/release.js';
import { HekateError, isHekateError } from '../../src/shared/errors.js';
import { must } from '../../src/shared/invariant.js';
import type { Clock } from '../../src/shared/ports/clock.js';
import {
  decodeCosignerMessage,
  decodeLinkMessage,
  encodeCosignerMessage,
  encodeLinkMessage,
} from '../../src/shared/transport/codec.js';
import { frameLinkMessage } from '../../src/shared/transport/grpc-frames.js';
import type { Coverage } from './coverage.js';
import type { OpenedStream } from './opened-stream.js';
import type { Prng } from './prng.js';
import type { ProcessClock } from './process-clock.js';
import type { SimCosigner } from './sim-cosigner.js';

export interface WireFaults {
  loss: number;
  duplicate: number;
  /** Chance of a delay that lets later messages overtake. */
  straggle: number;
}

/** What a wire needs of the cosigner's host. */
export interface WireCosigner {
  readonly id: number;
  readonly clock: ProcessClock;
  open: SimCosigner['open'];
}

/** What a wire needs of the link's host. */
export interface WireLink {
  readonly name: string;
  readonly clock: ProcessClock;
}

const REDIAL_MS = 150;
const FIRST_REDIAL_MS = 15;
const HELLO_TIMEOUT_MS = 1_000;
const SILENCE_MS = 900;
/** Of a gRPC frame, before the message. */
const PREFIX_BYTES = 5;

/**
 * The stream between one link and one cosigner, with everything a network does to it; what the gRPC client does about
 * dialling, silence and refused ports is done here in virtual time.
 */
export class SimWire {
  readonly linkName: string;
  readonly cosignerId: number;
  readonly #link: WireLink;
  readonly #cosigner: WireCosigner;
  /** Those of the link's process while it runs. */
  #handlers: CosignerHandlers | undefined;
  readonly #clock: Clock;
  readonly #random: Prng;
  readonly #faults: WireFaults;
  readonly #coverage: Coverage;
  /** What becomes of a message on its way to the link. */
  readonly #forge: (message: CosignerMessage) => CosignerMessage;
  /** The link has lost the stream, and lives. */
  readonly #dropped: () => void;
  readonly #baseDelayMs: number;
  /** Cut in one direction or both. */
  cutUp = false;
  cutDown = false;
  /** A firewall answers that nothing listens there. */
  #refuses = false;
  #epoch = 0;
  #open = false;
  #session: OpenedStream | undefined;
  #lastReceivedMs = 0;
  readonly #lastArrivalMs = { up: 0, down: 0 };

  constructor(
    link: WireLink,
    cosigner: WireCosigner,
    deps: {
      readonly clock: Clock;
      readonly random: Prng;
      readonly faults: WireFaults;
      readonly coverage: Coverage;
      readonly forge: (message: CosignerMessage) => CosignerMessage;
      readonly dropped?: () => void;
    },
  ) {
    this.linkName = link.name;
    this.cosignerId = cosigner.id;
    this.#link = link;
    this.#cosigner = cosigner;
    this.#clock = deps.clock;
    this.#random = deps.random;
    this.#faults = deps.faults;
    this.#coverage = deps.coverage;
    this.#forge = deps.forge;
    this.#dropped = deps.dropped ?? (() => undefined);
    this.#baseDelayMs = deps.random.between(0.2, 15);
  }

  /** Dials from now on. */
  start(): void {
    this.#watch();
  }

  /** The connection of a link's process, for as long as that runs. */
  connection(handlers: CosignerHandlers): CosignerConnection {
    return {
      start: () => void (this.#handlers = handlers),
      close: async () => {
        if (this.#handlers === handlers) this.#handlers = undefined;
      },
    };
  }

  /** One of the two processes died: its kernel says so to the other, unless the network is cut. */
  processDied(which: 'link' | 'cosigner'): void {
    if (which === 'link') {
      this.#epoch++;
      this.#open = false;
      this.#later(this.cutUp, () => this.#endSession(), this.#epoch);
      return;
    }
    this.#session = undefined;
    const epoch = this.#epoch;
    this.#later(this.cutDown, () => this.#link.clock.arrive(() => this.#drop()), epoch);
  }

  /** From now on the port refuses, whoever listens there, and what is open is reset; or no longer. */
  refuse(refuses: boolean): void {
    this.#refuses = refuses;
    if (refuses) this.#link.clock.arrive(() => this.#drop());
  }

  #watch(): void {
    this.#clock.schedule(REDIAL_MS * this.#random.between(0.8, 1.2), () => this.#watch());
    if (this.#handlers === undefined || this.#link.clock.stopped) return;
    if (this.#open) {
      if (this.#clock.nowMs() - this.#lastReceivedMs > SILENCE_MS) this.#drop();
      return;
    }
    this.#redial();
  }

  #redial(): void {
    if (this.#handlers !== undefined && !this.#link.clock.stopped && !this.#open) this.#dial(this.#handlers);
  }

  #dial(handlers: CosignerHandlers): void {
    if (this.#clock.nowMs() - this.#lastReceivedMs < HELLO_TIMEOUT_MS && this.#session !== undefined) return;
    const epoch = ++this.#epoch;
    if (this.cutUp || this.cutDown) return;
    this.#later(false, () => this.#dialled(handlers, epoch), epoch);
  }

  #dialled(handlers: CosignerHandlers, epoch: number): void {
    // The kernel takes the connection; a process that is stopped comes to it later.
    if (this.#cosigner.clock.stopped) return;
    const end = (): void => {
      if (epoch === this.#epoch) this.#later(this.cutDown, () => this.#drop(), epoch);
    };
    const session = this.#refuses
      ? undefined
      : this.#cosigner.open(this.linkName, (message) => this.#fromCosigner(message, epoch), end);
    if (session === undefined) {
      this.#coverage.note('wire: a port refuses');
      return this.#link.clock.arrive(() => handlers.dialFailed('PEER_REFUSED'));
    }
    this.#lastReceivedMs = this.#clock.nowMs();
    this.#endSession();
    const newest = handlers.newest();
    this.#session = session;
    session.start();
    const hello = { kind: 'linkHello', ...ownRelease('sim'), newest } as const;
    session.receive(must(decodeLinkMessage(encodeLinkMessage(hello)), 'a hello is a hello'));
  }

  #fromCosigner(message: CosignerMessage, epoch: number): void {
    if (message.kind === 'signed' && message.fresh !== undefined) {
      const { fresh, ...alone } = message;
      // A stream loses nothing but its end: nonces that got lost with one answer would be missing on it for ever.
      this.#fromCosigner(fresh, epoch);
      return this.#fromCosigner(alone, epoch);
    }
    const bytes = encodeCosignerMessage(message);
    const vital = message.kind === 'cosignerHello' || message.kind === 'nonceBatch';
    this.#deliver('down', vital, () => this.#link.clock.arrive(() => this.#reachesLink(bytes, epoch)));
  }

  #reachesLink(bytes: Uint8Array, epoch: number): void {
    const handlers = this.#handlers;
    if (epoch !== this.#epoch || handlers === undefined) return;
    this.#lastReceivedMs = this.#clock.nowMs();
    const message = this.#decoded(() => decodeCosignerMessage(bytes));
    if (message === undefined) return;
    if (message.kind === 'cosignerHello' && !this.#open) {
      this.#open = true;
      handlers.connected(message, { send: (up) => this.send(frameLinkMessage(up).subarray(PREFIX_BYTES), epoch) });
    } else if (this.#open) handlers.message(this.#forge(message));
  }

  /** Bytes of one message of the link; those of a link that lies may be anything. */
  send(bytes: Uint8Array, epoch = this.#epoch): boolean {
    if (epoch !== this.#epoch || !this.#open) return false;
    const session = this.#session;
    this.#deliver('up', false, () =>
      this.#cosigner.clock.arrive(() => {
        if (session !== this.#session || session === undefined) return;
        const message = this.#decoded(() => decodeLinkMessage(bytes));
        if (message !== undefined) session.receive(message);
      }),
    );
    return true;
  }

  /** What cannot be read ends the stream. */
  #decoded<T>(decode: () => T): T | undefined {
    try {
      return decode();
    } catch (error) {
      if (!isHekateError(error)) throw error;
      this.#coverage.note(`wire: ${error.code}`);
      this.#endSession();
      this.#drop();
      return undefined;
    }
  }

  #drop(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#epoch++;
    this.#dropped();
    this.#handlers?.disconnected(new HekateError('PEER_DROPPED', 'the simulated connection is gone'));
    this.#clock.schedule(FIRST_REDIAL_MS, () => this.#redial());
    this.#later(this.cutUp, () => this.#endSession(), this.#epoch);
  }

  #endSession(): void {
    this.#session?.close();
    this.#session = undefined;
  }

  /** `must` marks what a stream cannot lose without ending: it only comes late, once, and nothing it depends on overtakes it. */
  #deliver(direction: 'up' | 'down', must: boolean, task: () => void): void {
    const cut = direction === 'up' ? this.cutUp : this.cutDown;
    if (cut && must) return this.#drop();
    if (cut || (!must && this.#random.chance(this.#faults.loss))) return;
    const nowMs = this.#clock.nowMs();
    const straggles = !must && this.#random.chance(this.#faults.straggle);
    const inOrderMs = Math.max(this.#lastArrivalMs[direction], nowMs + this.#delayMs());
    if (!straggles) this.#lastArrivalMs[direction] = inOrderMs;
    const delayMs = inOrderMs - nowMs + (straggles ? this.#random.between(0, 600) : 0);
    this.#clock.schedule(delayMs, task);
    if (!must && this.#random.chance(this.#faults.duplicate)) this.#clock.schedule(delayMs + this.#delayMs(), task);
  }

  #later(cut: boolean, task: () => void, epoch: number): void {
    if (cut) return;
    this.#clock.schedule(this.#delayMs(), () => {
      if (epoch === this.#epoch) task();
    });
  }

  #delayMs(): number {
    return this.#baseDelayMs * this.#random.between(0.5, 1.5);
  }
}
