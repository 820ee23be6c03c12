import { MAX_CHAINS } from '../../src/shared/coordination/limits.js';
import type { LinkMessage, SignReply, SignRequest } from '../../src/shared/coordination/messages.js';
import type { Clock } from '../../src/shared/ports/clock.js';

/**
 * Answers still awaited from a cosigner that keeps its stream alive but never signs. Every chain waits for one at a time, so
 * the oldest of so many belongs to a request that was answered otherwise.
 */
const MAX_PENDING = 4 * MAX_CHAINS;

/** The sending half of an open stream; production has a CosignerStream. */
export interface Outgoing {
  /** False when the stream is over. */
  send(message: LinkMessage): boolean;
}

/** Undefined when the stream broke before the answer came. */
export type ReplyHandler = (reply: SignReply | undefined) => void;

/** The stream to one cosigner while there is one, and the answers that are awaited on it. */
export class PeerStream {
  readonly #clock: Clock;
  readonly #pending = new Map<number, { readonly sentMs: number; readonly onReply: ReplyHandler }>();
  #outgoing: Outgoing | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get connected(): boolean {
    return this.#outgoing !== undefined;
  }

  opened(outgoing: Outgoing): void {
    this.#outgoing = outgoing;
  }

  lost(): void {
    this.#outgoing = undefined;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { onReply } of pending) onReply(undefined);
  }

  /** False when there is no stream. */
  send(message: LinkMessage): boolean {
    return this.#outgoing !== undefined && this.#outgoing.send(message);
  }

  /** Sends a sign request; `onReply` is called at most once, and always when the stream ends. */
  ask(request: SignRequest, onReply: ReplyHandler): void {
    this.#pending.set(request.id, { sentMs: this.#clock.nowMs(), onReply });
    // A stream that breaks while it is written to has told of it already.
    if (!this.send(request) && this.#pending.delete(request.id)) onReply(undefined);
    if (this.#pending.size > MAX_PENDING) this.#forgetOldest();
  }

  /** What is to be told of an answer, and how long it took; undefined for one that nobody waits for. */
  answered(reply: SignReply): { readonly onReply: ReplyHandler; readonly tookMs: number } | undefined {
    const pending = this.#pending.get(reply.id);
    if (pending === undefined) return undefined;
    this.#pending.delete(reply.id);
    return { onReply: pending.onReply, tookMs: this.#clock.nowMs() - pending.sentMs };
  }

  #forgetOldest(): void {
    for (const [id, { onReply }] of this.#pending) {
      this.#pending.delete(id);
      return onReply(undefined);
    }
  }
}
