import { createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadIdentity, nameIn, otherOwner, pinOf, type TlsIdentity } from './identity.js';
import { makeIdentity, makeNextIdentity } from '../../setup/identity/make-identity.js';
import { pemBytes } from '../../setup/identity/pem.js';
import { checkPins } from './tls.js';

const folder = mkdtempSync(join(tmpdir(), 'hekate-identity-'));
const path = (name: string): string => join(folder, name);
let own: TlsIdentity;
let other: TlsIdentity;

beforeAll(async () => {
  own = await makeIdentity('cosigner-1');
  other = await makeIdentity('cosigner-2');
  writeFileSync(path('crt'), own.certPem);
  writeFileSync(path('key'), own.keyPem, { mode: 0o600 });
  writeFileSync(path('other.key'), other.keyPem, { mode: 0o600 });
  writeFileSync(path('text'), 'text', { mode: 0o600 });
  writeFileSync(path('long.key'), `${'\n'.repeat(16 * 1024)}${own.keyPem.toString()}`, { mode: 0o600 });
});
afterAll(() => rmSync(folder, { recursive: true }));

it('a new identity signs itself, and no clock finds it expired or too young', () => {
  const certificate = new X509Certificate(own.certPem);
  expect(certificate.subject).toBe('CN=cosigner-1');
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect(certificate.checkPrivateKey(createPrivateKey(own.keyPem))).toBe(true);
  expect([certificate.validFrom, certificate.validTo]).toEqual([
    'Jan  1 00:00:00 1970 GMT',
    'Dec 31 23:59:59 9999 GMT',
  ]);
});

it('a pin is the hash of the key, in PEM and DER, and no two are the same', () => {
  expect(pinOf(own.certPem)).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(pinOf(new X509Certificate(own.certPem).raw)).toBe(pinOf(own.certPem));
  expect(pinOf(other.certPem)).not.toBe(pinOf(own.certPem));
});

it('an identity comes back from its files', async () => {
  expect(await loadIdentity(path('crt'), path('key'))).toEqual(own);
});

it('a next identity has the name of the first, and a subject that no other has', async () => {
  const next = await makeNextIdentity('cosigner-1');
  const made = [own, next, await makeNextIdentity('cosigner-1')];
  const certificates = made.map(({ certPem }) => new X509Certificate(certPem));
  expect(certificates.map(nameIn)).toEqual(['cosigner-1', 'cosigner-1', 'cosigner-1']);
  expect(new Set(certificates.map(({ subject }) => subject)).size).toBe(3);
  expect(otherOwner(next.certPem, 'cosigner-2', [])).toBe('cosigner-1');
});

it('the second pin of a peer is as much its own as the first', () => {
  const peers = [{ name: 'paris', pin: pinOf(other.certPem), nextPin: pinOf(own.certPem) }];
  expect(otherOwner(own.certPem, 'berlin', peers)).toBe('paris');
});

it.each<readonly [string, string, readonly string[], string | undefined]>([
  ['its own, pinned by nobody here', 'cosigner-1', ['cosigner-2', 'sentry-link-1'], undefined],
  ['pinned as a peer', 'cosigner-2', ['cosigner-1'], 'cosigner-1'],
  ['pinned as a peer with a name of its own', 'berlin', ['paris'], 'paris'],
  ['made for another cosigner, which nobody here has pinned', 'cosigner-3', [], 'cosigner-1'],
  ['made for a cosigner, in a link', 'sentry-link-1', [], 'cosigner-1'],
  ['of a process that was given a name of its own', 'berlin', [], undefined],
])('whose a certificate is, %s', (_name, name, pinnedAs, expected) => {
  const isOwn = pinnedAs[0] === expected;
  const peers = pinnedAs.map((peer) => ({ name: peer, pin: pinOf(isOwn ? own.certPem : other.certPem) }));
  expect(otherOwner(own.certPem, name, peers)).toBe(expected);
});

describe('refused', () => {
  it.each([
    ['no certificate', 'none', 'key', 'TLS_IDENTITY_MISSING'],
    ['no key', 'crt', 'none', 'TLS_IDENTITY_MISSING'],
    ['text as certificate', 'text', 'key', 'TLS_IDENTITY_INVALID'],
    ['text as key', 'crt', 'text', 'TLS_IDENTITY_INVALID'],
    ['a key in a file far too long', 'crt', 'long.key', 'TLS_IDENTITY_INVALID'],
    ['a folder as key', 'crt', '.', 'TLS_IDENTITY_INVALID'],
    ['the key of another certificate', 'crt', 'other.key', 'TLS_IDENTITY_INVALID'],
  ])('%s: %s %s', async (_, certificate, key, code) => {
    await expect(loadIdentity(path(certificate), path(key))).rejects.toMatchObject({ code });
  });

  it.each([0o604, 0o602, 0o644, 0o666, 0o601])('a key with mode %o', async (mode) => {
    writeFileSync(path('open.key'), own.keyPem);
    chmodSync(path('open.key'), mode);
    await expect(loadIdentity(path('crt'), path('open.key'))).rejects.toMatchObject({ code: 'TLS_KEY_MODE' });
  });

  it('a certificate under the pin of another', () => {
    const peer = { name: 'cosigner-2', certPem: own.certPem, pin: pinOf(other.certPem) };
    expect(() => checkPins([peer])).toThrowError(expect.objectContaining({ code: 'TLS_PIN_MISMATCH' }) as Error);
  });
});

it.each([1, 2, 3, 47, 48, 49, 138])('PEM of %i bytes is as Node writes it', (length) => {
  const der = new Uint8Array(length).map((_, at) => at * 37);
  const base64 = Buffer.from(der)
    .toString('base64')
    .replace(/(.{64})(?=.)/g, '$1\n');
  expect(pemBytes('X', der).toString()).toBe(`-----BEGIN X-----\n${base64}\n-----END X-----\n`);
});

it('a key that Node made is read back from our PEM', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = pemBytes('PRIVATE KEY', privateKey.export({ format: 'der', type: 'pkcs8' }));
  expect(createPublicKey(createPrivateKey(pem)).equals(publicKey)).toBe(true);
});
