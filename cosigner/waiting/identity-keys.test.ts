import { beforeAll, expect, it } from 'vitest';
import { makeIdentity, makeNextIdentity } from '../../src/setup/identity/make-identity.js';
import { pinOf, type TlsIdentity } from '../../src/shared/transport/identity.js';
import { peersById, tlsIdentityKeys } from './identity-keys.js';

const BYTES = new Uint8Array([1, 2, 3]);
let own: TlsIdentity;
let old: TlsIdentity;
let next: TlsIdentity;
let foreign: TlsIdentity;
beforeAll(async () => {
  own = await makeIdentity('cosigner-1');
  old = await makeIdentity('cosigner-2');
  next = await makeNextIdentity('cosigner-2');
  foreign = await makeIdentity('cosigner-3');
});

it.each<[signer: string, identity: () => TlsIdentity, cosigner: number, verifies: boolean]>([
  ['its key', () => old, 2, true],
  ['the key that it is about to show, or shows already', () => next, 2, true],
  ['the key of another cosigner', () => foreign, 2, false],
  ['its key, for another cosigner', () => next, 3, false],
  ['its key, for one that is not known', () => next, 4, false],
])('while an identity is rotated, signed with %s', (_name, identity, cosigner, verifies) => {
  const peers = [
    { name: 'cosigner-2', identity: old },
    { name: 'cosigner-2', identity: next },
    { name: 'cosigner-3', identity: foreign },
  ].map(({ name, identity: { certPem } }) => ({ name, certPem, pin: pinOf(certPem) }));
  const keys = tlsIdentityKeys(own, peersById(peers, [2, 3]));
  const signature = tlsIdentityKeys(identity(), []).sign(BYTES);
  expect(keys.verifies(cosigner, BYTES, signature)).toBe(verifies);
  expect(keys.verifies(cosigner, new Uint8Array([1, 2, 4]), signature)).toBe(false);
});
