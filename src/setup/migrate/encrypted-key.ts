/** How files begin that a key was locked into; what stands there is no secret. */
const BEGINNINGS: readonly (readonly [string, string])[] = [
  ['age-encryption.org/', 'age'],
  ['-----BEGIN AGE ENCRYPTED FILE-----', 'age'],
  ['-----BEGIN PGP MESSAGE-----', 'GnuPG'],
  ['-----BEGIN ENCRYPTED PRIVATE KEY-----', 'a password'],
  ['Salted__', 'OpenSSL'],
  // The same in base64.
  ['U2FsdGVkX1', 'OpenSSL'],
  ['$ANSIBLE_VAULT', 'Ansible'],
];
/** OpenPGP packet tags of a session key and of encrypted data (RFC 9580 §4.2), old and new form. */
const PGP_TAGS: ReadonlySet<number> = new Set([0x84, 0x85, 0x8c, 0xc1, 0xc3, 0xd2]);

/** What a file was encrypted with, as far as its beginning tells; undefined when it does not look encrypted. */
export function encryptedWith(contents: Uint8Array): string | undefined {
  for (const [beginning, name] of BEGINNINGS)
    if (beginning.length <= contents.length && [...beginning].every((c, i) => contents[i] === c.charCodeAt(0)))
      return name;
  return PGP_TAGS.has(contents[0] ?? 0) ? 'GnuPG' : undefined;
}
