import { readFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { LinkServer, type LinkServerOptions } from '../../cosigner/links/link-server.js';
import type { EndLink, SendToLink } from '../../cosigner/links/link-stream.js';
import { CosignerClient, type CosignerClientOptions } from '../../sentry-link/cosigners/cosigner-client.js';
import type { Outgoing } from '../../sentry-link/cosigners/peer-stream.js';
import type { CosignerMessage, LinkMessage } from '../../src/shared/coordination/messages.js';
import { ownRelease } from '../../src/shared/coordination/release.js';
import { systemClock } from '../../src/shared/ports/clock.js';
import type { Log, LogFields } from '../../src/shared/ports/log.js';
import { systemRandom } from '../../src/shared/ports/random.js';
import { pinOf, type TlsIdentity } from '../../src/shared/transport/identity.js';
import { makeIdentity } from '../../src/setup/identity/make-identity.js';
import type { PinnedPeer } from '../../src/shared/transport/tls.js';
import { eventually } from '../support/eventually.js';

const WAIT_MS = 10_000;
/** Of the chain that links ask for. */
export const KEY = new Uint8Array(32).fill(9);
export const HOST = '127.0.0.1';
export const until = <T>(what: string, ask: () => T | undefined): Promise<T> => eventually(what, WAIT_MS, ask, 5);

export interface Member extends PinnedPeer {
  readonly identity: TlsIdentity;
}

/** A process with a name and an identity of its own. */
export async function member(name: string): Promise<Member> {
  const identity = await makeIdentity(name);
  return { name, identity, certPem: identity.certPem, pin: pinOf(identity.certPem) };
}

/** A process of a real cluster, with the identity that is in its home. */
export function memberOf(name: string, home = ''): Member {
  const [certPem = '', key = ''] = ['crt', 'key'].map((end) =>
    readFileSync(join(home, `tls/identity.${end}`), 'latin1'),
  );
  return { name, certPem, pin: pinOf(certPem), identity: { certPem, keyPem: Buffer.from(key, 'latin1') } };
}

/** Keeps `level event` and fields of every line. */
export class KeptLog implements Log {
  readonly lines: { readonly event: string; readonly fields: LogFields }[] = [];
  readonly #keep =
    (level: string) =>
    (event: string, fields: LogFields = {}): void =>
      void this.lines.push({ event: `${level} ${event}`, fields });
  readonly debug = this.#keep('debug');
  readonly info = this.#keep('info');
  readonly warn = this.#keep('warn');
  readonly error = this.#keep('error');

  codes(event: string): unknown[] {
    return this.lines.filter((line) => line.event === event).map(({ fields }) => fields['code']);
  }
}

export interface OpenLink {
  readonly name: string;
  readonly send: SendToLink;
  readonly end: EndLink;
  readonly received: LinkMessage[];
  closed: string | undefined;
}

/** The gRPC side of a cosigner whose owner says hello and answers each heartbeat. */
export class TestCosigner {
  readonly log = new KeptLog();
  readonly links: OpenLink[] = [];
  readonly faults: unknown[] = [];
  #server: LinkServer | undefined;
  #port = 0;

  constructor(
    readonly self: Member,
    readonly options: Pick<LinkServerOptions, 'links'> & Partial<LinkServerOptions>,
  ) {}

  get port(): number {
    return this.#server === undefined ? 0 : this.#port;
  }

  async start(port = 0): Promise<this> {
    this.#server = new LinkServer({
      listen: { host: HOST, port },
      identity: this.self.identity,
      otherPeers: [],
      log: this.log,
      onFault: (error) => this.faults.push(error),
      onLink: ({ name }, send, end) => {
        const link: OpenLink = { name, send, end, received: [], closed: undefined };
        this.links.push(link);
        return {
          start: () => send({ kind: 'cosignerHello', ...ownRelease('test'), id: 1, chains: [] }),
          receive: (message) => {
            link.received.push(message);
            if (message.kind === 'heartbeat') send(heartbeatReply(message.id));
          },
          close: ({ code }) => (link.closed = code),
        };
      },
      ...this.options,
    });
    this.#port = (await this.#server.start()) ?? 0;
    return this;
  }

  async stop(): Promise<void> {
    await this.#server?.close();
    this.#server = undefined;
  }
}

export function heartbeatReply(id: number): CosignerMessage {
  return {
    kind: 'heartbeatReply',
    id,
    granted: false,
    term: 0,
    holder: '',
    remainingMs: 0,
    renewedTerm: 0,
    otherLink: false,
    chains: [],
  };
}

/** A link's client with everything it told its owner: hellos, messages, losses and failed dials, in order. */
export class TestLink {
  readonly log = new KeptLog();
  readonly events: string[] = [];
  readonly messages: CosignerMessage[] = [];
  readonly client: CosignerClient;
  passedOver = 0;
  #outgoing: Outgoing | undefined;

  constructor(self: Member, peer: PinnedPeer, port: number, options: Partial<CosignerClientOptions> = {}) {
    this.client = new CosignerClient(
      {
        ...{ address: { host: HOST, port }, identity: self.identity, peer, otherPeers: [], version: 'test' },
        ...{ clock: systemClock, log: this.log, random: systemRandom },
        ...options,
      },
      {
        newest: () => [],
        connected: ({ id }, outgoing) => {
          this.#outgoing = outgoing;
          this.events.push(`connected ${id}`);
        },
        message: (message) => void this.messages.push(message),
        disconnected: ({ code }) => void this.events.push(`lost ${code}`),
        passedOver: (count) => void (this.passedOver = count),
        dialFailed: (code) => void this.events.push(`failed ${code}`),
      },
    );
    this.client.start();
  }

  send(message: LinkMessage): boolean {
    return this.#outgoing?.send(message) ?? false;
  }

  /** Resolves with the first event of this kind from index `from` on. */
  event(kind: string, from = 0): Promise<string> {
    return until(`${kind}, of ${JSON.stringify(this.events)}`, () =>
      this.events.slice(from).find((e) => e.startsWith(kind)),
    );
  }

  async roundTrip(id: number): Promise<void> {
    this.send({ kind: 'heartbeat', id, lease: undefined });
    await until(`answer ${id}`, () => this.messages.find((m) => m.kind === 'heartbeatReply' && m.id === id));
  }
}

/** A network that can go dead: forwards bytes both ways until it is paused, then keeps connections open and says nothing. */
export class PausableNetwork {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #paused = false;

  constructor(targetPort: number) {
    this.#server = createServer((near) => {
      const far = connect(targetPort, HOST);
      for (const [from, to] of [[near, far] as const, [far, near] as const]) {
        this.#sockets.add(from);
        from.on('data', (bytes) => void to.write(bytes));
        from.on('error', () => to.destroy());
        from.on('close', () => {
          this.#sockets.delete(from);
          to.destroy();
        });
        if (this.#paused) from.pause();
      }
    });
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, HOST, resolve));
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  pause(): void {
    this.#paused = true;
    for (const socket of this.#sockets) socket.pause();
  }

  resume(): void {
    this.#paused = false;
    for (const socket of this.#sockets) socket.resume();
  }

  get connections(): number {
    return this.#sockets.size / 2;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
