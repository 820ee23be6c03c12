import { HekateError, isHekateError } from '../../shared/errors.js';
import { invariant } from '../../shared/invariant.js';
import type { ByteChannel } from '../../shared/ports/byte-channel.js';
import type { Clock, Timer } from '../../shared/ports/clock.js';
import { frameMessage, MessageReader } from '../../shared/privval/delimited.js';
import { encodeRequest, type PrivvalRequest } from '../../shared/privval/request.js';
import { decodeResponse, MAX_RESPONSE_BYTES, type PrivvalResponse } from '../../shared/privval/response.js';

/** timeoutReadWrite of CometBFT's node/setup.go. */
export const READ_TIMEOUT_MS = 5_000;

interface Pending {
  readonly resolve: (response: PrivvalResponse) => void;
  readonly reject: (error: HekateError) => void;
  readonly deadline: Timer;
}

/**
 * The node's end of one connection to a signer: asks one thing at a time and takes the next message for its answer
 * (CometBFT privval/signer_endpoint.go). Closes the channel after anything but an answer in time.
 */
export class RemoteSignerClient {
  readonly #channel: ByteChannel;
  readonly #clock: Clock;
  readonly #readTimeoutMs: number;
  readonly #reader = new MessageReader(MAX_RESPONSE_BYTES);
  readonly #closed: (reason: HekateError | undefined) => void;
  #pending: Pending | undefined;
  #ended: HekateError | undefined;

  constructor(
    channel: ByteChannel,
    clock: Clock,
    closed: (reason: HekateError | undefined) => void = () => undefined,
    readTimeoutMs = READ_TIMEOUT_MS,
  ) {
    this.#channel = channel;
    this.#clock = clock;
    this.#closed = closed;
    this.#readTimeoutMs = readTimeoutMs;
  }

  /** Starts the channel. */
  start(): void {
    this.#channel.start({ bytes: (bytes) => this.#receive(bytes), closed: (reason) => this.#onClosed(reason) });
  }

  get connected(): boolean {
    return this.#ended === undefined;
  }

  /**
   * The signer's next message, a refusal included. Rejects with SIGNER_LOST, SIGNER_SILENT (no answer within 5 s),
   * PRIVVAL_OVERSIZED or PRIVVAL_MALFORMED; the connection is then gone. Not to be called while a request is pending.
   */
  request(request: PrivvalRequest): Promise<PrivvalResponse> {
    invariant(this.#pending === undefined, 'a node asks a signer one thing at a time');
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      const deadline = this.#clock.schedule(this.#readTimeoutMs, () =>
        this.#fail(new HekateError('SIGNER_SILENT', `no answer within ${this.#readTimeoutMs} ms`)),
      );
      this.#pending = { resolve, reject, deadline };
      this.#channel.write(frameMessage(encodeRequest(request)));
    });
  }

  close(): void {
    this.#fail(new HekateError('SIGNER_LOST', 'the node closed the connection'));
  }

  #receive(bytes: Uint8Array): void {
    if (this.#ended !== undefined) return;
    try {
      this.#reader.push(bytes);
      for (let message = this.#reader.next(); message !== undefined; message = this.#reader.next())
        this.#answer(decodeResponse(message));
    } catch (error) {
      if (!isHekateError(error)) throw error;
      this.#fail(error);
    }
  }

  #answer(response: PrivvalResponse): void {
    const pending = this.#pending;
    if (pending === undefined) throw new HekateError('SIGNER_ANSWER', 'the signer answers what it was not asked');
    this.#pending = undefined;
    pending.deadline.cancel();
    pending.resolve(response);
  }

  #fail(error: HekateError): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    this.#channel.close();
    this.#rejectPending(error);
  }

  #onClosed(reason: HekateError | undefined): void {
    const error = new HekateError('SIGNER_LOST', 'the signer ended the connection', { cause: reason });
    this.#ended ??= error;
    this.#rejectPending(this.#ended);
    this.#closed(reason);
  }

  #rejectPending(error: HekateError): void {
    this.#pending?.deadline.cancel();
    this.#pending?.reject(error);
    this.#pending = undefined;
  }
}
