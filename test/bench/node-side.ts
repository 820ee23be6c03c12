import { Backlog } from '../../src/dev/model-node/backlog.js';
import { listenForSigners, type Listening } from '../../src/dev/model-node/listen.js';
import { must } from '../../src/shared/invariant.js';
import type { ByteChannel } from '../../src/shared/ports/byte-channel.js';
import { systemClock } from '../../src/shared/ports/clock.js';
import { systemRandom } from '../../src/shared/ports/random.js';
import { frameMessage, MessageReader } from '../../src/shared/privval/delimited.js';
import { encodeRequest, type PrivvalRequest } from '../../src/shared/privval/request.js';
import { decodeResponse, MAX_RESPONSE_BYTES, type PrivvalResponse } from '../../src/shared/privval/response.js';
import { eventually } from '../support/eventually.js';

const ACCEPT_MS = 3_000;
const PING_MS = 3_333;

/**
 * A node's end of privval over tcp with its encryption, as little else as can be: no deadline, no retry, and more than one
 * request on the way where a benchmark wants that. Serves one signer at a time, the oldest first, as CometBFT does.
 */
export class NodeSide {
  readonly address: string;
  readonly #listening: Listening;
  readonly #backlog: Backlog;
  #channel: ByteChannel | undefined;
  #waiting: ((response: PrivvalResponse | undefined) => void)[] = [];
  #closed = false;
  #ping: NodeJS.Timeout | undefined;
  /** Connections that ended so far. */
  lost = 0;

  private constructor(listening: Listening, backlog: Backlog) {
    this.#listening = listening;
    this.#backlog = backlog;
    this.address = listening.address;
  }

  static async listen(): Promise<NodeSide> {
    const backlog = new Backlog(systemClock);
    const address = { transport: 'tcp', host: '127.0.0.1', port: 0 } as const;
    const listening = await listenForSigners(address, backlog, { clock: systemClock, random: systemRandom });
    const node = new NodeSide(listening, backlog);
    node.#start();
    return node;
  }

  /** Requests on the way. */
  get outstanding(): number {
    return this.#waiting.length;
  }

  async connected(timeoutMs = 10_000, everyMs = 5): Promise<void> {
    await eventually('a signer dials', timeoutMs, () => (this.#channel === undefined ? undefined : true), everyMs);
  }

  /** The answer, in the order of asking; undefined when the connection ended first, or there is none. */
  ask(request: PrivvalRequest): Promise<PrivvalResponse | undefined> {
    const channel = this.#channel;
    if (channel === undefined) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      channel.write(frameMessage(encodeRequest(request)));
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#ping);
    this.#backlog.close();
    this.#channel?.close();
    await this.#listening.close();
  }

  #start(): void {
    void this.#acceptForEver();
    this.#ping = setInterval(() => {
      if (this.#channel !== undefined && this.outstanding === 0) void this.ask({ kind: 'ping' });
    }, PING_MS);
  }

  async #acceptForEver(): Promise<void> {
    while (!this.#closed) {
      const signer = await this.#backlog.accept(ACCEPT_MS);
      const channel = await signer?.open().catch(() => undefined);
      if (channel !== undefined) await this.#serve(channel);
    }
  }

  #serve(channel: ByteChannel): Promise<void> {
    const reader = new MessageReader(MAX_RESPONSE_BYTES);
    return new Promise((ended) => {
      channel.start({
        bytes: (bytes) => {
          reader.push(bytes);
          for (let message = reader.next(); message !== undefined; message = reader.next())
            must(this.#waiting.shift(), 'an answer has a question')(decodeResponse(message));
        },
        closed: () => {
          this.#channel = undefined;
          this.lost++;
          for (const resolve of this.#waiting.splice(0)) resolve(undefined);
          ended();
        },
      });
      this.#channel = channel;
    });
  }
}
