import { isIP, isIPv6 } from 'node:net';

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

const MAX_LENGTH = 300;
const HOST_NAME =
  /^(?=.{1,253}$)[a-zA-Z0-9_]([a-zA-Z0-9_-]*[a-zA-Z0-9_])?(\.[a-zA-Z0-9_]([a-zA-Z0-9_-]*[a-zA-Z0-9_])?)*\.?$/;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/i;
/** All zeros, in any way of writing it. */
const EVERYWHERE = /^(0\.0\.0\.0|[0:]+(:0\.0\.0\.0)?)$/;

/** `host:port` or `[v6]:port`, as a value or as what is wrong with it. */
export function parseHostPort(text: string): HostPort | string {
  if (text.length > MAX_LENGTH) return `an address has at most ${MAX_LENGTH} characters, not ${text.length}`;
  const parsed = readHostPort(text);
  return typeof parsed === 'string' ? `${JSON.stringify(text)} ${parsed}` : parsed;
}

/** As `parseHostPort`, of a bounded text; what is wrong with it goes on from a subject: "is not host:port". */
export function readHostPort(text: string): HostPort | string {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  if (match === null) return `is not host:port${hint(text)}`;
  const [, v6, name = '', digits] = match;
  const port = Number(digits);
  if (port > 65_535) return `has port ${port}, above 65535`;
  if (v6 !== undefined && !isIPv6(v6))
    return `has no IPv6 address in its brackets: ${JSON.stringify(v6)} is not a host`;
  if (v6 === undefined && !isHost(name))
    return `has no host in front of its port: ${JSON.stringify(name)} is not a host`;
  return { host: v6 ?? name, port };
}

function isHost(name: string): boolean {
  // Digits and dots alone are an IPv4 address or a slip.
  return /^[\d.]+$/.test(name) ? isIP(name) === 4 : HOST_NAME.test(name);
}

function hint(text: string): string {
  const brackets = 'an IPv6 address stands in brackets: write [address]:port';
  if (text.includes('://')) return ': no scheme stands before it';
  if (isIPv6(text)) return `: the port is missing; ${brackets}`;
  if ((text.match(/:/g) ?? []).length > 1) return `: ${brackets}`;
  return text.includes(':') ? '' : ': the port is missing';
}

export function formatHostPort({ host, port }: HostPort): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

/**
 * One spelling of a host: small letters, no dot at the end of a name that has another one (a name without may be short for
 * one of this host's own domain, and with it not), the shortest form of an IPv6 address, IPv4 where it stands for that.
 */
export function sameHost(host: string): string {
  if (!isIPv6(host)) return host.toLowerCase().replace(/(?<=\..*)\.$/, '');
  const [address = '', zone] = host.split('%', 2);
  const short = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(short);
  if (mapped !== null) return ipv4Of(mapped.slice(1).map((word) => Number.parseInt(word, 16)));
  return zone === undefined ? short : `${short}%${zone}`;
}

function ipv4Of(words: readonly number[]): string {
  return words.flatMap((word) => [word >> 8, word & 255]).join('.');
}

export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}

/** Why nobody can connect to this, or undefined. */
export function whyNotToConnect({ host, port }: HostPort): string | undefined {
  if (port === 0) return 'port 0 cannot be connected to';
  return EVERYWHERE.test(host) ? `${host} is an address to listen on, not one to connect to` : undefined;
}
