import { expect, it } from 'vitest';
import { encryptedWith } from './encrypted-key.js';

const text = (contents: string): Uint8Array => new Uint8Array(Buffer.from(contents));

it.each<[string, Uint8Array, string | undefined]>([
  ['age', text('age-encryption.org/v1\n-> X25519 abc\n'), 'age'],
  ['age in armour', text('-----BEGIN AGE ENCRYPTED FILE-----\n'), 'age'],
  ['GnuPG in armour', text('-----BEGIN PGP MESSAGE-----\n'), 'GnuPG'],
  ['GnuPG', Uint8Array.of(0x85, 1, 12), 'GnuPG'],
  ['OpenSSL', text('Salted__abc'), 'OpenSSL'],
  ['OpenSSL in base64', text('U2FsdGVkX18abc'), 'OpenSSL'],
  ['Ansible', text('$ANSIBLE_VAULT;1.1;AES256\n'), 'Ansible'],
  ['PKCS#8', text('-----BEGIN ENCRYPTED PRIVATE KEY-----\n'), 'a password'],
  ['a key file', text('{"address":""}'), undefined],
  ['base64', text('AAAA'), undefined],
  ['half a beginning', text('age-'), undefined],
  ['nothing', text(''), undefined],
])('%s', (_name, contents, expected) => {
  expect(encryptedWith(contents)).toBe(expected);
});
