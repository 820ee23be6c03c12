import { readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Cleanup } from './cleanup.js';
import type { HekateCluster } from './hekate-cluster.js';

/** Before a cluster starts: puts `delayMs` each way between its links and one cosigner. */
export async function moveAway(cluster: HekateCluster, id: number, delayMs: number, cleanup: Cleanup): Promise<void> {
  const near = cluster.ports[id - 1] ?? 0;
  const far = await delayedPort(near, delayMs, cleanup);
  for (const link of cluster.links) {
    const file = join(link.home, 'sentry-link.toml');
    const text = readFileSync(file, 'utf8');
    if (!text.includes(`127.0.0.1:${near}`)) throw new Error(`${file} does not name port ${near}`);
    writeFileSync(file, text.replace(`127.0.0.1:${near}`, `127.0.0.1:${far}`));
  }
}

/** A port of 127.0.0.1 that leads to another one, each byte `delayMs` late. Ends with its test. */
async function delayedPort(target: number, delayMs: number, cleanup: Cleanup): Promise<number> {
  const sockets = new Set<Socket>();
  const join = (from: Socket, to: Socket): void => {
    sockets.add(from);
    from.setNoDelay(true);
    from.on('data', (bytes) => void setTimeout(() => void (to.writable && to.write(bytes)), delayMs));
    from
      .on('error', () => {})
      .once('close', () => {
        sockets.delete(from);
        setTimeout(() => to.destroy(), delayMs);
      });
  };
  const server = createServer((link) => {
    const cosigner = connect(target, '127.0.0.1');
    join(link, cosigner);
    join(cosigner, link);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanup.add(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
