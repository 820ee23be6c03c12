import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { LookupAddress } from 'node:dns';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { silentLog } from '../../src/shared/ports/log.js';
import { systemClock } from '../../src/shared/ports/clock.js';
import { ManualClock } from '../../test/support/manual-clock.js';
import { HostNames, type LookupCode } from '../../src/shared/ports/host-names.js';
import { systemRandom } from '../../src/shared/ports/random.js';
import { socketChannel } from '../../src/shared/ports/socket-channel.js';
import { identityFromSeed } from '../../src/shared/secret-connection/identity.js';
import { secureChannel } from '../../src/shared/secret-connection/secure-channel.js';
import { classifyDial } from './dial-error.js';
import { Dialler } from './dialler.js';
import { parseNodeAddress, type NodeAddress } from '../../src/shared/config/node-address.js';
import { nodeConnect } from './node-connect.js';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const linkIdentity = identityFromSeed(new Uint8Array(32).fill(1));
const nodeIdentity = identityFromSeed(new Uint8Array(32).fill(2));
const connect = (clock = new ManualClock()) => nodeConnect({ identity: linkIdentity, clock, random: systemRandom });

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'hekate-'));
  cleanups.push(() => rm(path, { recursive: true }));
  return path;
}

/** A node's listener on `where` (a socket path, or a free port). */
async function listen(where: string | 0, accept: (socket: Socket) => void): Promise<NodeAddress> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => {});
    sockets.push(socket);
    accept(socket);
  });
  await new Promise<void>((resolve) =>
    where === 0 ? server.listen(0, '127.0.0.1', resolve) : server.listen(where, resolve),
  );
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return parseNodeAddress(where === 0 ? `127.0.0.1:${(server.address() as AddressInfo).port}` : `unix://${where}`);
}

const acceptSecure = (socket: Socket) =>
  secureChannel(socketChannel(socket, { transport: 'tcp' }), {
    identity: nodeIdentity,
    clock: systemClock,
    random: systemRandom,
  });

async function failure(address: NodeAddress, clock?: ManualClock): Promise<string> {
  try {
    await connect(clock)(address, new AbortController().signal);
  } catch (error) {
    return classifyDial(error, address).code;
  }
  return 'connected';
}

