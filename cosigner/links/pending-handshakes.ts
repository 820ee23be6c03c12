import { isIPv4 } from 'node:net';

/**
 * Connections that have not shown who they are, at most `limit` of them. When there is one more, the network that has the most
 * of them loses its oldest: who opens connections all the time pushes out their own, and not those of others.
 */
export class PendingHandshakes<T> {
  readonly #limit: number;
  /** By `ip:port`, the oldest first. */
  readonly #pending = new Map<string, { readonly network: string; readonly value: T }>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(remote: string): T | undefined {
    return this.#pending.get(remote)?.value;
  }

  all(): readonly T[] {
    return [...this.#pending.values()].map(({ value }) => value);
  }

  /** Adds one, from an IP address. Returns the one that had to go for it. */
  add(remote: string, address: string, value: T): T | undefined {
    this.delete(remote);
    this.#pending.set(remote, { network: networkOf(address), value });
    if (this.#pending.size <= this.#limit) return undefined;
    const crowded = this.#mostCrowded();
    for (const [oldest, { network, value: evicted }] of this.#pending) {
      if (network !== crowded) continue;
      this.#pending.delete(oldest);
      return evicted;
    }
    return undefined;
  }

  delete(remote: string): void {
    this.#pending.delete(remote);
  }

  /** Of several the one that has waited longest. */
  #mostCrowded(): string | undefined {
    const counts = new Map<string, number>();
    for (const { network } of this.#pending.values()) counts.set(network, (counts.get(network) ?? 0) + 1);
    const most = Math.max(...counts.values());
    for (const [network, count] of counts) if (count === most) return network;
    return undefined;
  }
}

const MAPPED_IPV4 = '::ffff:';
const GROUPS = 8;
const NETWORK_GROUPS = 4;

/**
 * What counts as one stranger: an IPv4 address, or the /64 of an IPv6 address, for a host has all of that to choose from.
 * `address`: as sockets have it, that is in canonical form; an IPv4 address also as IPv6 (dual stack).
 */
export function networkOf(address: string): string {
  const v4 = address.startsWith(MAPPED_IPV4) ? address.slice(MAPPED_IPV4.length) : address;
  if (isIPv4(v4)) return v4;
  const [withoutZone = ''] = address.split('%');
  const [head = [], tail] = withoutZone.split('::').map((part) => (part === '' ? [] : part.split(':')));
  const left = [...head];
  if (tail !== undefined) while (left.length + tail.length < GROUPS) left.push('0');
  return `${[...left, ...(tail ?? [])].slice(0, NETWORK_GROUPS).join(':')}::/64`;
}
