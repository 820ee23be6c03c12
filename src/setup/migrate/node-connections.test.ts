import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { connectedNodes, connectedPaths, establishedIn } from './node-connections.js';

const TCP = `  sl  local_address rem_address   st tx_queue
   0: 0100007F:6823 00000000:0000 0A 00000000:00000000
   1: 0100007F:6823 0100007F:D431 01 00000000:00000000
   2: 0501000A:0016 0201000A:D432 06 00000000:00000000`;
const TCP6 = `  sl  local_address                         remote_address                        st
   0: 0000000000000000FFFF00000501000A:6823 0000000000000000FFFF00000601000A:1234 01
   1: 00000000000000000000000001000000:6824 00000000000000000000000001000000:1235 01`;
const UNIX = `Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 22001 /run/listens.sock
0000000000000000: 00000003 00000000 00000000 0001 03 22002 /run/one.sock
0000000000000000: 00000003 00000000 00000000 0001 03 22003
0000000000000000: 00000003 00000000 00000000 0001 03 22004 /run/with space.sock`;

it('established connections of IPv4, IPv6 and both', () => {
  expect(establishedIn(TCP)).toEqual([
    { host: '127.0.0.1', port: 26659 },
    { host: '127.0.0.1', port: 54321 },
  ]);
  expect(establishedIn(TCP6)).toEqual([
    { host: '10.0.1.5', port: 26659 },
    { host: '10.0.1.6', port: 4660 },
    { host: '::1', port: 26660 },
    { host: '::1', port: 4661 },
  ]);
});

it('connected unix sockets', () => {
  expect(connectedPaths(UNIX)).toEqual(new Set(['/run/one.sock', '/run/with space.sock']));
});

const open: { close(): unknown }[] = [];
afterEach(() => open.splice(0).forEach((one) => one.close()));

async function listen(at: { port: number; host: string } | { path: string }): Promise<Server> {
  const server = createServer();
  open.push(server);
  await new Promise<void>((listening) => server.listen(at, listening));
  return server;
}

async function connectTo(server: Server): Promise<void> {
  const socket = connect(server.address() as AddressInfo & string);
  open.push({ close: () => socket.destroy() });
  await new Promise((connected) => server.once('connection', connected));
}

it.runIf(process.platform === 'linux')('a node with a signer, and one without', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hekate-net-'));
  open.push({ close: () => rmSync(folder, { recursive: true }) });
  const [busy, free] = [await listen({ host: '127.0.0.1', port: 0 }), await listen({ host: '127.0.0.1', port: 0 })];
  const [path, idle] = [join(folder, 'busy.sock'), join(folder, 'idle.sock')];
  await connectTo(busy);
  await connectTo(await listen({ path }));
  await listen({ path: idle });
  const port = (server: Server): number => (server.address() as AddressInfo).port;
  const nodes = [`tcp://127.0.0.1:${port(busy)}`, `tcp://127.0.0.1:${port(free)}`, `unix://${path}`, `unix://${idle}`];
  expect(await connectedNodes('/proc', nodes)).toEqual([nodes[0], nodes[2]]);
  expect(
    await connectedNodes('/proc', [
      `tcp://localhost:${port(busy)}`,
      `tcp://some.name:${port(busy)}`,
      `tcp://10.9.8.7:${port(busy)}`,
    ]),
  ).toHaveLength(2);
  expect(await connectedNodes('/nowhere', nodes)).toEqual([]);
});
