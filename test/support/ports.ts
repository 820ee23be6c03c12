import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';

const LOWEST = 10_000;
const FEWEST = 1_000;

/**
 * `count` different tcp ports of 127.0.0.1 that nobody listens on. They are held together before any is given back. Where that
 * is known, they are none that the kernel gives to others meanwhile: a process that is started again finds its port free.
 */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listen(20)));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

function listen(tries: number): Promise<Server> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    const taken = (error: Error): void => {
      if (tries > 0) resolve(listen(tries - 1));
      else reject(error);
    };
    server.once('error', taken).listen(anyPort(), '127.0.0.1', () => resolve(server));
  });
}

/** 0: the kernel chooses. */
function anyPort(): number {
  const firstOfKernel = ephemeralFrom();
  return firstOfKernel - LOWEST < FEWEST ? 0 : randomInt(LOWEST, firstOfKernel);
}

/** The first port that the kernel itself gives out, ip(7); 0 where that is not known. */
function ephemeralFrom(): number {
  try {
    return Number(/^\d+/.exec(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'))?.[0] ?? 0);
  } catch {
    return 0;
  }
}
