import { expect, it } from 'vitest';
import { dealAsHorcrux, pointOfShare, shardJson } from '../../../../test/support/horcrux.js';
import { toHex } from '../../../shared/bytes.js';
import { isHekateError } from '../../../shared/errors.js';
import { loadGroup } from '../../../shared/frost/load-group.js';
import { seededRandom } from '../../../shared/frost/testdata/fixture.js';
import keys from '../../../shared/keys/testdata/keys.json' with { type: 'json' };
import { parseShard, wipeShard } from './shard.js';

const group = await loadGroup();
const random = seededRandom('shard');
const dealing = dealAsHorcrux(2, 3, () => random(32));
const good = JSON.parse(shardJson(dealing, 2)) as Record<string, unknown>;
const ORDER = 'edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010';

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const base64 = (hex: string): string => Buffer.from(hex, 'hex').toString('base64');
const json = (change: Record<string, unknown>): string => JSON.stringify({ ...good, ...change });
const SECRETS = [good['privateShard'] as string, toHex(dealing.shares[1]!)];

function refusal(text: string): string {
  try {
    parseShard(group, bytes(text));
  } catch (error) {
    if (isHekateError(error)) return error.toLine();
    throw error;
  }
  return 'taken';
}

it.each<[string, string]>([
  ['as Horcrux 3 writes it', shardJson(dealing, 2)],
  ['with the public key of amino', shardJson(dealing, 2, 'amino')],
  ['indented', JSON.stringify(good, undefined, 2)],
  ['with escaped slashes', shardJson(dealing, 2).replaceAll('/', '\\/')],
])('reads a shard: %s', (_name, text) => {
  const shard = parseShard(group, bytes(text));
  expect(shard.id).toBe(2);
  expect(toHex(shard.publicKey)).toBe(toHex(dealing.publicKey));
  expect(toHex(shard.share)).toBe(toHex(dealing.shares[1]!));
  expect(toHex(shard.point)).toBe(toHex(pointOfShare(dealing.shares[1]!)));
  wipeShard(shard);
  expect(shard.share.every((byte) => byte === 0)).toBe(true);
});

it('the file is not written to: whoever read it wipes it', () => {
  const contents = bytes(shardJson(dealing, 1));
  parseShard(group, contents);
  expect(Buffer.from(contents).toString()).toBe(shardJson(dealing, 1));
});

it.each<[string, string, string, string]>([
  ['cut short', shardJson(dealing, 2).slice(0, 120), 'SHARD_INVALID', 'it is not JSON'],
  ['empty', '', 'SHARD_INVALID', 'it is not JSON'],
  ['a list', '[]', 'SHARD_INVALID', 'it is not a JSON object'],
  ['with an unknown key', json({ threshold: 2 }), 'SHARD_INVALID', 'unknown key "threshold"'],
  ['without an id', json({ id: undefined }), 'SHARD_INVALID', '"id" is not a whole number'],
  ['with an id that is a string', json({ id: '2' }), 'SHARD_INVALID', '"id" is not a whole number'],
  ['with id 0', json({ id: 0 }), 'SHARD_INVALID', '"id" is 0, not between 1 and 32'],
  ['with id 33', json({ id: 33 }), 'SHARD_INVALID', '"id" is 33, not between 1 and 32'],
  ['with id 1.5', json({ id: 1.5 }), 'SHARD_INVALID', '"id" is not a whole number'],
  ['without a share', json({ privateShard: undefined }), 'SHARD_INVALID', '"privateShard" is not base64'],
  ['with a share in hex', json({ privateShard: toHex(dealing.shares[1]!) }), 'SHARD_INVALID', '48 bytes instead of 32'],
  [
    'with a share of 31 bytes',
    json({ privateShard: base64('01'.repeat(31)) }),
    'SHARD_INVALID',
    '31 bytes instead of 32',
  ],
  [
    'with a share of 64 bytes',
    json({ privateShard: base64('01'.repeat(64)) }),
    'SHARD_INVALID',
    '64 bytes instead of 32',
  ],
  [
    'with a share that is the order',
    json({ privateShard: base64(ORDER) }),
    'SHARD_INVALID',
    'no share of an Ed25519 key',
  ],
  [
    'with a share above the order',
    json({ privateShard: base64('ff'.repeat(32)) }),
    'SHARD_INVALID',
    'no share of an Ed25519 key',
  ],
  [
    'with a share that is zero',
    json({ privateShard: base64('00'.repeat(32)) }),
    'SHARD_INVALID',
    'no share of an Ed25519 key',
  ],
  ['with a number as its share', json({ privateShard: 7 }), 'SHARD_INVALID', '"privateShard" is not base64'],
  ['without a public key', json({ pubKey: undefined }), 'SHARD_INVALID', '"pubKey" is not base64'],
  [
    'with a bare public key',
    json({ pubKey: base64('11'.repeat(32)) }),
    'SHARD_INVALID',
    'as protobuf or amino encode it',
  ],
  [
    'with a public key that is cut',
    json({ pubKey: base64(`0a20${'11'.repeat(31)}`) }),
    'SHARD_INVALID',
    'as protobuf or amino encode it',
  ],
  [
    'with a public key that is no point',
    json({ pubKey: base64(`0a20${'02'.repeat(32)}`) }),
    'SHARD_INVALID',
    'no Ed25519 public key',
  ],
  [
    'with a public key of small order',
    json({ pubKey: base64(`0a2001${'00'.repeat(31)}`) }),
    'SHARD_INVALID',
    'no Ed25519 public key',
  ],
  ['of a secp256k1 key', json({ pubKey: base64(`1221${'02'.repeat(33)}`) }), 'KEY_TYPE_UNSUPPORTED', 'secp256k1'],
  ['of a bn254 key', json({ pubKey: base64(`1a20${'02'.repeat(32)}`) }), 'KEY_TYPE_UNSUPPORTED', 'bn254'],
  [
    'of Horcrux 2',
    JSON.stringify({ pub_key: good['pubKey'], secret_share: good['privateShard'], rsa_key: 'AAAA', id: 2 }),
    'SHARD_INVALID',
    '`horcrux config migrate`',
  ],
  ['a whole key', JSON.stringify(keys.privValidatorKey), 'SHARD_INVALID', '`hekate migrate file`'],
  [
    'ecies_keys.json',
    JSON.stringify({ eciesKey: 'AAAA', id: 1, eciesPubs: [] }),
    'SHARD_INVALID',
    'identity of a Horcrux cosigner',
  ],
])('refuses what is %s, without a word of it', (_name, text, code, problem) => {
  const line = refusal(text);
  expect(line).toContain(`${code}: `);
  expect(line).toContain(problem);
  for (const secret of SECRETS) expect(line).not.toContain(secret.slice(0, 12));
});
