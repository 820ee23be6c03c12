import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isHekateError } from '../errors.js';
import { isSameNode, nodeKey, parseNodeAddress } from './node-address.js';

function refusal(text: string): string {
  try {
    return parseNodeAddress(text).text;
  } catch (error) {
    if (isHekateError(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
}

describe('node addresses', () => {
  it.each([
    ['tcp://127.0.0.1:26658', { transport: 'tcp', host: '127.0.0.1', port: 26658, text: 'tcp://127.0.0.1:26658' }],
    ['127.0.0.1:26658', { transport: 'tcp', host: '127.0.0.1', port: 26658, text: 'tcp://127.0.0.1:26658' }],
    [
      'validator-0.my_net.example:1',
      { transport: 'tcp', host: 'validator-0.my_net.example', port: 1, text: 'tcp://validator-0.my_net.example:1' },
    ],
    ['tcp://sekai:65535', { transport: 'tcp', host: 'sekai', port: 65535, text: 'tcp://sekai:65535' }],
    ['[::1]:26658', { transport: 'tcp', host: '::1', port: 26658, text: 'tcp://[::1]:26658' }],
    [
      'tcp://[fd00::1%wg0]:26658',
      { transport: 'tcp', host: 'fd00::1%wg0', port: 26658, text: 'tcp://[fd00::1%wg0]:26658' },
    ],
    [
      `tcp://${'AB'.repeat(20)}@10.0.0.5:26658`,
      { transport: 'tcp', host: '10.0.0.5', port: 26658, text: 'tcp://10.0.0.5:26658', droppedId: 'ab'.repeat(20) },
    ],
    [
      `${'0'.repeat(40)}@[fd00::1]:26658`,
      { transport: 'tcp', host: 'fd00::1', port: 26658, text: 'tcp://[fd00::1]:26658', droppedId: '0'.repeat(40) },
    ],
    ['unix:///run/sekai/pv.sock', { transport: 'unix', path: '/run/sekai/pv.sock', text: 'unix:///run/sekai/pv.sock' }],
  ])('%s', (text, expected) => {
    expect(parseNodeAddress(text)).toEqual(expected);
  });

  it.each([
    ['', 'INVALID', 'port is missing'],
    ['localhost', 'INVALID', 'port is missing'],
    ['tcp://', 'INVALID', 'port is missing'],
    ['host:', 'INVALID', 'not host:port'],
    ['host:abc', 'INVALID', 'not host:port'],
    ['host:0', 'INVALID', 'port 0'],
    ['host:65536', 'INVALID', 'port 65536'],
    ['host:123456', 'INVALID', 'not host:port'],
    [':26658', 'INVALID', 'not a host'],
    ['tcp://user@host:26658', 'INVALID', 'not a host'],
    [`tcp://${'a'.repeat(39)}@host:26658`, 'INVALID', 'not a host'],
    [`tcp://${'a'.repeat(40)}@:26658`, 'INVALID', 'not a host'],
    ['[0:0:0:0:0:0:0:0]:26658', 'INVALID', 'to listen on'],
    ['[::0.0.0.0]:26658', 'INVALID', 'to listen on'],
    ['tcp://host:26658/path', 'INVALID', 'not host:port'],
    ['host name:26658', 'INVALID', 'not a host'],
    ['-host:26658', 'INVALID', 'not a host'],
    ['10.1.0.256:26658', 'INVALID', 'not a host'],
    ['10.1.0:26658', 'INVALID', 'not a host'],
    ['::1', 'INVALID', 'port is missing'],
    ['fd00::1:x:26658', 'INVALID', 'in brackets'],
    ['[host]:26658', 'INVALID', 'not a host'],
    ['[::1]', 'INVALID', 'in brackets'],
    ['tcp://0.0.0.0:26658', 'INVALID', 'to listen on'],
    ['[::]:26658', 'INVALID', 'to listen on'],
    ['unix://pv.sock', 'INVALID', 'begin with a slash'],
    ['unix:///run/', 'INVALID', 'folder'],
    ['unix:///a\0b', 'INVALID', 'zero byte'],
    [`unix:///${'a'.repeat(107)}`, 'INVALID', '108 bytes'],
    [`${'a'.repeat(600)}:1`, 'INVALID', '602 characters'],
    ['noise://12D3KooW@10.0.0.1:26658', 'UNSUPPORTED', 'not supported yet'],
    ['http://host:26658', 'UNSUPPORTED', 'http'],
    ['TCP://host:26658', 'UNSUPPORTED', 'TCP'],
  ])('refuses %j', (text, code, why) => {
    expect(refusal(text)).toMatch(new RegExp(`^NODE_ADDRESS_${code}: .*${why}`));
  });

  it('refuses or gives an address that means the same again', () => {
    const pieces = fc.constantFrom(
      'tcp://',
      'unix://',
      'noise://',
      '/',
      ':',
      '[',
      ']',
      '::1',
      'host',
      '1',
      '26658',
      '.',
      '%',
      ' ',
      '\n',
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(pieces, { maxLength: 8 }).map((all) => all.join('')),
    );
    fc.assert(
      fc.property(text, (input) => {
        const first = refusal(input);
        if (!first.startsWith('NODE_ADDRESS_')) expect(parseNodeAddress(first)).toEqual(parseNodeAddress(input));
        // Nothing from the input can start a line of its own in a log.
        expect(first.startsWith('NODE_ADDRESS_') && first.includes('\n')).toBe(false);
      }),
    );
  });
});

describe('two ways of writing an address', () => {
  const same = (one: string, other: string): boolean =>
    nodeKey(parseNodeAddress(one)) === nodeKey(parseNodeAddress(other));

  it.each([
    ['the scheme left out', 'tcp://node:26659', 'node:26659'],
    ['a node id before it', 'tcp://node:26659', `${'a'.repeat(40)}@node:26659`],
    ['large letters', 'node.example:26659', 'Node.EXAMPLE:26659'],
    ['a dot at the end of a whole name', 'node.example:26659', 'node.example.:26659'],
    ['zeros before the port', 'node:659', 'node:00659'],
    ['an IPv6 address with its zeros', '[fd00::1]:1', '[FD00:0:0:0:0:0:0:0001]:1'],
    ['an IPv4 address as IPv6', '10.0.0.9:1', '[::ffff:10.0.0.9]:1'],
    ['the same in hex', '10.0.0.9:1', '[::FFFF:a00:9]:1'],
    ['a zone', '[fe80::1%eth0]:1', '[fe80:0::1%eth0]:1'],
    ['slashes twice', 'unix:///run/pv.sock', 'unix:////run//pv.sock'],
    ['dots in a path', 'unix:///run/pv.sock', 'unix:///run/./x/../pv.sock'],
  ])('one node: %s', (_name, one, other) => {
    expect(same(one, other)).toBe(true);
    expect(same(other, one)).toBe(true);
  });

  it.each([
    ['another port', 'node:1', 'node:2'],
    ['another host', 'node-1:1', 'node-2:1'],
    ['what only a look-up can tell', 'localhost:1', '127.0.0.1:1'],
    ['a short name and the same without a domain', 'node:1', 'node.:1'],
    ['another zone', '[fe80::1%eth0]:1', '[fe80::1%eth1]:1'],
    ['another IPv6 address', '[fd00::1]:1', '[fd00::10]:1'],
    ['large letters in a path', 'unix:///run/pv.sock', 'unix:///run/PV.sock'],
    ['tcp and unix', 'run:1', 'unix:///run:1'],
  ])('two nodes: %s', (_name, one, other) => {
    expect(same(one, other)).toBe(false);
  });
});

describe('two entries of one chain', () => {
  it.each([
    ['localhost and its address', 'localhost:1', '127.0.0.1:1', true],
    ['the same as IPv6', 'localhost:1', '[::ffff:127.0.0.1]:1', true],
    ['localhost and its IPv6 address', 'localhost:1', '[::1]:1', true],
    ['in large letters, with a dot', 'LOCALHOST.:1', '127.0.0.1:1', true],
    ['twice', 'localhost:1', 'LocalHost:1', true],
    ['what is the same elsewhere too', 'node:1', 'NODE:01', true],
    ['both addresses without the name: two nodes may share the port', '127.0.0.1:1', '[::1]:1', false],
    ['another address of this host', 'localhost:1', '127.0.0.2:1', false],
    ['another port', 'localhost:1', '127.0.0.1:2', false],
    ['a name that only begins so', 'localhost.example:1', '127.0.0.1:1', false],
    ['a socket', 'localhost:1', 'unix:///localhost:1', false],
  ])('%s', (_name, one, other, same) => {
    const [a, b] = [parseNodeAddress(one), parseNodeAddress(other)];
    expect([isSameNode(a, b), isSameNode(b, a)]).toEqual([same, same]);
  });
});
