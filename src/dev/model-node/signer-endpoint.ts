import { HekateError } from '../../shared/errors.js';
import { must } from '../../shared/invariant.js';
import type { Clock, Timer } from '../../shared/ports/clock.js';
import type { PrivvalRequest } from '../../shared/privval/request.js';
import type { PrivvalResponse } from '../../shared/privval/response.js';
import { SerialQueue } from '../../shared/serial-queue.js';
import type { Backlog, PendingSigner } from './backlog.js';
import { RemoteSignerClient } from './remote-signer-client.js';

/** Of CometBFT's privval/signer_listener_endpoint.go and utils.go; none of them can be configured there. */
export const ACCEPT_TIMEOUT_MS = 3_000;
export const PING_INTERVAL_MS = 3_333;
const MAX_CALLERS = 16;

/**
 * How the node goes on after an accept that failed. A (0.34, 0.37.0 to 0.37.10, 0.38.0 to 0.38.5): not until the next
 * request, which then waits its full 3 s first. C (later ones): at once.
 */
export type AcceptGeneration = 'A' | 'C';

export interface EndpointEvents {
  connected?(): void;
  disconnected?(reason: HekateError | undefined): void;
  /** A signer that had connected was gone, or did not finish the handshake. */
  acceptFailed?(error: unknown): void;
  pinged?(latencyMs: number): void;
}

export interface SignerEndpointOptions {
  readonly backlog: Backlog;
  readonly clock: Clock;
  readonly generation?: AcceptGeneration;
  readonly events?: EndpointEvents;
}

/**
 * The node's side of privval with the habits of CometBFT's SignerListenerEndpoint: it listens, serves the signer that it
 * accepted first and no other until that one is gone, asks one thing at a time, and pings when it has nothing to ask.
 */
export class SignerEndpoint {
  readonly #backlog: Backlog;
  readonly #clock: Clock;
  readonly #generation: AcceptGeneration;
  readonly #events: EndpointEvents;
  readonly #turn = new SerialQueue(MAX_CALLERS);
  /** The connection in use; it may be dead already, which shows when it is used. */
  #client: RemoteSignerClient | undefined;
  /** Accepted, and nobody has needed it yet. */
  #available: RemoteSignerClient | undefined;
  #waiter: ((client: RemoteSignerClient | undefined) => void) | undefined;
  #accepting = false;
  #ping: Timer | undefined;
  #stopped = false;

  constructor(options: SignerEndpointOptions) {
    this.#backlog = options.backlog;
    this.#clock = options.clock;
    this.#generation = options.generation ?? 'C';
    this.#events = options.events ?? {};
  }

  get connected(): boolean {
    return this.#client?.connected === true;
  }

  start(): void {
    this.#accept();
    this.#pingLater();
  }

  stop(): void {
    this.#stopped = true;
    this.#ping?.cancel();
    this.#waiter?.(undefined);
    this.#backlog.close();
    this.#client?.close();
    this.#available?.close();
  }

  /**
   * Asks the connected signer, waiting up to 3 s for one. Rejects with SIGNER_ABSENT or the reasons of
   * RemoteSignerClient.request; after the latter the connection is dropped.
   */
  request(request: PrivvalRequest): Promise<PrivvalResponse> {
    return must(
      this.#turn.run(() => this.#exchange(request)),
      'a node has few callers',
    );
  }

  async #exchange(request: PrivvalRequest): Promise<PrivvalResponse> {
    const client = await this.#connection();
    try {
      const response = await client.request(request);
      this.#pingLater();
      return response;
    } catch (error) {
      this.#drop();
      throw error;
    }
  }

  async #connection(): Promise<RemoteSignerClient> {
    if (this.#stopped) throw new HekateError('SIGNER_ABSENT', 'the node is stopping');
    this.#client ??= this.#available ?? (await this.#waitForSigner());
    this.#available = undefined;
    return this.#client;
  }

  #waitForSigner(): Promise<RemoteSignerClient> {
    return new Promise((resolve, reject) => {
      const waiter = (client: RemoteSignerClient | undefined): void => {
        timer.cancel();
        this.#waiter = undefined;
        if (client !== undefined) resolve(client);
        else reject(new HekateError('SIGNER_ABSENT', `no signer connected within ${ACCEPT_TIMEOUT_MS} ms`));
      };
      const timer = this.#clock.schedule(ACCEPT_TIMEOUT_MS, () => waiter(undefined));
      this.#waiter = waiter;
      this.#accept();
    });
  }

  /** Nothing happens while an accept is under way, or one that was accepted waits to be needed. */
  #accept(): void {
    if (this.#accepting || this.#available !== undefined || this.#stopped) return;
    this.#accepting = true;
    void this.#acceptOne().then((client) => {
      this.#accepting = false;
      if (client === undefined) {
        if (this.#generation === 'C') this.#accept();
      } else if (this.#stopped) client.close();
      else if (this.#waiter !== undefined) this.#waiter(client);
      else this.#available = client;
    });
  }

  async #acceptOne(): Promise<RemoteSignerClient | undefined> {
    const signer = await this.#backlog.accept(ACCEPT_TIMEOUT_MS);
    if (signer === undefined) return undefined;
    try {
      return await this.#open(signer);
    } catch (error) {
      this.#events.acceptFailed?.(error);
      return undefined;
    }
  }

  async #open(signer: PendingSigner): Promise<RemoteSignerClient> {
    const channel = await signer.open();
    this.#events.connected?.();
    const client = new RemoteSignerClient(channel, this.#clock, (reason) => this.#events.disconnected?.(reason));
    client.start();
    return client;
  }

  #drop(): void {
    this.#client?.close();
    this.#client = undefined;
  }

  /** From now, one interval without a request brings a ping. */
  #pingLater(): void {
    this.#ping?.cancel();
    if (!this.#stopped) this.#ping = this.#clock.schedule(PING_INTERVAL_MS, () => void this.#pingNow());
  }

  async #pingNow(): Promise<void> {
    const sentMs = this.#clock.nowMs();
    try {
      await this.request({ kind: 'ping' });
      this.#events.pinged?.(this.#clock.nowMs() - sentMs);
    } catch {
      // As there: a ping that fails drops the connection, and the node listens for the next signer.
      this.#drop();
      this.#accept();
      this.#pingLater();
    }
  }
}
