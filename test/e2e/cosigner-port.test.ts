import { randomBytes } from 'node:crypto';
import { copyFileSync, cpSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { expect, it } from 'vitest';
import { pinOf } from '../../src/shared/transport/identity.js';
import { AskedCluster } from '../support/asked-cluster.js';
import { cleanupAfterEach } from '../support/cleanup.js';
import { eventually } from '../support/eventually.js';
import { HekateProcess } from '../support/hekate-cluster.js';
import { TestFolder } from '../support/project.js';
import { runHekate } from '../support/run-hekate.js';

// Whoever reaches a cosigner's port without a pinned certificate gets no request read, and disturbs nobody.
const cleanup = cleanupAfterEach();
const HTTP2_PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

it('garbage, strangers and half-open connections at a cosigner’s port: signing goes on', async () => {
  const at = await AskedCluster.start(cleanup, { name: 'port', links: 1 });
  const [first, second, third] = at.cluster.cosigners;
  await third?.crash();
  await at.signedAtLast({ step: 'Prevote', height: 1n });
  // With the third one gone, every signature needs the one whose port is attacked.
  const port = at.cluster.ports[0] ?? 0;
  const strangers = new TestFolder('strangers');
  cleanup.add(() => strangers.remove());
  const made = await runHekate([
    ...['init', strangers.file('x'), '--chain-id', at.chainId, '--node', 'unix:///nowhere', '--threshold', '2'],
    ...['--cosigner', '127.0.0.1:1', '127.0.0.1:2', '127.0.0.1:3', '--links', '1'],
  ]);
  expect(made.code, made.stderr).toBe(0);

  const sockets: Socket[] = [];
  cleanup.add(() => sockets.map((socket) => socket.destroy()));
  const plain = (...writes: readonly (string | Uint8Array)[]): void => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {}).resume();
    for (const bytes of writes) socket.write(bytes);
    sockets.push(socket);
  };
  const tls = (options: ConnectionOptions): void => {
    const socket = connectTls({
      port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      ALPNProtocols: ['h2'],
      ...options,
    });
    socket.on('error', () => {}).resume();
    socket.write(HTTP2_PREFACE);
    sockets.push(socket);
  };
  const identityOf = (home: string): ConnectionOptions => ({
    key: readFileSync(join(home, 'tls/identity.key')),
    cert: readFileSync(join(home, 'tls/identity.crt')),
  });

  const attacks: readonly (() => void)[] = [
    () => plain(randomBytes(100_000)),
    () => plain(HTTP2_PREFACE),
    () => plain('GET / HTTP/1.1\r\n\r\n'),
    () => plain(Buffer.from('1603010200010001fc0303', 'hex')),
    () => plain(),
    () => tls({}),
    () => tls({ maxVersion: 'TLSv1.2' }),
    () => tls(identityOf(strangers.file('x', 'sentry-link-1'))),
    () => tls(identityOf(second?.home ?? '')),
  ];
  let height = 1n;
  for (let times = 0; times < 20; times++) {
    for (const attack of attacks) attack();
    await at.signed({ step: 'Prevote', height: ++height });
  }
  await eventually('strangers are dropped', 15_000, () => sockets.every(({ destroyed }) => destroyed) || undefined);
  await at.signed({ step: 'Prevote', height: height + 1n });
  expect(at.unexplainedDrops()).toBe(0);

  const refused = (first?.events() ?? []).filter(({ event }) => event.startsWith('connection refused'));
  const codes = new Set(refused.map(({ code }) => code));
  for (const code of ['TLS_HANDSHAKE', 'TLS_UNPINNED']) expect(codes).toContain(code);
  // One line for each reason in ten seconds, not one for each connection.
  expect(refused.length).toBeLessThan(attacks.length * 3);
});

it('a stranger who opens connections all the time keeps no link out', async () => {
  const at = await AskedCluster.start(cleanup, { name: 'flood', links: 1 });
  const [first, , third] = at.cluster.cosigners;
  const [link] = at.cluster.links;
  await third?.crash();
  await at.signedAtLast({ step: 'Prevote', height: 1n });
  // Every signature needs the cosigner that is flooded, and the link has to connect to it anew.
  expect(await link?.stop()).toBe(0);
  const sockets = new Set<Socket>();
  let opened = 0;
  const flood = setInterval(() => {
    for (let i = 0; i < 8; i++) {
      const socket = connect({ port: at.cluster.ports[0] ?? 0, host: '127.0.0.1', localAddress: '127.0.0.2' });
      sockets.add(socket.on('error', () => {}).on('connect', () => opened++));
      socket.once('close', () => sockets.delete(socket)).resume();
    }
  }, 1);
  cleanup.add(() => {
    clearInterval(flood);
    for (const socket of sockets) socket.destroy();
  });
  await eventually('more than may wait', 10_000, () => opened > 1_000 || undefined);
  await link?.start();
  await at.signedAtLast({ step: 'Prevote', height: 2n });
  for (let height = 3n; height < 20n; height++) await at.signed({ step: 'Prevote', height });
  const refused = (first?.events() ?? []).filter(({ event }) => event.startsWith('connection refused'));
  expect(refused[0]).toMatchObject({ code: 'TLS_HANDSHAKE', address: '127.0.0.2' });
  expect(refused[0]?.['reason']).toMatch(/^too many connections from its address/);
});

it('a process with the identity of a cosigner cannot act as a sentry-link', async () => {
  const at = await AskedCluster.start(cleanup, { name: 'role', links: 1 });
  const { folder } = at.cluster;
  cpSync(join(folder, 'sentry-link-1'), join(folder, 'impostor'), {
    recursive: true,
    filter: (file) => !file.endsWith('.sock'),
  });
  for (const file of ['identity.crt', 'identity.key'])
    copyFileSync(join(folder, 'cosigner-2/tls', file), join(folder, 'impostor/tls', file));
  hideIdentity(join(folder, 'impostor'), join(folder, 'sentry-link-1'));
  const impostor = new HekateProcess('impostor', 'sentry-link', folder);
  cleanup.add(() => impostor.stop());
  await impostor.start();
  const told = await eventually('cosigner 1 tells of it', 10_000, () =>
    at.cluster.cosigners[0]?.events().find(({ code }) => code === 'TLS_WRONG_ROLE'),
  );
  expect(told).toMatchObject({ level: 'error', peer: 'cosigner-2' });
  for (let height = 1n; height < 20n; height++) await at.signed({ step: 'Prevote', height });
  const events = impostor.events().map(({ event }) => event);
  expect(events).not.toContain('lease acquired');
  expect(events).not.toContain('connected to the node');
});

/** Whoever does this on purpose keeps the start from noticing: another name, and another pin for the cosigner that it plays. */
function hideIdentity(home: string, link: string): void {
  const path = join(home, 'sentry-link.toml');
  const [certificate, played] = ['tls/identity.crt', 'tls/peers/cosigner-2.crt'];
  const pins = [played, certificate].map((file) => pinOf(readFileSync(join(link, file), 'utf8')));
  const [pin = '', other = ''] = pins;
  const text = readFileSync(path, 'utf8').replace('name = "sentry-link-1"', 'name = "impostor"').replace(pin, other);
  writeFileSync(path, text);
  copyFileSync(join(link, certificate), join(home, played));
}
