import { Client, credentials, status, type ClientDuplexStream, type ServiceError } from '@grpc/grpc-js';
import fc from 'fast-check';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { connect as connectTls, createSecureContext, type ConnectionOptions } from 'node:tls';
import protobuf from 'protobufjs';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MAX_STREAM_MESSAGE_BYTES } from '../../src/shared/coordination/limits.js';
import { LINK_PATH } from '../../src/shared/transport/contract.js';
import { ManualClock } from '../support/manual-clock.js';
import { HOST, member, TestCosigner, TestLink, until, type Member } from './stream-fixture.js';

const SOCKET_CASES = process.env['CI'] ? 1_000 : 100;
const PROTO = fileURLToPath(new URL('../../proto/hekate/v1/cosigner.proto', import.meta.url));

let cosigner1: Member;
let cosigner2: Member;
let link1: Member;
let link2: Member;
let server: TestCosigner;
let bystander: TestLink;
const sockets: Socket[] = [];
const clients: Client[] = [];

beforeAll(async () => {
  [cosigner1, cosigner2, link1, link2] = (await Promise.all(
    ['cosigner-1', 'cosigner-2', 'sentry-link-1', 'sentry-link-2'].map(member),
  )) as [Member, Member, Member, Member];
});

/** Whatever is done to the port, another link's stream must go on. */
beforeEach(async () => {
  server = await new TestCosigner(cosigner1, { links: [link1, link2], otherPeers: [cosigner2] }).start();
  bystander = new TestLink(link2, cosigner1, server.port);
  await bystander.event('connected');
});
afterEach(async () => {
  await bystander.roundTrip(99);
  expect(bystander.events).toEqual(['connected 1']);
  expect(server.faults).toEqual([]);
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const client of clients.splice(0)) client.close();
  await bystander.client.close();
  await server.stop();
});

/** A plain connection to the port; `closed` resolves when the cosigner has ended it. */
async function plain(
  port = server.port,
  localAddress = HOST,
): Promise<{ readonly socket: Socket; readonly closed: Promise<void> }> {
  const socket = connect({ port, host: HOST, localAddress });
  sockets.push(socket);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => {});
  socket.resume();
  await new Promise((resolve) => socket.once('connect', resolve));
  return { socket, closed };
}

/** TLS as a pinned link would speak it, with changes. */
async function overTls(
  changes: ConnectionOptions,
): Promise<{ readonly socket: Socket; readonly closed: Promise<string> }> {
  const { socket: tcp } = await plain();
  const socket = connectTls({
    ...{ socket: tcp, cert: link1.certPem, key: link1.identity.keyPem, ca: [cosigner1.certPem], ALPNProtocols: ['h2'] },
    checkServerIdentity: () => undefined,
    ...changes,
  });
  sockets.push(socket);
  let code = 'closed';
  socket.on('error', (error: Error) => (code = 'code' in error ? String(error.code) : code));
  socket.resume();
  return { socket, closed: new Promise((resolve) => socket.once('close', () => resolve(code))) };
}

/** grpc-js's own client with this identity. */
function grpcOptions(self: Member): ConstructorParameters<typeof Client> {
  const context = createSecureContext({ cert: self.certPem, key: self.identity.keyPem, ca: [cosigner1.certPem] });
  const channel = credentials.createFromSecureContext(context, { checkServerIdentity: () => undefined });
  const options = { 'grpc.use_local_subchannel_pool': 1, 'grpc.max_send_message_length': -1 };
  return [`${HOST}:${server.port}`, channel, options];
}

type RawCall = ClientDuplexStream<Buffer, Buffer>;

function rawCall(self: Member, path = LINK_PATH): { readonly call: RawCall; readonly ended: Promise<ServiceError> } {
  const client = new Client(...grpcOptions(self));
  clients.push(client);
  const same = (bytes: Buffer): Buffer => bytes;
  const call = client.makeBidiStreamRequest(path, same, same);
  call.resume();
  return { call, ended: new Promise((resolve) => call.once('error', (error) => resolve(error as ServiceError))) };
}

