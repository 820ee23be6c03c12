import { expect, it } from 'vitest';
import { nodeKey, parseNodeAddress } from '../../src/shared/config/node-address.js';
import { messageOf } from '../../src/shared/errors.js';
import { findNode } from './find-node.js';

const NODES = ['tcp://node-1.example:26659', '10.0.0.9:1', '10.0.0.9:2', '[fd00::1]:1', 'unix:///run/pv.sock'].map(
  (text) => parseNodeAddress(text),
);

it.each([
  ['as it is configured', 'tcp://node-1.example:26659', 0],
  ['without the scheme', 'node-1.example:26659', 0],
  ['in large letters', 'NODE-1.example.:26659', 0],
  ['by its host', 'node-1.example', 0],
  ['one of two on a host', '10.0.0.9:2', 2],
  ['an IPv6 host', 'fd00:0::1', 3],
  ['an IPv6 host in brackets', '[fd00::1]', 3],
  ['a socket', 'unix:///run/pv.sock', 4],
  ['a socket by its path', '/run/pv.sock', 4],
])('a node is found: %s', (_name, asked, at) => {
  expect(findNode(asked, NODES)).toBe(nodeKey(NODES[at]!));
});

it.each([
  ['another name', 'node-2', 'no node is named "node-2": tcp://node-1.example:26659, tcp://10.0.0.9:1, '],
  ['another port', 'node-1.example:1', 'no node is named'],
  ['one of two', '10.0.0.9', 'several nodes are named "10.0.0.9": tcp://10.0.0.9:1, tcp://10.0.0.9:2'],
  ['a part of a name', 'node', 'no node is named'],
  ['nothing', '', 'no node is named ""'],
  ['what is no address', 'ftp://x\u0007', 'no node is named "ftp://x\\u0007"'],
])('no node is found: %s', (_name, asked, expected) => {
  let said = '';
  try {
    findNode(asked, NODES);
  } catch (error) {
    said = messageOf(error);
  }
  expect(said).toContain(expected);
});
