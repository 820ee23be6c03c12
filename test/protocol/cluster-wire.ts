import type { LinkSession } from '../../cosigner/links/link-session.js';
import type { SentryLink } from '../../sentry-link/sentry-link.js';
import type { CosignerMessage, LinkMessage } from '../../src/shared/coordination/messages.js';
import type { Clock } from '../../src/shared/ports/clock.js';
import type { ClusterCosigner } from './cluster-cosigner.js';

/** The stream between one link and one cosigner: in order, with a delay; held back, tampered with or broken by the test. */
export class ClusterWire {
  delayMs = 1;
  /** Sign requests and their answers wait for ever, heartbeats go through: the process hangs, or its disk does. */
  holdRequests = false;
  holdReplies = false;
  /** What the link gets instead of what the cosigner sent. */
  tamper: (message: CosignerMessage) => CosignerMessage = (message) => message;
  /** Every sign request that left the link. */
  readonly requests: Extract<LinkMessage, { kind: 'signRequest' }>[] = [];
  readonly #clock: Clock;
  readonly #cosigner: ClusterCosigner;
  #session: LinkSession | undefined;
  #link: SentryLink | undefined;
  #epoch = 0;

  constructor(clock: Clock, cosigner: ClusterCosigner) {
    this.#clock = clock;
    this.#cosigner = cosigner;
  }

  get connected(): boolean {
    return this.#session !== undefined;
  }

  open(name: string, link: SentryLink): void {
    const process = this.#cosigner.process;
    if (this.connected || process === undefined) return;
    const epoch = ++this.#epoch;
    this.#link = link;
    const { id } = this.#cosigner;
    const session = process.open(name, (message) => {
      this.#cosigner.sent(message, this.requests);
      if (this.holdReplies && isReply(message)) return;
      this.#later(epoch, () => {
        const arrived = this.tamper(message);
        if (arrived.kind === 'cosignerHello') link.peerOpened(id, arrived, (up) => this.#up(epoch, session, up));
        else link.peerMessage(id, arrived);
      });
    });
    this.#session = session;
    this.#later(epoch, () => session.receive({ kind: 'linkHello', version: 'test', seen: link.seen(id) }));
  }

  /** Both ends learn at once. */
  drop(): void {
    if (this.#session === undefined) return;
    this.#epoch++;
    this.#session.close();
    this.#session = undefined;
    this.#link?.peerLost(this.#cosigner.id);
  }

  #up(epoch: number, session: LinkSession, message: LinkMessage): boolean {
    if (epoch !== this.#epoch) return false;
    if (message.kind === 'signRequest') this.requests.push(message);
    if (!(this.holdRequests && message.kind === 'signRequest')) this.#later(epoch, () => session.receive(message));
    return true;
  }

  #later(epoch: number, task: () => void): void {
    this.#clock.schedule(this.delayMs, () => {
      if (epoch === this.#epoch) task();
    });
  }
}

function isReply({ kind }: CosignerMessage): boolean {
  return kind === 'signed' || kind === 'stored' || kind === 'refused';
}