describe('what is no pinned TLS 1.3', () => {
  it.each([
    ['plain HTTP', Buffer.from('GET / HTTP/1.1\r\nhost: x\r\n\r\n')],
    ['plain HTTP/2', Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')],
    ['zeros', Buffer.alloc(100_000)],
    ['a record with a hello of nonsense', Buffer.from([0x16, 3, 1, 0, 8, 1, 0, 0, 4, 9, 9, 9, 9])],
  ])('%s is dropped, with a reason', async (_, bytes) => {
    const { socket, closed } = await plain();
    socket.write(bytes);
    await closed;
    expect(await until('a reason', () => server.log.codes('warn connection refused')[0])).toBe('TLS_HANDSHAKE');
  });

  it('TLS 1.2 with a pinned certificate is dropped', async () => {
    const { closed } = await overTls({ maxVersion: 'TLSv1.2' });
    expect(await closed).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
  });

  it('no certificate is dropped', async () => {
    const { closed } = await overTls({ cert: '', key: '' });
    expect(await closed).toBe('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED');
  });

  it('a pinned certificate without HTTP/2 is dropped', async () => {
    const { closed } = await overTls({ ALPNProtocols: [] });
    expect(await closed).toBe('closed');
  });

  it('any bytes: that connection ends', async () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 600 });
    let cases = 0;
    await fc.assert(
      fc.asyncProperty(bytes, fc.boolean(), async (garbage, asRecord) => {
        // As a link would, for one that falls silent loses its stream.
        if (++cases % 50 === 0) await bystander.roundTrip(1_000 + cases);
        const { socket, closed } = await plain();
        socket.end(asRecord ? Buffer.concat([Buffer.from([0x16, 3, 1]), garbage]) : garbage);
        await closed;
      }),
      { numRuns: SOCKET_CASES },
    );
  });
});

describe('slow and many', () => {
  it('half a handshake is given up in time, and a connection without a stream as well', async () => {
    const clock = new ManualClock();
    const slow = await new TestCosigner(cosigner1, { links: [link1], clock }).start();
    const silent = await plain(slow.port);
    const half = await plain(slow.port);
    half.socket.write(Buffer.from([0x16, 3, 1, 2, 0, 1, 0]));
    await until('both to be there', () => (clock.pending === 2 ? true : undefined));
    clock.advance(3_000);
    await Promise.all([silent.closed, half.closed]);

    const idle = await overTls({ socket: (await plain(slow.port)).socket });
    await until('the handshake', () => (idle.socket.bytesRead > 0 && clock.pending === 1 ? true : undefined));
    clock.advance(3_000);
    clock.advance(2_000);
    expect(await idle.closed).toBe('closed');
    await slow.stop();
  });

  it('a link that falls silent loses its stream', async () => {
    const clock = new ManualClock();
    const slow = await new TestCosigner(cosigner1, { links: [link1], clock }).start();
    const client = new TestLink(link1, cosigner1, slow.port);
    await client.event('connected');
    await until('the hello', () => slow.links[0]?.received[0]);
    clock.advance(5_000);
    expect(slow.links[0]?.closed).toBe('LINK_SILENT');
    clock.advance(100);
    await client.event('lost');
    await client.client.close();
    const stopped = slow.stop();
    clock.advance(100);
    await stopped;
  });

  it('of many that say nothing the oldest go, and a link still gets in', async () => {
    const [first, second] = [await plain(), await plain()];
    const rest = await Promise.all(Array.from({ length: 64 }, () => plain()));
    await Promise.all([first.closed, second.closed]);
    const client = new TestLink(link1, cosigner1, server.port);
    await client.event('connected');
    await client.client.close();
    expect(rest.length).toBe(64);
  });

  it('a flood from one address pushes out its own: one that was slow with its handshake from another still gets in', async () => {
    const slow = await plain();
    const flood = await Promise.all(Array.from({ length: 300 }, () => plain(server.port, '127.0.0.2')));
    await Promise.all(flood.slice(0, 300 - 63).map(({ closed }) => closed));
    const { socket } = await overTls({ socket: slow.socket });
    await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('close', reject));
    const client = new TestLink(link1, cosigner1, server.port);
    await client.event('connected');
    await client.client.close();
  });

  it('a flood of refused connections is one line in the log', async () => {
    for (let i = 0; i < 20; i++) {
      const { socket, closed } = await plain();
      socket.write('garbage garbage garbage');
      await closed;
    }
    expect(server.log.codes('warn connection refused')).toEqual(['TLS_HANDSHAKE']);
  });
});

