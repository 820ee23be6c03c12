import { expect, it } from 'vitest';
import { toHex } from '../../shared/bytes.js';
import { isHekateError } from '../../shared/errors.js';
import { loadGroup } from '../../shared/frost/load-group.js';
import keys from '../../shared/keys/testdata/keys.json' with { type: 'json' };
import { parseBareKey } from './bare-key.js';

const group = await loadGroup();
const halves = Buffer.from(keys.privValidatorKey.priv_key.value, 'base64');
const seed = halves.subarray(0, 32);
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const text = (contents: string): Uint8Array => new Uint8Array(Buffer.from(contents));

it.each<[string, string]>([
  ['a seed', base64(seed)],
  ['a seed and its public key', base64(halves)],
  ['with line ends and spaces around it', `\n ${base64(seed)}\r\n`],
])('reads %s', (_name, contents) => {
  const key = parseBareKey(group, text(contents), 'old');
  expect(base64(key.publicKey)).toBe(keys.privValidatorKey.pub_key.value);
  expect(group.baseMult(key.secret)).toEqual(key.publicKey);
});

it.each<[string, string, string]>([
  ['nothing', '', 'it is not padded base64'],
  ['white space', ' \n', 'it is not padded base64'],
  ['hex', toHex(seed), 'it has 48 bytes'],
  ['hex of odd length in base64 terms', toHex(seed).slice(0, 62), 'it is hex instead of base64'],
  ['a seed that is cut', base64(seed).slice(0, 40), 'it has 30 bytes'],
  ['a seed that is cut within base64', base64(seed).slice(0, 42), 'it is not padded base64'],
  ['two keys', base64(Buffer.concat([halves, seed])), 'it has 96 bytes'],
  [
    'a public key of another',
    base64(Buffer.concat([seed, seed])),
    'its second half is not the public key of the first',
  ],
  ['JSON', JSON.stringify(keys.privValidatorKey), 'it is not padded base64'],
])('refuses %s, without a word of it', (_name, contents, problem) => {
  try {
    parseBareKey(group, text(contents), 'old');
  } catch (error) {
    if (!isHekateError(error)) throw error;
    expect(error.toLine()).toContain('KEY_INVALID: not a usable key of old: ');
    expect(error.toLine()).toContain(problem);
    for (const secret of [toHex(seed), base64(seed)]) expect(error.toLine()).not.toContain(secret.slice(0, 12));
    return;
  }
  expect.unreachable('it was taken');
});
