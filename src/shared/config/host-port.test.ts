import { expect, test } from 'vitest';
import { formatHostPort, parseHostPort, whyNotToConnect } from './host-port.js';

test.each([
  ['10.0.0.1:7001', { host: '10.0.0.1', port: 7001 }],
  ['signer-1.local:1', { host: 'signer-1.local', port: 1 }],
  ['[fd00::1]:65535', { host: 'fd00::1', port: 65535 }],
  ['localhost:0', { host: 'localhost', port: 0 }],
])('%s is an address, and is written the same', (text, expected) => {
  const parsed = parseHostPort(text);
  expect(parsed).toEqual(expected);
  expect(typeof parsed === 'string' ? parsed : formatHostPort(parsed)).toBe(text);
});

test.each([
  ['a host alone', 'signer', '"signer" is not host:port: the port is missing'],
  ['a scheme', 'tcp://signer:1', 'no scheme stands before it'],
  ['an IPv6 address without brackets', '::1', 'write [address]:port'],
  ['a port too high', 'signer:65536', 'above 65535'],
  ['no port', 'signer:', 'is not host:port'],
  ['a name in brackets', '[signer]:1', 'no IPv6 address'],
  ['four numbers that are no address', '1.2.3.400:1', 'no host'],
  ['a space', 'sig ner:1', 'no host'],
  ['too long', `${'a'.repeat(400)}:1`, 'at most 300 characters'],
])('%s is refused', (_name, text, expected) => {
  expect(parseHostPort(text)).toContain(expected);
});

test.each([
  ['10.0.0.1', 7001, undefined],
  ['10.0.0.1', 0, 'port 0 cannot be connected to'],
  ['0.0.0.0', 7001, '0.0.0.0 is an address to listen on, not one to connect to'],
  ['::', 7001, ':: is an address to listen on, not one to connect to'],
])('can a peer connect to %s, port %i?', (host, port, problem) => {
  expect(whyNotToConnect({ host, port })).toBe(problem);
});
