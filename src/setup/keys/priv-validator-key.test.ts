import { expect, test } from 'vitest';
import { toBase64, toHex } from '../../shared/bytes.js';
import { isHekateError } from '../../shared/errors.js';
import { loadGroup } from '../../shared/frost/load-group.js';
import { generateConsensusKey, parsePrivValidatorKey, wipeKey } from './priv-validator-key.js';
import { describePlace } from '../../shared/watermark/watermark.js';
import { parsePublicKey } from './public-key-file.js';
import vectors from '../../shared/keys/testdata/keys.json' with { type: 'json' };

const group = await loadGroup();
const file = vectors.privValidatorKey;
const SECRET = file.priv_key.value;
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const json = (change: Record<string, unknown>): Uint8Array =>
  bytes(JSON.stringify({ ...file, ...change }, undefined, 2));
const other = generateConsensusKey(group, (length) => new Uint8Array(length).fill(7));

function refusal(contents: Uint8Array): string {
  try {
    parsePrivValidatorKey(group, contents);
  } catch (error) {
    if (isHekateError(error)) return error.toLine();
    throw error;
  }
  return 'taken';
}

test.each([
  ['indented', JSON.stringify(file, undefined, 2)],
  ['in one line', JSON.stringify(file)],
  ['with escaped slashes', JSON.stringify(file).replaceAll('/', '\\/')],
  ['with an address in lower case', JSON.stringify({ ...file, address: file.address.toLowerCase() })],
])('a key file is read: %s', (_name, text) => {
  const key = parsePrivValidatorKey(group, bytes(text));
  expect(toBase64(key.publicKey)).toBe(file.pub_key.value);
  expect(toBase64(Buffer.concat([key.seed, key.publicKey]))).toBe(SECRET);
  wipeKey(key);
  expect(key.seed.every((byte) => byte === 0)).toBe(true);
});

test.each<[string, Record<string, unknown>, string]>([
  ['as CometBFT writes it', {}, 'nothing'],
  ['of Tendermint 0.27, which has not signed', { last_height: '0', last_round: '0', last_step: 0 }, 'nothing'],
  ['of Tendermint 0.27', { last_height: '500', last_round: '1', last_step: 3 }, 'height 500, round 1, precommit'],
  ['with numbers', { last_height: 500, last_round: 1, last_step: 2 }, 'height 500, round 1, prevote'],
  ['with its height alone', { last_height: '500' }, 'the start of height 500, round 0'],
])('a key file %s: what it says of its past', (_name, change, expected) => {
  const { lastSigned } = parsePrivValidatorKey(group, json(change));
  expect(lastSigned === undefined ? 'nothing' : describePlace(lastSigned)).toBe(expected);
});

test.each<[string, Uint8Array, string]>([
  ['a past that is no height', json({ last_height: '-5' }), '"last_height" is not a whole number from 0 to'],
  [
    'a past that is no round',
    json({ last_height: '5', last_round: 'x' }),
    '"last_round" is not a whole number from 0 to',
  ],
  ['a past that is no step', json({ last_height: '5', last_step: 4 }), '"last_step" is not a whole number from 0 to 3'],
  ['not JSON', bytes('nope'), 'KEY_INVALID: not a usable priv_validator_key.json: it is not JSON'],
  ['cut short', json({}).subarray(0, 150), 'it is not JSON'],
  ['a list', bytes('[]'), 'it is not a JSON object'],
  ['huge', new Uint8Array(100_000), 'it has 100000 bytes'],
  ['a node key', bytes(JSON.stringify({ priv_key: file.priv_key })), 'node_key.json'],
  [
    'a softsign key of TMKMS',
    bytes(`${toBase64(Buffer.from(SECRET, 'base64').subarray(0, 32))}\n`),
    'softsign key of TMKMS',
  ],
  ['an expanded softsign key', bytes(`${SECRET}\n`), 'softsign key of TMKMS'],
  ['bare hex', bytes(toHex(other.seed)), 'it is bare hex'],
  ['no private key', json({ priv_key: undefined }), '"priv_key" is missing'],
  ['no public key', json({ pub_key: undefined }), '"pub_key" is missing'],
  ['no value', json({ priv_key: { type: file.priv_key.type } }), '"priv_key" has no value'],
  ['a short key', json({ priv_key: { ...file.priv_key, value: toBase64(other.seed) } }), 'has 32 bytes instead of 64'],
  ['not base64', json({ priv_key: { ...file.priv_key, value: `!${SECRET.slice(1)}` } }), 'is not base64'],
  [
    'halves of two keys',
    json({
      priv_key: {
        ...file.priv_key,
        value: toBase64(Buffer.concat([other.seed, Buffer.from(file.pub_key.value, 'base64')])),
      },
    }),
    'the two halves of "priv_key" do not belong together',
  ],
  [
    'the public key of another',
    json({ pub_key: { ...file.pub_key, value: toBase64(other.publicKey) } }),
    '"pub_key" is not that of "priv_key"',
  ],
  [
    'the address of another',
    json({ address: 'DC52D5CF8DFD1793D71038B342A29B01AD8A5D63' }),
    `"address" is not ${file.address}`,
  ],
  ['no address', json({ address: undefined }), '"address" is not'],
  [
    'secp256k1',
    json({ priv_key: { ...file.priv_key, type: 'tendermint/PrivKeySecp256k1' } }),
    'KEY_TYPE_UNSUPPORTED: the key is of type tendermint/PrivKeySecp256k1, a secp256k1 key',
  ],
  ['BLS', json({ priv_key: { ...file.priv_key, type: 'cometbft/PrivKeyBls12_381' } }), 'a BLS12-381 key'],
  [
    'a public key of another type',
    json({ pub_key: { ...file.pub_key, type: 'cometbft/PubKeyBls12_381' } }),
    'a BLS12-381 key',
  ],
  ['a type that is no name', json({ priv_key: { ...file.priv_key, type: 'x\u001b[31m' } }), 'a key without a type'],
])('a key file is refused, and nothing of it is said: %s', (_name, contents, expected) => {
  const line = refusal(contents);
  expect(line).toContain(expected);
  for (let at = 0; at + 12 <= SECRET.length; at++) expect(line).not.toContain(SECRET.slice(at, at + 12));
});

test.each<[string, unknown]>([
  ['a priv_validator_key.json', file],
  ['CometBFT JSON', file.pub_key],
  ['SDK JSON', { '@type': '/cosmos.crypto.ed25519.PubKey', key: file.pub_key.value }],
])('the public key alone is read from %s', (_name, value) => {
  const contents = bytes(JSON.stringify(value));
  expect(toBase64(parsePublicKey(contents))).toBe(file.pub_key.value);
  expect(contents.every((byte) => byte === 0)).toBe(true);
});

test.each<[string, unknown, string]>([
  ['another type', { type: 'tendermint/PubKeySecp256k1', value: 'AA==' }, 'KEY_TYPE_UNSUPPORTED'],
  ['a short key', { type: 'tendermint/PubKeyEd25519', value: 'AA==' }, 'KEY_INVALID'],
  ['no key', 7, 'KEY_INVALID'],
])('a public key is refused: %s', (_name, value, code) => {
  expect(() => parsePublicKey(bytes(JSON.stringify(value)))).toThrow(expect.objectContaining({ code }) as Error);
});
