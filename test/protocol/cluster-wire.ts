import type { LinkSession } from '../../cosigner/links/link-session.js';
import type { CosignerConnection, CosignerHandlers } from '../../sentry-link/cosigners/cosigner-client.js';
import type { CosignerMessage, LinkMessage } from '../../src/shared/coordination/messages.js';
import { ownRelease } from '../../src/shared/coordination/release.js';
import { HekateError } from '../../src/shared/errors.js';
import type { Clock } from '../../src/shared/ports/clock.js';
import type { ClusterCosigner } from './cluster-cosigner.js';

/** The stream between one link and one cosigner: in order, with a delay; held back, tampered with or broken by the test. */
export class ClusterWire {
  delayMs = 1;
  /** Sign requests and their answers wait for ever, heartbeats go through: the process hangs, or its disk does. */
  holdRequests = false;
  holdReplies = false;
  /** Nothing that the link says gets through, and nobody is told. */
  silent = false;
  /** Answers to sign requests take so much longer. */
  lateMs = 0;
  /** What the link gets instead of what the cosigner sent. */
  tamper: (message: CosignerMessage) => CosignerMessage = (message) => message;
  /** Every sign request that left the link. */
  readonly requests: Extract<LinkMessage, { kind: 'signRequest' }>[] = [];
  readonly #clock: Clock;
  readonly #cosigner: ClusterCosigner;
  #session: LinkSession | undefined;
  #handlers: CosignerHandlers | undefined;
  readonly #link: string;
  #epoch = 0;

  constructor(clock: Clock, link: string, cosigner: ClusterCosigner) {
    this.#clock = clock;
    this.#link = link;
    this.#cosigner = cosigner;
  }

  get connected(): boolean {
    return this.#session !== undefined;
  }

  /** For the link's assembly. */
  connection(handlers: CosignerHandlers): CosignerConnection {
    this.#handlers = handlers;
    return { start: () => this.open(), close: async () => this.drop() };
  }

  open(): void {
    const process = this.#cosigner.process;
    const handlers = this.#handlers;
    if (this.connected || process === undefined || handlers === undefined) return;
    const epoch = ++this.#epoch;
    const session = process.open(this.#link, (message) => {
      this.#cosigner.sent(message, this.requests);
      if (this.holdReplies && isReply(message)) return;
      const delayMs = this.delayMs + (isReply(message) ? this.lateMs : 0);
      this.#later(epoch, delayMs, () => {
        const arrived = this.tamper(message);
        if (arrived.kind === 'cosignerHello')
          handlers.connected(arrived, { send: (up) => this.#up(epoch, session, up) });
        else handlers.message(arrived);
      });
    });
    this.#session = session;
    session.start();
    this.#later(epoch, this.delayMs, () => {
      const newest = handlers.newest();
      session.receive({ kind: 'linkHello', ...ownRelease('test'), newest });
    });
  }

  /** A dial finds that nothing listens there. */
  refuse(): void {
    this.#handlers?.dialFailed('PEER_REFUSED');
  }

  /** Both ends learn at once. */
  drop(): void {
    if (this.#session === undefined) return;
    this.#epoch++;
    this.#session.close();
    this.#session = undefined;
    this.#handlers?.disconnected(new HekateError('PEER_DROPPED', 'the test breaks the connection'));
  }

  #up(epoch: number, session: LinkSession, message: LinkMessage): boolean {
    if (epoch !== this.#epoch) return false;
    if (this.silent) return true;
    if (message.kind === 'signRequest') this.requests.push(message);
    if (!(this.holdRequests && message.kind === 'signRequest'))
      this.#later(epoch, this.delayMs, () => session.receive(message));
    return true;
  }

  #later(epoch: number, delayMs: number, task: () => void): void {
    this.#clock.schedule(delayMs, () => {
      if (epoch === this.#epoch) task();
    });
  }
}

function isReply({ kind }: CosignerMessage): boolean {
  return kind === 'signed' || kind === 'stored' || kind === 'refused';
}
