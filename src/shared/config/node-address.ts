import { isIP, isIPv6 } from 'node:net';
import { HekateError } from '../errors.js';

/** Where a validator node listens for its signer (priv_validator_laddr). `text` is the canonical form, for logs and lookups. */
export type NodeAddress =
  | { readonly transport: 'tcp'; readonly host: string; readonly port: number; readonly text: string }
  | { readonly transport: 'unix'; readonly path: string; readonly text: string };

/** sun_path on Linux holds 108 bytes, one of them the final zero. */
const MAX_UNIX_PATH_BYTES = 107;
const MAX_ADDRESS_LENGTH = 512;
const HOST_NAME =
  /^(?=.{1,253}$)[a-zA-Z0-9_]([a-zA-Z0-9_-]*[a-zA-Z0-9_])?(\.[a-zA-Z0-9_]([a-zA-Z0-9_-]*[a-zA-Z0-9_])?)*\.?$/;
const LISTENS_EVERYWHERE = new Set(['0.0.0.0', '::']);

/**
 * `tcp://host:port`, `host:port`, `[v6]:port` or `unix:///path`. Throws NODE_ADDRESS_INVALID, or NODE_ADDRESS_UNSUPPORTED
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
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(rest);
  if (match === null) throw invalid(text, whyNotHostAndPort(rest));
  const [, v6, name, digits] = match;
  const port = Number(digits);
  if (port < 1 || port > 65_535) throw invalid(text, `port ${port} is not between 1 and 65535`);
  const host = v6 ?? name ?? '';
  if (v6 !== undefined ? !isIPv6(v6) : !isHost(host)) throw invalid(text, `${quote(host)} is not a host`);
  if (LISTENS_EVERYWHERE.has(host))
    throw invalid(
      text,
      `${host} is an address to listen on, not one to connect to`,
      'give the address of the node’s host',
    );
  return { transport: 'tcp', host, port, text: `tcp://${v6 === undefined ? host : `[${v6}]`}:${port}` };
}

function isHost(host: string): boolean {
  // Digits and dots alone are an IPv4 address or a slip.
  return /^[\d.]+$/.test(host) ? isIP(host) === 4 : HOST_NAME.test(host);
}

function whyNotHostAndPort(rest: string): string {
  if (isIPv6(rest)) return 'the port is missing; an IPv6 address stands in brackets: [address]:port';
  if ((rest.match(/:/g) ?? []).length > 1) return 'an IPv6 address stands in brackets: [address]:port';
  return rest.includes(':') ? 'it is not host:port' : 'the port is missing';
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
