import { promises as fsp } from 'node:fs';
import { isIPv4 } from 'node:net';
import { join } from 'node:path';
import { isLoopback, sameHost } from '../../shared/config/host-port.js';
import { parseNodeAddress, type NodeAddress } from '../../shared/config/node-address.js';

interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** TCP_ESTABLISHED in /proc/net/tcp, SS_CONNECTED in /proc/net/unix (Linux include/net/tcp_states.h, include/uapi/linux/net.h). */
const ESTABLISHED = '01';
const CONNECTED = '03';

/**
 * Those addresses of nodes that somebody is connected to, on this host and in this network namespace: its signer, for a node has
 * no other use for that port. None where there is no /proc.
 */
export async function connectedNodes(proc: string, nodes: readonly string[]): Promise<readonly string[]> {
  const read = (name: string): Promise<string> => fsp.readFile(join(proc, 'net', name), 'utf8').catch(() => '');
  const [tcp, tcp6, unix] = await Promise.all([read('tcp'), read('tcp6'), read('unix')]);
  const ends = [...establishedIn(tcp), ...establishedIn(tcp6)];
  const paths = connectedPaths(unix);
  return nodes.filter((node) => {
    const address = parseNodeAddress(node);
    return address.transport === 'unix' ? paths.has(address.path) : ends.some((end) => isAt(end, address));
  });
}

/** A name is not looked up: its port says enough. */
function isAt(end: Endpoint, { host, port }: NodeAddress & { readonly transport: 'tcp' }): boolean {
  if (end.port !== port) return false;
  const wanted = sameHost(host);
  if (isLoopback(wanted)) return isLoopback(end.host);
  return isIPv4(wanted) || wanted.includes(':') ? end.host === wanted : true;
}

/** Both ends of every connection. */
export function establishedIn(table: string): readonly Endpoint[] {
  return table.split('\n').flatMap((line) => {
    const [, local = '', remote = '', state] = line.trim().split(/\s+/);
    return state === ESTABLISHED ? [local, remote].flatMap(endpointOf) : [];
  });
}

/** "0100007F:6823": words of four bytes as this host orders them, all hosts of Linux that we know: the lowest first. */
function endpointOf(text: string): readonly Endpoint[] {
  const [, hex, port] = /^((?:[0-9A-F]{8}){1,4}):([0-9A-F]{4})$/.exec(text) ?? [];
  if (hex === undefined || port === undefined || (hex.length !== 8 && hex.length !== 32)) return [];
  const bytes = Buffer.from(hex, 'hex');
  for (let word = 0; word < bytes.length; word += 4) bytes.subarray(word, word + 4).reverse();
  const host = bytes.length === 4 ? [...bytes].join('.') : (bytes.toString('hex').match(/.{4}/g) ?? []).join(':');
  return [{ host: sameHost(host), port: Number.parseInt(port, 16) }];
}

/** Paths of unix sockets with somebody at the other end; the node's own end has the path. */
export function connectedPaths(table: string): ReadonlySet<string> {
  const paths = table.split('\n').flatMap((line) => {
    const [, , , , , state, , ...path] = line.trim().split(/\s+/);
    return state === CONNECTED && path.length > 0 ? [path.join(' ')] : [];
  });
  return new Set(paths);
}
