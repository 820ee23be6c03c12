import { expect, test } from 'vitest';
import { isHekateError } from '../errors.js';
import { toPoint, type Point } from '../frost/group.js';
import { encodeGroup, parseGroup, type GroupInfo } from './group-file.js';

const point = (byte: number): Point => toPoint(new Uint8Array(32).fill(byte));
const group: GroupInfo = {
  chainId: 'test-1',
  threshold: 2,
  count: 3,
  groupPublicKey: point(1),
  commitments: [point(1), point(2)],
};
const json = JSON.parse(encodeGroup(group)) as Record<string, unknown>;
const bytes = (value: unknown): Uint8Array => new Uint8Array(Buffer.from(JSON.stringify(value)));

test('what is written is read', () => {
  expect(parseGroup(new Uint8Array(Buffer.from(encodeGroup(group))), 'g')).toEqual(group);
});

test.each<[string, unknown, string]>([
  ['null', null, 'it is not a JSON object'],
  ['a long unknown key', { ...json, ['x'.repeat(99)]: 1 }, `unknown key "${'x'.repeat(40)}"`],
  [
    'the key of a prototype',
    JSON.parse(encodeGroup(group).replace('{', '{ "__proto__": 1,')),
    'unknown key "__proto__"',
  ],
  ['not an object', [], 'it is not a JSON object'],
  ['an unknown key', { ...json, extra: 1 }, 'unknown key "extra"'],
  ['half a threshold', { ...json, threshold: 1.5 }, '"threshold" is not a whole number'],
  ['a threshold of one', { ...json, threshold: 1 }, '"threshold" is not a whole number between 2 and 3'],
  ['another version', { ...json, version: 2 }, 'its version is not 1'],
  ['a chain id that is a path', { ...json, chainId: '../x' }, '"chainId" is no chain id'],
  ['one cosigner', { ...json, count: 1 }, '"count" is not a whole number between 2 and 32'],
  ['33 cosigners', { ...json, count: 33 }, '"count" is not a whole number between 2 and 32'],
  ['half as the threshold', { ...json, count: 4 }, '"threshold" is not a whole number between 3 and 4'],
  ['a threshold above all', { ...json, threshold: 4 }, '"threshold" is not a whole number between 2 and 3'],
  ['a short key', { ...json, groupPublicKey: 'AAAA' }, '"groupPublicKey" has a value that is not 32 bytes'],
  [
    'a key of 33 bytes',
    { ...json, groupPublicKey: 'A'.repeat(44) },
    '"groupPublicKey" has a value that is not 32 bytes',
  ],
  [
    'base64 with spare bits',
    { ...json, groupPublicKey: `${'A'.repeat(42)}B=` },
    '"groupPublicKey" has a value that is not 32 bytes',
  ],
  ['no padding', { ...json, groupPublicKey: 'A'.repeat(43) }, '"groupPublicKey" has a value that is not 32 bytes'],
  ['commitments that are one', { ...json, commitments: json['groupPublicKey'] }, '"commitments" are no list'],
  ['nothing but a version', { version: 1 }, '"chainId" is no chain id'],
  ['too few commitments', { ...json, commitments: [json['groupPublicKey']] }, '"commitments" are not 2'],
  ['a commitment that is a number', { ...json, commitments: [json['groupPublicKey'], 5] }, '"commitments" has a value'],
  [
    'another key',
    { ...json, groupPublicKey: Buffer.alloc(32, 2).toString('base64') },
    'its first commitment is not its public key',
  ],
])('a group file is refused: %s', (_name, value, expected) => {
  try {
    parseGroup(bytes(value), 'g.json');
    expect.unreachable('it was read');
  } catch (error) {
    if (!isHekateError(error)) throw error;
    expect([error.code, error.message]).toEqual([
      'GROUP_INVALID',
      expect.stringContaining(`g.json is no group file: ${expected}`),
    ]);
  }
});
