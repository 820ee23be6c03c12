import { isIP, isIPv6 } from 'node:net';

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

const MAX_LENGTH = 300;
const HOST_NAME =
  /^(?=.{1,253}$)[a-zA-Z0-9_]([a-zA-Z0-9_-]*[a-zA-Z0-9_])?(\.[a-zA-Z0-9_]([a-zA-Z0-9_-]*[a-zA-Z0-9_])?)*\.?$/;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/i;
const EVERYWHERE = new Set(['0.0.0.0', '::']);

/** `host:port` or `[v6]:port`, as a value or as what is wrong with it. */
export function parseHostPort(text: string): HostPort | string {
  if (text.length > MAX_LENGTH) return `an address has at most ${MAX_LENGTH} characters, not ${text.length}`;
  const quoted = JSON.stringify(text);
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  if (match === null) {
    const hint = text.includes('://') ? '; no scheme stands before it' : isIPv6(text) ? '; write [address]:port' : '';
    return `${quoted} is not host:port${hint}`;
  }
  const [, v6, name = '', digits] = match;
  const port = Number(digits);
  if (port > 65_535) return `port ${port} in ${quoted} is above 65535`;
  if (v6 !== undefined) return isIPv6(v6) ? { host: v6, port } : `${quoted} has no IPv6 address in its brackets`;
  const isHost = /^[\d.]+$/.test(name) ? isIP(name) === 4 : HOST_NAME.test(name);
  return isHost ? { host: name, port } : `${quoted} has no host in front of its port`;
}

export function formatHostPort({ host, port }: HostPort): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}

/** Whether this is an address to listen on that nobody can connect to. */
export function isEverywhere(host: string): boolean {
  return EVERYWHERE.has(host);
}
