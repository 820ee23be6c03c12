import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { identityFromSeed } from '../secret-connection/identity.js';
import { secureChannel } from '../secret-connection/secure-channel.js';
import type { ByteChannel } from './byte-channel.js';
import { systemClock } from './clock.js';
import { systemRandom } from './random.js';
import { socketChannel } from './socket-channel.js';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Ends {
  /** Ours, still without a channel. */
  readonly near: Socket;
  readonly far: Socket;
}

/** Both ends of a real connection. */
async function connected(transport: 'tcp' | 'unix'): Promise<Ends> {
  const server: Server = createServer();
  const folder = await mkdtemp(join(tmpdir(), 'hekate-'));
  cleanups.push(() => rm(folder, { recursive: true }));
  await new Promise<void>((resolve) =>
    transport === 'tcp' ? server.listen(0, '127.0.0.1', resolve) : server.listen(join(folder, 's.sock'), resolve),
  );
  const far = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const address = server.address();
  const near = typeof address === 'string' ? connect(address) : connect((address as AddressInfo).port, '127.0.0.1');
  await new Promise<void>((resolve) => near.once('connect', resolve));
  const ends = { near, far: await far };
  cleanups.push(() => (ends.near.destroy(), ends.far.destroy(), new Promise((resolve) => server.close(resolve))));
  return ends;
}

/** How a channel ends: the code of the reason, or undefined. */
function endOf(channel: ByteChannel): Promise<string | undefined> {
  return new Promise((resolve) => channel.start({ bytes() {}, closed: (reason) => resolve(reason?.code) }));
}

describe.each(['tcp', 'unix'] as const)('socket channel over %s', (transport) => {
  it('carries bytes both ways, in order', async () => {
    const { near, far } = await connected(transport);
    const [a, b] = [socketChannel(near, { transport }), socketChannel(far, { transport })];
    const got: number[] = [];
    const done = new Promise<void>((resolve) => {
      b.start({ bytes: (bytes) => b.write(bytes), closed() {} });
      a.start({ bytes: (bytes) => (got.push(...bytes), got.length === 5 && resolve()), closed() {} });
    });
    for (let i = 0; i < 5; i++) a.write(Uint8Array.of(i));
    await done;
    expect(got).toEqual([0, 1, 2, 3, 4]);
  });

  it('carries an encrypted channel', async () => {
    const { near, far } = await connected(transport);
    const open = (socket: Socket, seed: number) =>
      secureChannel(socketChannel(socket, { transport }), {
        identity: identityFromSeed(new Uint8Array(32).fill(seed)),
        clock: systemClock,
        random: systemRandom,
      });
    const [a, b] = await Promise.all([open(near, 1), open(far, 2)]);
    let got = 0;
    const done = new Promise<void>((resolve) =>
      b.start({ bytes: (bytes) => ((got += bytes.length), got === 1_000_000 && resolve()), closed() {} }),
    );
    a.start({ bytes() {}, closed() {} });
    a.write(new Uint8Array(1_000_000));
    await done;
    expect(a.peerId).toBe(identityFromSeed(new Uint8Array(32).fill(2)).peerId);
    a.close();
  });

  it('tells an own close() at once and once', async () => {
    const { near } = await connected(transport);
    const channel = socketChannel(near, { transport });
    const ends: unknown[] = [];
    channel.start({ bytes() {}, closed: (reason) => ends.push(reason) });
    channel.close();
    channel.close();
    channel.write(Uint8Array.of(1));
    expect(ends).toEqual([undefined]);
    await new Promise((resolve) => near.once('close', resolve));
    expect(ends).toEqual([undefined]);
  });

  it('ends cleanly when the other side does', async () => {
    const { near, far } = await connected(transport);
    const end = endOf(socketChannel(near, { transport }));
    far.end();
    expect(await end).toBeUndefined();
  });

  it('tells an end that came before start()', async () => {
    const { near } = await connected(transport);
    const channel = socketChannel(near, { transport });
    channel.close();
    expect(await endOf(channel)).toBeUndefined();
  });

  it('is handed over while it delivers: each byte and the end reach one of the two, once', async () => {
    const { near, far } = await connected(transport);
    const channel = socketChannel(near, { transport });
    const got: string[] = [];
    await new Promise<void>((resolve) => {
      const later = {
        bytes: (bytes: Uint8Array) => (got.push(...[...bytes].map((byte) => `later ${byte}`)), far.end()),
        closed: () => (got.push('later closed'), resolve()),
      };
      channel.start({
        bytes: (bytes) => {
          got.push(...[...bytes].map((byte) => `first ${byte}`));
          channel.handOver(later);
          far.write(Uint8Array.of(2));
        },
        closed: () => got.push('first closed'),
      });
      far.write(Uint8Array.of(1));
    });
    expect(got).toEqual(['first 1', 'later 2', 'later closed']);
  });

  it.each<[string, (channel: ByteChannel) => void]>([
    ['not started', () => undefined],
    ['ended', (channel) => (channel.start({ bytes() {}, closed() {} }), channel.close())],
  ])('is not handed over when %s', async (_name, prepare) => {
    const channel = socketChannel((await connected(transport)).near, { transport });
    prepare(channel);
    expect(() => channel.handOver({ bytes() {}, closed() {} })).toThrow('only a running channel is handed over');
  });

  it('ends when the other side leaves more unread than the queue may hold', async () => {
    const { near, far } = await connected(transport);
    far.pause();
    const channel = socketChannel(near, { transport, maxQueuedBytes: 100_000 });
    const end = endOf(channel);
    // The kernel takes what its buffers hold; the rest stays in our queue.
    for (let i = 0; i < 1_000; i++) channel.write(new Uint8Array(90_000));
    expect(await end).toBe('CHANNEL_QUEUE_FULL');
    expect(near.destroyed).toBe(true);
  });
});

describe('socket channel over tcp', () => {
  it('resets on close()', async () => {
    const { near, far } = await connected('tcp');
    const reset = new Promise((resolve) => far.once('error', resolve));
    far.resume();
    const channel = socketChannel(near, { transport: 'tcp' });
    channel.start({ bytes() {}, closed() {} });
    channel.close();
    expect(await reset).toMatchObject({ code: 'ECONNRESET' });
  });

  it('names a reset by the other side', async () => {
    const { near, far } = await connected('tcp');
    const end = endOf(socketChannel(near, { transport: 'tcp' }));
    far.resetAndDestroy();
    expect(await end).toBe('SOCKET_RESET');
  });
});
