import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { toHex } from '../../../shared/bytes.js';
import { isHekateError } from '../../../shared/errors.js';
import { keyFromSeed } from '../../../shared/frost/keys.js';
import { loadGroup } from '../../../shared/frost/load-group.js';
import { addressOf } from '../../../shared/keys/formats.js';
import keys from '../../../shared/keys/testdata/keys.json' with { type: 'json' };
import { parseSoftsignKey, type SoftsignFormat } from './softsign-key.js';

const group = await loadGroup();
const file = keys.privValidatorKey;
/** Seed and public key. */
const halves = new Uint8Array(Buffer.from(file.priv_key.value, 'base64'));
const seed = halves.subarray(0, 32);
const publicKey = halves.subarray(32);
const expanded = new Uint8Array(createHash('sha512').update(seed).digest());
const exported = Buffer.concat([Buffer.from(expanded.subarray(0, 32)).reverse(), expanded.subarray(32), publicKey]);
/** TMKMS takes the first half of `halves` for a scalar. */
const misread = scalarsKey(seed);

function scalarsKey(scalar: Uint8Array): Uint8Array {
  const wide = new Uint8Array(64);
  wide.set(scalar);
  wide[0]! &= 0xf8;
  wide[31] = (wide[31]! & 0x7f) | 0x40;
  return group.baseMult(group.reduce64(wide));
}

const OTHER = 'AB'.repeat(20);
const address = (key: Uint8Array): string => toHex(addressOf(key)).toUpperCase();
const base64 = (bytes: Uint8Array): Uint8Array => text(Buffer.from(bytes).toString('base64'));
const text = (contents: string): Uint8Array => new Uint8Array(Buffer.from(contents));

it.each<[string, Uint8Array, SoftsignFormat, string | undefined, Uint8Array]>([
  ['a seed', base64(seed), 'base64', undefined, publicKey],
  ['a seed with a line end', text(`${Buffer.from(seed).toString('base64')}\r\n`), 'base64', undefined, publicKey],
  ['a seed in bytes', seed, 'raw', undefined, publicKey],
  ['an expanded key', base64(expanded), 'base64', undefined, publicKey],
  ['what a YubiHSM exported', base64(exported), 'base64', undefined, publicKey],
  ['priv_validator_key.json', text(JSON.stringify(file)), 'json', undefined, publicKey],
  ['seed and public key of the validator that is named', base64(halves), 'base64', address(publicKey), publicKey],
  ['the same as TMKMS takes it', base64(halves), 'base64', address(misread), misread],
])('reads %s', (_name, contents, format, validator, expected) => {
  const key = parseSoftsignKey(group, contents, format, validator === undefined ? [] : [OTHER, validator]);
  expect(key.publicKey).toEqual(expected);
  expect(group.baseMult(key.secret)).toEqual(expected);
});

it('its key is that of the seed', () => {
  expect(parseSoftsignKey(group, base64(expanded), 'base64', []).secret).toEqual(keyFromSeed(group, seed).secret);
});

function refusal(contents: Uint8Array, format: SoftsignFormat, validator?: string): string {
  try {
    parseSoftsignKey(group, contents, format, validator === undefined ? [] : [validator]);
  } catch (error) {
    if (isHekateError(error)) return error.toLine();
    throw error;
  }
  return 'taken';
}

it.each<[string, Uint8Array, SoftsignFormat, string]>([
  [
    'seed and public key',
    base64(halves),
    'base64',
    `add --validator ${address(publicKey)} or --validator ${address(misread)}`,
  ],
  ['seed and public key in bytes', halves, 'raw', 'is ambiguous'],
  ['too short', base64(seed.subarray(1)), 'base64', 'it has 31 bytes; 32, 64 and 96 are possible'],
  ['cut within base64', base64(seed).subarray(0, 42), 'base64', 'it is not padded base64'],
  ['hex', text(toHex(seed)), 'base64', 'it has 48 bytes'],
  ['JSON where base64 is said', text(JSON.stringify(file)), 'base64', 'key_format is not "json"'],
  ['base64 where JSON is said', base64(seed), 'json', 'KEY_INVALID'],
  [
    'another key beside an exported one',
    base64(Buffer.concat([exported.subarray(0, 64), misread])),
    'base64',
    'their scalar does not make their public key',
  ],
  [
    'a secp256k1 key',
    text(JSON.stringify({ ...file, priv_key: { ...file.priv_key, type: 'tendermint/PrivKeySecp256k1' } })),
    'json',
    'KEY_TYPE_UNSUPPORTED',
  ],
  ['empty', text(''), 'base64', 'it is not padded base64'],
])('refuses what is %s, without a word of it', (_name, contents, format, problem) => {
  const line = refusal(contents, format);
  expect(line).toContain(problem);
  for (const secret of [seed, expanded.subarray(0, 32)]) {
    expect(line.toLowerCase()).not.toContain(toHex(secret).slice(0, 16));
    expect(line).not.toContain(Buffer.from(secret).toString('base64').slice(0, 16));
  }
});

it('a validator of neither key settles nothing', () => {
  expect(refusal(base64(halves), 'base64', OTHER)).toContain('is ambiguous');
});
