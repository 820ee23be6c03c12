import { createSocket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cleanup } from '../support/cleanup.js';

/** An address of this host on which nothing else listens. */
const SERVER = '127.0.53.53';

/**
 * An /etc/hosts of its own for processes that are started behind `command`, and a DNS server that never answers. While the
 * names are not in the file, nobody can look them up, and finding that out takes as long as a resolver waits.
 */
export class DeadDns {
  private constructor(
    private readonly hostsFile: string,
    private readonly names: readonly string[],
    /** In front of the command line of a process. */
    readonly command: readonly string[],
  ) {}

  static async create(folder: string, names: readonly string[], cleanup: Cleanup): Promise<DeadDns> {
    const server = createSocket('udp4').unref();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).bind(53, SERVER, resolve);
    });
    cleanup.add(() => server.close());
    const [hosts, resolver] = [join(folder, 'hosts'), join(folder, 'resolv.conf')];
    writeFileSync(resolver, `nameserver ${SERVER}\n`);
    const mounts = `mount --bind '${hosts}' /etc/hosts && mount --bind '${resolver}' /etc/resolv.conf && exec "$@"`;
    const dns = new DeadDns(hosts, names, ['unshare', '--mount', 'sh', '-c', mounts, 'sh']);
    dns.revive();
    return dns;
  }

  die(): void {
    writeFileSync(this.hostsFile, '127.0.0.1 localhost\n');
  }

  revive(): void {
    writeFileSync(this.hostsFile, ['localhost', ...this.names].map((name) => `127.0.0.1 ${name}\n`).join(''));
  }
}