describe('connecting to a node', () => {
  it('over tcp, encrypted, and knows the peer', async () => {
    const address = await listen(0, (socket) => void acceptSecure(socket));
    const clock = new ManualClock();
    const channel = await connect(clock)(address, new AbortController().signal);
    expect(channel.peerId).toBe(nodeIdentity.peerId);
    expect(clock.pending).toBe(0);
    channel.close();
  });

  it('over a unix socket, plain', async () => {
    const address = await listen(join(await folder(), 'pv.sock'), (socket) => socket.write('hi'));
    const channel = await connect()(address, new AbortController().signal);
    const got = await new Promise<Uint8Array>((resolve) => channel.start({ bytes: resolve, closed() {} }));
    expect(new TextDecoder().decode(got)).toBe('hi');
    channel.close();
  });

  it.each<[string, () => Promise<NodeAddress>, string]>([
    [
      'nobody listens',
      async () => {
        const address = await listen(0, () => {});
        await cleanups.pop()?.();
        return address;
      },
      'DIAL_REFUSED',
    ],
    ['a proxy accepts and drops', () => listen(0, (socket) => socket.end()), 'DIAL_EOF_BEFORE_HELLO'],
    ['a proxy accepts and resets', () => listen(0, (socket) => socket.resetAndDestroy()), 'DIAL_EOF_BEFORE_HELLO'],
    [
      'it is an http server',
      () => listen(0, (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')),
      'DIAL_BAD_HELLO',
    ],
    ['it is an echo server', () => listen(0, (socket) => socket.pipe(socket)), 'DIAL_BAD_HELLO'],
    [
      'it says garbage after a hello',
      () => listen(0, (socket) => socket.write(Buffer.concat([Buffer.from([34, 10, 32, 9]), Buffer.alloc(2000)]))),
      'DIAL_AUTH',
    ],
    [
      'there is no unix socket',
      async () => parseNodeAddress(`unix://${join(await folder(), 'pv.sock')}`),
      'DIAL_NO_SOCKET',
    ],
    [
      'the path is a file',
      async () => {
        const path = join(await folder(), 'pv.sock');
        await writeFile(path, '');
        return parseNodeAddress(`unix://${path}`);
      },
      'DIAL_NOT_A_SOCKET',
    ],
    ['the path is a folder', async () => parseNodeAddress(`unix://${await folder()}`), 'DIAL_NOT_A_SOCKET'],
  ])('fails when %s', async (_, listener, code) => {
    expect(await failure(await listener())).toBe(code);
  });

  it('fails when the host does not answer within 1 s', async () => {
    const address = await listen(0, () => {});
    const clock = new ManualClock();
    const result = failure(address, clock);
    // Before the event loop has had a chance to connect.
    clock.advance(1_000);
    expect(await result).toBe('DIAL_SYN_TIMEOUT');
    expect(clock.pending).toBe(0);
  });

  it('waits for a silent node for ever', async () => {
    const clock = new ManualClock();
    let accepted: () => void = () => {};
    const greeted = new Promise<void>((resolve) => (accepted = resolve));
    // Our hello arriving shows that the handshake has begun, and its timer with it.
    const address = await listen(0, (socket) => socket.once('data', accepted));
    const abort = new AbortController();
    const result = connect(clock)(address, abort.signal).then(
      () => 'connected',
      () => 'given up',
    );
    await greeted;
    expect(clock.pending).toBe(0);
    clock.advance(3_600_000);
    abort.abort();
    expect(await result).toBe('given up');
  });

  it('turns to us an hour later: the handshake is then made', async () => {
    const clock = new ManualClock();
    let first: (socket: Socket) => void = () => {};
    const accepted = new Promise<Socket>((resolve) => (first = resolve));
    const address = await listen(0, first);
    const result = connect(clock)(address, new AbortController().signal);
    const socket = await accepted;
    await vi.waitFor(() => expect(clock.pending).toBe(0));
    clock.advance(3_600_000);
    void acceptSecure(socket).catch(() => {});
    const channel = await result;
    expect(channel.peerId).toBe(nodeIdentity.peerId);
    channel.close();
  });

  describe('whose address is a name', () => {
    const names = (found: readonly (readonly LookupAddress[] | LookupCode)[]): HostNames => {
      const answers = [...found];
      return new HostNames(() => {
        const answer = answers.shift() ?? [];
        if (typeof answer !== 'string') return Promise.resolve(answer);
        return Promise.reject(Object.assign(new Error(answer), { code: answer }));
      }, systemClock);
    };
    const here: LookupAddress = { address: '127.0.0.1', family: 4 };
    const dial = async (port: number, known: HostNames): Promise<string> => {
      const address = parseNodeAddress(`node.invalid:${port}`);
      const options = { identity: linkIdentity, clock: systemClock, random: systemRandom, names: known };
      try {
        (await nodeConnect(options)(address, new AbortController().signal)).close();
        return 'connected';
      } catch (error) {
        const { code, message } = classifyDial(error, address);
        return `${code}: ${message}`;
      }
    };
    const portOf = (address: NodeAddress): number => (address.transport === 'tcp' ? address.port : 0);
    const listening = async (): Promise<number> =>
      portOf(await listen(0, (socket) => void acceptSecure(socket).catch(() => {})));

    it('is found, by the second address too', async () => {
      const known = names([[here], [{ address: '::1', family: 6 }, here]]);
      const port = await listening();
      expect([await dial(port, known), await dial(port, known)]).toEqual(['connected', 'connected']);
    });

    it.each<[LookupCode, RegExp]>([
      ['ENOTFOUND', /^DIAL_UNKNOWN_HOST: node tcp:\/\/node.invalid:\d+: the host name is not known/],
      ['EAI_AGAIN', /^DIAL_DNS_FAILED: .*its name could not be looked up/],
    ])('is not found: %s', async (code, said) => {
      expect(await dial(1, names([code]))).toMatch(said);
    });

    it('cannot be asked for any more: the address that is known is dialled', async () => {
      const known = names([[here], 'EAI_AGAIN', 'EAI_AGAIN']);
      const port = await listening();
      expect([await dial(port, known), await dial(port, known)]).toEqual(['connected', 'connected']);
      await cleanups.pop()?.();
      expect(await dial(port, known)).toMatch(/^DIAL_REFUSED: .*its last known address was dialled, for .*EAI_AGAIN/);
    });
  });

  it.each([
    ['at once', false],
    ['during the handshake', true],
  ])('can be given up %s', async (_, later) => {
    let accepted: () => void = () => {};
    const greeted = new Promise<void>((resolve) => (accepted = resolve));
    const address = await listen(0, (socket) => socket.once('data', accepted));
    const abort = new AbortController();
    const clock = new ManualClock();
    const result = connect(clock)(address, abort.signal).then(
      () => 'connected',
      () => 'given up',
    );
    if (later) await greeted;
    abort.abort();
    expect(await result).toBe('given up');
    expect(clock.pending).toBe(0);
  });
});

describe('dialler over real sockets', () => {
  it('connects, is served, and its close() resets the connection', async () => {
    const reset = new Promise<string | undefined>((resolve) => {
      void listen(0, (socket) => {
        void acceptSecure(socket).then((channel) => {
          channel.start({ bytes() {}, closed: (reason) => resolve(reason?.code) });
          channel.write(Uint8Array.of(7));
        });
      }).then((address) => {
        const dialler = new Dialler({
          chain: 'test-1',
          address,
          connect: nodeConnect({ identity: linkIdentity, clock: systemClock, random: systemRandom }),
          serve: (channel) => channel.start({ bytes: () => dialler.close(), closed() {} }),
          clock: systemClock,
          random: systemRandom,
          log: silentLog,
        });
        cleanups.push(() => dialler.close());
        dialler.open();
      });
    });
    expect(await reset).toBe('SOCKET_RESET');
  });
});
