import { connect, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { equalBytes } from '../../src/shared/bytes.js';
import { MAX_EXTENSION_BYTES } from '../../src/shared/coordination/limits.js';
import type { SignRequest } from '../../src/shared/coordination/messages.js';
import { ownRelease } from '../../src/shared/coordination/release.js';
import { Dial } from '../../sentry-link/cosigners/dial.js';
import type { ErrorCode } from '../../src/shared/error-codes.js';
import { HekateError } from '../../src/shared/errors.js';
import { newPoint } from '../../src/shared/frost/group.js';
import { systemClock } from '../../src/shared/ports/clock.js';
import { ManualClock } from '../support/manual-clock.js';
import { clientContext } from '../../src/shared/transport/tls.js';
import { HOST, KEY, member, PausableNetwork, TestCosigner, TestLink, until, type Member } from './stream-fixture.js';

let cosigner1: Member;
let cosigner2: Member;
let link1: Member;
let stranger: Member;
const cleanups: (() => Promise<void> | void)[] = [];

beforeAll(async () => {
  [cosigner1, cosigner2, link1, stranger] = (await Promise.all(
    ['cosigner-1', 'cosigner-2', 'sentry-link-1', 'stranger'].map(member),
  )) as [Member, Member, Member, Member];
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function cosigner(options: Partial<TestCosigner['options']> = {}, self = cosigner1): Promise<TestCosigner> {
  const started = await new TestCosigner(self, { links: [link1], otherPeers: [cosigner2], ...options }).start();
  cleanups.push(() => started.stop());
  return started;
}

function link(port: number, ...[self = link1, peer = cosigner1, options = {}]: [Member?, Member?, object?]): TestLink {
  const started = new TestLink(self, peer, port, options);
  cleanups.push(() => started.client.close());
  return started;
}

async function network(port: number): Promise<[PausableNetwork, number]> {
  const made = new PausableNetwork(port);
  cleanups.push(() => made.close());
  return [made, await made.listen()];
}

/** Heartbeats as a link's owner sends them, so that silence means something. */
function beating(from: TestLink): TestLink {
  let id = 1_000;
  const timer = setInterval(() => from.send({ kind: 'heartbeat', id: id++, lease: undefined }), 100);
  cleanups.push(() => clearInterval(timer));
  return from;
}

const request = (id: number, extension?: Uint8Array): SignRequest => ({
  ...{ kind: 'signRequest', id, term: 1, chainId: 'kaiju-1', groupPublicKey: KEY, settle: false },
  signBytes: new Uint8Array(110),
  extension,
  signers: [{ id: 1, vote: { nonceId: 0, hiding: newPoint(), binding: newPoint() }, extension: undefined }],
});

it('hellos are exchanged, then messages go both ways, the largest too', async () => {
  const server = await cosigner();
  const client = link(server.port);
  expect(await client.event('connected')).toBe('connected 1');
  await client.roundTrip(7);
  const large = request(8, new Uint8Array(MAX_EXTENSION_BYTES).fill(5));
  expect(client.send(large)).toBe(true);
  const received = server.links[0]?.received ?? [];
  await until('the sign request', () => received.find(({ kind }) => kind === 'signRequest'));
  expect(received.map(({ kind }) => kind)).toEqual(['linkHello', 'heartbeat', 'signRequest']);
  expect(received[0]).toEqual({
    ...{ kind: 'linkHello', version: 'test', protocol: 2, features: [] },
    newest: [],
  });
  const { extension, ...rest } = received[2] as SignRequest;
  expect({ ...rest, extension: undefined }).toEqual(request(8));
  expect(extension && equalBytes(extension, new Uint8Array(MAX_EXTENSION_BYTES).fill(5))).toBe(true);
  expect(server.faults).toEqual([]);
});

it('what was sent before close() still arrives', async () => {
  const server = await cosigner();
  const client = link(server.port);
  await client.event('connected');
  client.send({ kind: 'leaseRelease', term: 4 });
  await client.client.close();
  expect(client.send({ kind: 'leaseRelease', term: 5 })).toBe(false);
  const opened = server.links[0];
  expect(await until('the end', () => opened?.closed)).toBe('LINK_CLOSED');
  expect(opened?.received.at(-1)).toEqual({ kind: 'leaseRelease', term: 4 });
  expect(client.events).toEqual(['connected 1']);
});

describe('who may connect', () => {
  it('a link with a certificate that is not pinned is refused', async () => {
    const server = await cosigner();
    const client = link(server.port, stranger);
    expect(await client.event('failed')).toBe('failed TLS_REFUSED');
    expect(server.log.codes('warn connection refused')).toEqual(['TLS_UNPINNED']);
    expect(server.links).toEqual([]);
  });

  it('a cosigner that acts as a link is refused and named', async () => {
    const server = await cosigner();
    const client = link(server.port, cosigner2);
    expect(await client.event('failed')).toBe('failed TLS_WRONG_ROLE');
    expect(server.log.lines).toContainEqual({
      event: 'error connection refused',
      fields: expect.objectContaining({ code: 'TLS_WRONG_ROLE', peer: 'cosigner-2' }) as object,
    });
    expect(server.links).toEqual([]);
  });

  it('a cosigner with a certificate that is not pinned is not spoken to', async () => {
    const server = await cosigner({}, stranger);
    const client = link(server.port);
    expect(await client.event('failed')).toBe('failed TLS_WRONG_PEER');
    expect(server.links).toEqual([]);
  });

  it('another cosigner at the address is named', async () => {
    const server = await cosigner({ otherPeers: [] }, cosigner2);
    const client = link(server.port, link1, cosigner1, { otherPeers: [cosigner2] });
    expect(await client.event('failed')).toBe('failed TLS_WRONG_PEER');
    expect(client.log.lines[0]?.fields['reason']).toBe('cosigner-2 answers where cosigner-1 should');
    expect(server.links).toEqual([]);
  });

  it('a refused certificate costs others nothing', async () => {
    const server = await cosigner();
    const client = link(server.port);
    await client.event('connected');
    const refused = link(server.port, stranger);
    await refused.event('failed');
    await client.roundTrip(1);
    expect(client.events).toEqual(['connected 1']);
  });
});

describe('streams that end', () => {
  it('a new stream of a link takes the place of its old one', async () => {
    const server = await cosigner();
    const first = link(server.port);
    await first.event('connected');
    const second = link(server.port);
    await second.event('connected');
    expect(await first.event('lost')).toBe('lost LINK_REPLACED');
    expect(server.links[0]?.closed).toBe('LINK_REPLACED');
    expect(first.log.lines.at(-1)?.fields).toMatchObject({
      reason: 'cosigner-1 gave the stream to another process that came with the identity of this sentry-link',
      fix: expect.stringMatching(/^stop one of the two processes/) as string,
    });
    expect(server.log.codes('error two processes come with the identity of one sentry-link')).toEqual([
      'LINK_REPLACED',
    ]);
    expect(server.links[1]?.name).toBe('sentry-link-1');
  });

  it('another link has its own', async () => {
    const server = await cosigner({ links: [link1, stranger] });
    const first = link(server.port);
    const second = link(server.port, stranger);
    await Promise.all([first.event('connected'), second.event('connected')]);
    await Promise.all([first.roundTrip(1), second.roundTrip(2)]);
    expect([...first.events, ...second.events]).toEqual(['connected 1', 'connected 1']);
  });

  it('a message that the cosigner cannot take ends the stream by name, and the next one is good', async () => {
    const server = await cosigner();
    const client = link(server.port);
    await client.event('connected');
    client.send({ ...request(1), chainId: 'x'.repeat(51) });
    expect(await client.event('lost')).toBe('lost TRANSPORT_MALFORMED');
    expect(server.links[0]?.closed).toBe('TRANSPORT_MALFORMED');
    await client.event('connected', 2);
    await client.roundTrip(2);
  });

  it('a message that the link cannot take ends the stream, and the next one is good', async () => {
    const server = await cosigner();
    const client = link(server.port);
    await client.event('connected');
    server.links[0]?.send({ kind: 'refused', id: 1, code: 'not a code' as ErrorCode, message: '' });
    expect(await client.event('lost')).toBe('lost TRANSPORT_MALFORMED');
    await client.event('connected', 2);
    await client.roundTrip(2);
  });

  it('a cosigner of an older release is left alone, told of once, and dialled ever less often', async () => {
    let protocol = 0;
    const server = await cosigner({
      onLink: (_, send) => ({
        start: () => send({ kind: 'cosignerHello', version: '0.1.0', protocol, features: [], id: 1, chains: [] }),
        receive: () => undefined,
        close: () => undefined,
      }),
    });
    const client = link(server.port);
    await until('two dials', () => (client.events.length >= 2 ? true : undefined));
    expect(new Set(client.events)).toEqual(new Set(['failed PROTOCOL_OLD']));
    expect(client.log.codes('warn cosigner not reached')).toEqual(['PROTOCOL_OLD']);
    expect(client.log.lines[0]?.fields).toMatchObject({
      reason: 'cosigner-1 runs hekate 0.1.0, an older release, which does not say its protocol; 2 is the oldest here',
      fix: 'upgrade cosigner-1 to the release that the others run, and start it again',
    });
    protocol = 2;
    expect(await client.event('connected')).toBe('connected 1');
  });

  it('a cosigner that finds this link too old says so', async () => {
    const server = await cosigner({
      onLink: (_, _send, end) => ({
        start: () => end(new HekateError('PROTOCOL_OLD', 'no')),
        receive: () => undefined,
        close: () => undefined,
      }),
    });
    const client = link(server.port);
    expect(await client.event('failed')).toBe('failed PROTOCOL_OLD');
    expect(client.log.lines[0]?.fields['reason']).toBe(
      'cosigner-1 does not work with this sentry-link, whose release is too old for it',
    );
  });

  it('the owner may end it in the middle of opening it', async () => {
    const closed: string[] = [];
    const server = await cosigner({
      onLink: (_, send, end) => {
        const start = (): void => {
          end(new HekateError('LINK_SILENT', 'no'));
          send({ kind: 'cosignerHello', ...ownRelease(''), id: 1, chains: [] });
        };
        return { start, receive: () => closed.push('received'), close: ({ code }) => void closed.push(code) };
      },
    });
    const client = link(server.port);
    expect(await client.event('failed')).toBe('failed LINK_SILENT');
    expect(closed[0]).toBe('LINK_SILENT');
    expect(closed).not.toContain('received');
  });

  it('a fault of the owner is told, not swallowed', async () => {
    const fault = new Error('broken');
    const receive = (): never => {
      throw fault;
    };
    const faults: unknown[] = [];
    const server = await cosigner({
      onLink: () => ({ start: () => undefined, receive, close: () => undefined }),
      onFault: (error) => faults.push(error),
    });
    link(server.port);
    expect(await until('the fault', () => faults[0])).toBe(fault);
  });
});

describe('peers that come and go', () => {
  it('no process: the dial is refused, and the stream opens once it is there', async () => {
    const server = await cosigner();
    const { port } = server;
    await server.stop();
    const client = link(port);
    expect(await client.event('failed')).toBe('failed PEER_REFUSED');
    await server.start(port);
    await client.event('connected');
    await client.roundTrip(1);
    expect(client.log.codes('warn cosigner not reached')).toEqual(['PEER_REFUSED']);
  });

  it('a lost SYN is not waited for: the next attempt connects', async () => {
    const server = await cosigner();
    const address = { host: HOST, port: server.port };
    const lost = new Socket();
    const attempts = [lost];
    const context = clientContext(link1.identity, [cosigner1]);
    const options = { address, context, peer: cosigner1, otherPeers: [], clock: systemClock };
    const connected = await new Promise<TLSSocket | string>((resolve) => {
      const handlers = { connected: resolve, failed: ({ code }: HekateError) => resolve(code) };
      new Dial(options, handlers, () => attempts.pop() ?? connect(address)).start();
    });
    expect(connected).toBeInstanceOf(TLSSocket);
    expect(lost.destroyed).toBe(true);
    if (connected instanceof TLSSocket) connected.destroy();
  });

  it('a restart is a loss and a new stream', async () => {
    const server = await cosigner();
    const { port } = server;
    const client = link(port);
    await client.event('connected');
    await server.stop();
    expect(await client.event('lost')).toBe('lost PEER_CLOSED');
    await server.start(port);
    await client.event('connected', 2);
    await client.roundTrip(1);
  });

  it('a peer that stops answering is noticed, and dialled again once it answers', async () => {
    const server = await cosigner();
    const [between, port] = await network(server.port);
    const client = beating(link(port));
    await client.event('connected');
    between.pause();
    expect(await client.event('lost')).toBe('lost PEER_SILENT');
    expect(await client.event('failed')).toBe('failed PEER_TIMEOUT');
    between.resume();
    await client.event('connected', client.events.length);
    await client.roundTrip(1);
    await until('old connections to be gone', () => (between.connections === 1 ? true : undefined));
  });

  it('a peer that does not read ends the stream before memory does', async () => {
    const server = await cosigner();
    const [between, port] = await network(server.port);
    const client = link(port);
    await client.event('connected');
    between.pause();
    const sent: boolean[] = [];
    for (let id = 0; id < 20; id++) sent.push(client.send(request(id, new Uint8Array(MAX_EXTENSION_BYTES))));
    expect(sent.indexOf(false)).toBeGreaterThan(3);
    expect(sent.indexOf(false)).toBeLessThan(8);
    expect(client.events).toEqual(['connected 1', 'lost PEER_QUEUE_FULL']);
  });

  it('a link that does not read is cut off before memory is full', async () => {
    const server = await cosigner();
    const [between, port] = await network(server.port);
    const client = link(port);
    await client.event('connected');
    between.pause();
    const opened = server.links[0];
    let sent = 0;
    while (opened?.closed === undefined && sent++ < 10_000)
      opened?.send({ kind: 'stored', id: sent, signBytes: new Uint8Array(512) });
    expect(opened?.closed).toBe('LINK_QUEUE_FULL');
  });
});

it('a port in use is an error with a name', async () => {
  const server = await cosigner();
  const second = new TestCosigner(cosigner2, { links: [link1] });
  await expect(second.start(server.port)).rejects.toMatchObject({
    code: 'PORT_IN_USE',
    message: `another process listens on ${HOST}:${server.port}`,
  });
});

it('an address that this host does not have may come later: it is tried again, and said once', async () => {
  const clock = new ManualClock();
  const listen = { host: '203.0.113.1', port: 0 };
  const waiting = await new TestCosigner(cosigner2, { links: [link1], listen, clock }).start();
  for (let tries = 0; tries < 3; tries++) {
    await until('it waits', () => clock.pending === 1);
    clock.advance(1_000);
  }
  await until('it waits', () => clock.pending === 1);
  expect(waiting.log.codes('warn waiting for the address to listen on')).toEqual(['LISTEN_NOT_YET']);
  await waiting.stop();
  expect(clock.pending).toBe(0);
});
