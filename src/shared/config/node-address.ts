import { posix } from 'node:path';
import { HekateError } from '../errors.js';
import { formatHostPort, readHostPort, sameHost, whyNotToConnect } from './host-port.js';

/** Where a validator node listens for its signer (priv_validator_laddr). `text` is the canonical form, for logs and lookups. */
export type NodeAddress =
  | {
      readonly transport: 'tcp';
      readonly host: string;
      readonly port: number;
      readonly text: string;
      /** The node id that stood before the host, as TMKMS has it; see DROPPED_ID. */
      readonly droppedId?: string;
    }
  | { readonly transport: 'unix'; readonly path: string; readonly text: string };

/** sun_path on Linux holds 108 bytes, one of them the final zero. */
const MAX_UNIX_PATH_BYTES = 107;
const MAX_ADDRESS_LENGTH = 512;

/** Why an id in an address is not checked (CometBFT node/setup.go makes the key of that listener anew at every start). */
export const DROPPED_ID =
  'a node shows another key on this port after every start, so an id there proves nothing and is left out; the network between, or a unix socket, has to keep others away';

const WITH_ID = /^([0-9a-fA-F]{40})@(.*)$/s;

/**
 * `tcp://host:port`, `host:port`, `[v6]:port`, the same with `ID@` before the host, or `unix:///path`. Throws NODE_ADDRESS_INVALID, or NODE_ADDRESS_UNSUPPORTED
 * for another scheme.
 */
export function parseNodeAddress(text: string): NodeAddress {
  if (text.length > MAX_ADDRESS_LENGTH) throw invalid(`${text.slice(0, 40)}…`, `it has ${text.length} characters`);
  const [, scheme, rest] = /^([a-zA-Z][a-zA-Z0-9+.-]*):\/\/(.*)$/s.exec(text) ?? [undefined, 'tcp', text];
  if (rest === undefined) throw invalid(text, 'nothing follows the scheme');
  switch (scheme) {
    case 'tcp':
      return tcpAddress(text, rest);
    case 'unix':
      return unixAddress(text, rest);
    case 'noise':
      throw new HekateError('NODE_ADDRESS_UNSUPPORTED', `noise:// addresses (${quote(text)}) are not supported yet`);
    default:
      throw new HekateError('NODE_ADDRESS_UNSUPPORTED', `a node cannot be reached over ${quote(scheme ?? '')}`);
  }
}

function tcpAddress(text: string, rest: string): NodeAddress {
  const [, droppedId, place = rest] = WITH_ID.exec(rest) ?? [];
  const address = readHostPort(place);
  if (typeof address === 'string') throw invalid(text, `it ${address}`);
  const problem = whyNotToConnect(address);
  if (problem !== undefined) throw invalid(text, problem, 'give the host and port by which the node is reached');
  const canonical = { transport: 'tcp', ...address, text: `tcp://${formatHostPort(address)}` } as const;
  return droppedId === undefined ? canonical : { ...canonical, droppedId: droppedId.toLowerCase() };
}

export function hasDroppedId(address: NodeAddress): address is NodeAddress & { readonly droppedId: string } {
  return address.transport === 'tcp' && address.droppedId !== undefined;
}

/**
 * The same for two addresses that are certainly of one node, however they are written; no name is looked up. Two names of one
 * host are told apart, and so are `localhost` and its addresses.
 */
export function nodeKey(address: NodeAddress): string {
  if (address.transport === 'unix') return `unix://${posix.normalize(address.path)}`;
  return `tcp://${formatHostPort({ host: sameHost(address.host), port: address.port })}`;
}

/**
 * Whether two entries of one chain are certainly of one node. `localhost` is dialled at both of its addresses, whichever answers:
 * it stands for 127.0.0.1 and for ::1, which themselves may be two nodes.
 */
export function isSameNode(one: NodeAddress, other: NodeAddress): boolean {
  const keys = reachedAt(other);
  return reachedAt(one).some((key) => keys.includes(key));
}

function reachedAt(address: NodeAddress): readonly string[] {
  if (address.transport === 'unix' || !/^localhost\.?$/i.test(address.host)) return [nodeKey(address)];
  return ['127.0.0.1', '::1'].map((host) => nodeKey({ ...address, host }));
}

function unixAddress(text: string, path: string): NodeAddress {
  if (!path.startsWith('/')) throw invalid(text, 'the path of a socket must begin with a slash', 'write unix:///path');
  if (path.includes('\0')) throw invalid(text, 'the path contains a zero byte');
  const bytes = Buffer.byteLength(path);
  if (bytes > MAX_UNIX_PATH_BYTES)
    throw invalid(text, `the path has ${bytes} bytes, sockets allow ${MAX_UNIX_PATH_BYTES}`, 'use a shorter path');
  if (path.endsWith('/')) throw invalid(text, 'the path is that of a folder');
  return { transport: 'unix', path, text: `unix://${path}` };
}

function invalid(text: string, why: string, fix?: string): HekateError {
  return new HekateError(
    'NODE_ADDRESS_INVALID',
    `${quote(text)} is not the address of a node: ${why}`,
    fix ? { fix } : {},
  );
}

/** Quoted, with control characters escaped. */
function quote(text: string): string {
  return JSON.stringify(text);
}
