import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import { X509CertificateGenerator } from '@peculiar/x509';
import { wipe } from '../../shared/bytes.js';
import type { TlsIdentity } from '../../shared/transport/identity.js';
import { pemBytes } from './pem.js';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
/** RFC 5280 §4.1.2.5: the first second that can be written, and the one that means "no end". */
const NOT_BEFORE = '1970-01-01T00:00:00Z';
const NOT_AFTER = '9999-12-31T23:59:59Z';

/**
 * A later identity of a process that has one: its certificate has another subject. Two that are known at once must not have the
 * same, for OpenSSL looks a root up by its subject and takes the first that it finds.
 */
export function makeNextIdentity(commonName: string): Promise<TlsIdentity> {
  return makeWith({ CN: [commonName] }, { OU: [randomBytes(8).toString('hex')] });
}

/**
 * A new ECDSA P-256 key and a certificate it signs itself. It is valid from 1970 to 9999, so that neither an expiry nor a
 * wrong clock can take a cluster down: who may connect is decided by pins alone. The caller wipes the key; OpenSSL's copy
 * goes with the next `collectGarbage`.
 */
export function makeIdentity(commonName: string): Promise<TlsIdentity> {
  return makeWith({ CN: [commonName] });
}

async function makeWith(...name: readonly Readonly<Record<string, string[]>>[]): Promise<TlsIdentity> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      name: [...name],
      notBefore: dateOf(NOT_BEFORE),
      notAfter: dateOf(NOT_AFTER),
      signingAlgorithm: ALGORITHM,
      keys,
    },
    webcrypto,
  );
  const pkcs8 = new Uint8Array(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  const keyPem = pemBytes('PRIVATE KEY', pkcs8);
  wipe(pkcs8);
  return { certPem: `${certificate.toString('pem')}\n`, keyPem };
}

/** The X.509 library takes Dates; these two are constants, no clock is asked. */
function dateOf(iso: string): Date {
  // eslint-disable-next-line no-restricted-syntax -- a fixed date, not a time
  return new Date(iso);
}