describe("a pinned peer with gRPC's own client", () => {
  it('can read the contract and talk by it', async () => {
    const contract = protobuf.loadSync(PROTO);
    const sent = contract.lookupType('hekate.v1.LinkMessage');
    const answered = contract.lookupType('hekate.v1.CosignerMessage');
    const client = new Client(...grpcOptions(link1));
    clients.push(client);
    const call = client.makeBidiStreamRequest<object, object>(
      '/hekate.v1.Cosigner/Link',
      (message) => Buffer.from(sent.encode(sent.fromObject(message)).finish()),
      (bytes) => answered.toObject(answered.decode(bytes), { longs: String, oneofs: true, defaults: true }),
    );
    const received: object[] = [];
    call.on('data', (message: object) => received.push(message));
    call.on('error', () => {});
    call.write({ heartbeat: { id: '9007199254740991', lease: { term: 3, leaseMs: 500, renewal: true } } });
    await until('two answers', () => received[1]);
    expect(received[0]).toMatchObject({ body: 'cosignerHello', cosignerHello: { version: 'test', id: 1, chains: [] } });
    expect(received[1]).toMatchObject({ body: 'heartbeatReply', heartbeatReply: { id: '9007199254740991' } });
    const opened = server.links.find(({ name }) => name === 'sentry-link-1');
    const lease = { term: 3, leaseMs: 500, renewal: true };
    expect(opened?.received).toEqual([{ kind: 'heartbeat', id: 2 ** 53 - 1, lease }]);
    call.cancel();
  });

  it('a cosigner is denied before a message of it is read', async () => {
    const { call, ended } = rawCall(cosigner2);
    call.write(Buffer.from('not even a message'));
    expect(await ended).toMatchObject({ code: status.PERMISSION_DENIED, details: 'TLS_WRONG_ROLE' });
    expect(server.links.map(({ name }) => name)).toEqual(['sentry-link-2']);
  });

  it('a message that is none ends the stream', async () => {
    const { call, ended } = rawCall(link1);
    call.write(Buffer.from('not a message'));
    expect(await ended).toMatchObject({ code: status.ABORTED, details: 'TRANSPORT_MALFORMED' });
  });

  it('a message above the limit ends the stream', async () => {
    const { call, ended } = rawCall(link1);
    call.write(Buffer.alloc(MAX_STREAM_MESSAGE_BYTES + 1));
    expect(await ended).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    const opened = server.links.find(({ name }) => name === 'sentry-link-1');
    expect(await until('the end', () => opened?.closed)).toBe('TRANSPORT_MALFORMED');
  });

  it('another method is not there', async () => {
    const { ended } = rawCall(link1, '/hekate.v1.Cosigner/Other');
    expect(await ended).toMatchObject({ code: status.UNIMPLEMENTED });
  });

  it('garbage instead of HTTP/2 ends its connection', async () => {
    const { socket, closed } = await overTls({});
    socket.write(Buffer.alloc(1_000, 0x5a));
    expect(await closed).toBe('closed');
  });
});
