import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Toxiproxy, type Proxy, type ToxicDirection, type ToxicType } from 'toxiproxy-node-client';
import type { Cleanup } from '../support/cleanup.js';
import { eventually } from '../support/eventually.js';
import { freePorts } from '../support/ports.js';
import { TestProcess } from '../support/processes.js';
import { PROJECT_ROOT } from '../support/project.js';

/** The same version as in scripts/fetch-nodes.mjs, which builds it. */
export const TOXIPROXY_VERSION = 'v2.12.0';

export function toxiproxyBinary(): string {
  return join(PROJECT_ROOT, '.cache', 'bin', `toxiproxy-${TOXIPROXY_VERSION}`);
}

/** Why there are no wires here; undefined: there are. */
export function wiresMissing(): string | undefined {
  if (existsSync(toxiproxyBinary())) return undefined;
  return `no toxiproxy ${TOXIPROXY_VERSION} in .cache/bin; 'node scripts/fetch-nodes.mjs' builds it (needs Go)`;
}

/** Whose bytes: those of who dials (a sentry-link, always), those of who listens, or of both. */
export type Direction = 'from the link' | 'to the link' | 'both';

const STREAMS: Readonly<Record<Direction, readonly ToxicDirection[]>> = {
  'from the link': ['upstream'],
  'to the link': ['downstream'],
  both: ['upstream', 'downstream'],
};

/** A port of 127.0.0.1 that leads to another one, and what happens to the bytes on the way. */
export class Wire {
  private toxics = 0;
  private enabled = true;

  constructor(
    readonly name: string,
    readonly port: number,
    private readonly proxy: Proxy,
  ) {}

  /** Nothing gets through, and nobody is told: connections stay open, new ones are accepted. */
  silence(direction: Direction): Promise<void> {
    return this.add('timeout', { timeout: 0 }, direction);
  }

  /** Each byte this much later, give or take `jitterMs`. */
  delay(latencyMs: number, jitterMs = 0): Promise<void> {
    return this.add('latency', { latency: latencyMs, jitter: jitterMs }, 'both');
  }

  /** Kilobytes a second. */
  narrow(rate: number): Promise<void> {
    return this.add('bandwidth', { rate }, 'both');
  }

  /** A RST for every connection that there is, and for new ones until `heal`. */
  reset(): Promise<void> {
    return this.add('reset_peer', { timeout: 0 }, 'both');
  }

  /** Connections end, and new ones are refused, until `heal`. */
  async cut(): Promise<void> {
    await this.enable(false);
  }

  /** As at the beginning. What was silenced is reset: a network that comes back brings no connection back. */
  async heal(): Promise<void> {
    for (let i = 0; i < this.toxics; i++) {
      const toxic = await this.proxy.getToxic(`toxic-${i}`).catch(() => undefined);
      await toxic?.remove();
    }
    this.toxics = 0;
    await this.enable(true);
  }

  private async add(type: ToxicType, attributes: unknown, direction: Direction): Promise<void> {
    for (const stream of STREAMS[direction]) {
      const name = `toxic-${this.toxics++}`;
      await this.proxy.addToxic({ name, type, stream, toxicity: 1, attributes });
    }
  }

  private async enable(enabled: boolean): Promise<void> {
    if (enabled === this.enabled) return;
    const { listen, upstream } = this.proxy;
    await this.proxy.update({ enabled, listen, upstream });
    this.enabled = enabled;
  }
}

/** What lies between the links and everybody else. */
export interface Network {
  /** The port by which a link reaches `target`, a port of 127.0.0.1; undefined: directly. */
  add(name: string, target: number): Promise<Wire | undefined>;
  /** All wires are as at the beginning. */
  heal(): Promise<void>;
}

/** Nothing in between: for measuring. */
export function noWires(): Network {
  return { add: async () => undefined, heal: async () => undefined };
}

/** Toxiproxy, a process of its own, and the wires through it. */
export class Wires implements Network {
  private readonly all: Wire[] = [];

  private constructor(private readonly client: Toxiproxy) {}

  static async start(folder: string, cleanup: Cleanup): Promise<Wires> {
    const [port = 0] = await freePorts(1);
    const server = new TestProcess({
      name: 'toxiproxy',
      command: toxiproxyBinary(),
      args: ['-host', '127.0.0.1', '-port', String(port)],
      logFile: join(folder, 'toxiproxy.log'),
      env: { LOG_LEVEL: 'error' },
      unwatched: true,
    });
    cleanup.add(() => server.stop());
    const client = new Toxiproxy(`http://127.0.0.1:${port}`);
    await eventually('toxiproxy answers', 10_000, async () => {
      if (!server.running) throw new Error('toxiproxy ended');
      return (await client.getVersion()) !== '' || undefined;
    });
    return new Wires(client);
  }

  async add(name: string, target: number): Promise<Wire> {
    const listen = '127.0.0.1:0';
    const proxy = await this.client.createProxy({ name, listen, upstream: `127.0.0.1:${target}` });
    const wire = new Wire(name, Number(proxy.listen.slice(proxy.listen.lastIndexOf(':') + 1)), proxy);
    this.all.push(wire);
    return wire;
  }

  async heal(): Promise<void> {
    for (const wire of this.all) await wire.heal();
  }
}
