import type { Cosigner } from '../../cosigner/cosigner.js';
import type { LinkSession } from '../../cosigner/links/link-session.js';
import type { CosignerConnection, CosignerHandlers } from '../../sentry-link/cosigners/cosigner-client.js';
import type { CosignerMessage, LinkMessage } from '../../src/shared/coordination/messages.js';
import { ownRelease } from '../../src/shared/coordination/release.js';
import { HekateError } from '../../src/shared/errors.js';
import type { Clock } from '../../src/shared/ports/clock.js';
import type { Prng } from './prng.js';

export interface WireFaults {
  loss: number;
  duplicate: number;
  /** Chance of a delay that lets later messages overtake. */
  straggle: number;
}

/** Sees what a cosigner sends, at the moment it leaves the process. */
export interface WireTap {
  sent(cosigner: number, request: LinkMessage | undefined, message: CosignerMessage): void;
}

const REDIAL_MS = 150;
const HELLO_TIMEOUT_MS = 1_000;
const SILENCE_MS = 900;

/**
 * The stream between one link and one cosigner, with everything a network does to it; what the gRPC client does about
 * dialling, silence and refused ports is done here in virtual time.
 */
export class SimWire {
  readonly linkName: string;
  readonly cosignerId: number;
  /** Undefined while the process does not run. */
  readonly #cosigner: () => Cosigner | undefined;
  /** Those of the link's process while it runs. */
  #handlers: CosignerHandlers | undefined;
  readonly #clock: Clock;
  readonly #random: Prng;
  readonly #faults: WireFaults;
  readonly #tap: WireTap;
  /** What becomes of a message on its way to the link. */
  readonly #forge: (message: CosignerMessage) => CosignerMessage;
  readonly #baseDelayMs: number;
  /** Cut in one direction or both. */
  cutUp = false;
  cutDown = false;
  readonly #requests = new Map<number, LinkMessage>();
  #epoch = 0;
  #open = false;
  #session: LinkSession | undefined;
  #lastReceivedMs = 0;
  readonly #lastArrivalMs = { up: 0, down: 0 };

  constructor(
    names: { readonly link: string; readonly cosigner: number },
    cosigner: () => Cosigner | undefined,
    deps: {
      readonly clock: Clock;
      readonly random: Prng;
      readonly faults: WireFaults;
      readonly tap: WireTap;
      readonly forge: (message: CosignerMessage) => CosignerMessage;
    },
  ) {
    this.linkName = names.link;
    this.cosignerId = names.cosigner;
    this.#cosigner = cosigner;
    this.#clock = deps.clock;
    this.#random = deps.random;
    this.#faults = deps.faults;
    this.#tap = deps.tap;
    this.#forge = deps.forge;
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
    this.#later(this.cutDown, () => this.#drop(), epoch);
  }

  #watch(): void {
    this.#clock.schedule(REDIAL_MS * this.#random.between(0.8, 1.2), () => this.#watch());
    if (this.#handlers === undefined) return;
    if (this.#open) {
      if (this.#clock.nowMs() - this.#lastReceivedMs > SILENCE_MS) this.#drop();
      return;
    }
    this.#dial(this.#handlers);
  }

  #dial(handlers: CosignerHandlers): void {
    if (this.#clock.nowMs() - this.#lastReceivedMs < HELLO_TIMEOUT_MS && this.#session !== undefined) return;
    const epoch = ++this.#epoch;
    if (this.cutUp || this.cutDown) return;
    this.#later(
      false,
      () => {
        const cosigner = this.#cosigner();
        if (cosigner === undefined) return handlers.dialFailed('PEER_REFUSED');
        this.#lastReceivedMs = this.#clock.nowMs();
        this.#endSession();
        const newest = handlers.newest();
        this.#session = cosigner.open(this.linkName, (message) => this.#fromCosigner(message, epoch));
        this.#session.start();
        this.#session.receive({ kind: 'linkHello', ...ownRelease('sim'), newest });
      },
      epoch,
    );
  }

  #fromCosigner(message: CosignerMessage, epoch: number): void {
    if (message.kind === 'signed' && message.fresh !== undefined) {
      const { fresh, ...alone } = message;
      // A stream loses nothing but its end: nonces that got lost with one answer would be missing on it for ever.
      this.#fromCosigner(fresh, epoch);
      return this.#fromCosigner(alone, epoch);
    }
    const request = 'id' in message ? this.#requests.get(message.id) : undefined;
    this.#tap.sent(this.cosignerId, request, message);
    const vital = message.kind === 'cosignerHello' || message.kind === 'nonceBatch';
    this.#deliver('down', vital, () => {
      if (epoch !== this.#epoch) return;
      const handlers = this.#handlers;
      if (handlers === undefined) return;
      this.#lastReceivedMs = this.#clock.nowMs();
      if (message.kind === 'cosignerHello' && !this.#open) {
        this.#open = true;
        handlers.connected(message, { send: (up) => this.#fromLink(up, epoch) });
      } else if (this.#open) handlers.message(this.#forge(message));
    });
  }

  #fromLink(message: LinkMessage, epoch: number): boolean {
    if (epoch !== this.#epoch || !this.#open) return false;
    if (message.kind === 'signRequest') this.#requests.set(message.id, message);
    const session = this.#session;
    this.#deliver('up', false, () => {
      if (session === this.#session) session?.receive(message);
    });
    return true;
  }

  #drop(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#epoch++;
    this.#handlers?.disconnected(new HekateError('PEER_DROPPED', 'the simulated connection is gone'));
    this.#later(this.cutUp, () => this.#endSession(), this.#epoch);
  }

  #endSession(): void {
    this.#session?.close();
    this.#session = undefined;
  }

  /** `must` marks what a stream cannot lose without ending: it only comes late, and nothing it depends on overtakes it. */
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
    if (this.#random.chance(this.#faults.duplicate)) this.#clock.schedule(delayMs + this.#delayMs(), task);
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
