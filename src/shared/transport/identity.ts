import { createHash, createPrivateKey, X509Certificate as NodeCertificate } from 'node:crypto';
import { constants } from 'node:fs';
import { open, readFile, type FileHandle } from 'node:fs/promises';
import { toHex } from '../bytes.js';
import { HekateError, messageOf } from '../errors.js';

/** What a process shows at either end of a TLS connection: a certificate it signed itself, known by its key's pin. */
export interface TlsIdentity {
  readonly certPem: string;
  /** PKCS #8 in PEM; never a string. */
  readonly keyPem: Buffer;
}

const OTHERS = 0o077;

/** `sha256:` and 64 hex digits: SHA-256 of the certificate's SubjectPublicKeyInfo. Throws TLS_IDENTITY_INVALID. */
export function pinOf(certificate: string | Uint8Array): string {
  return pinOfCertificate(parseCertificate(certificate, 'the certificate'));
}

export function pinOfCertificate(certificate: NodeCertificate): string {
  const spki = certificate.publicKey.export({ type: 'spki', format: 'der' });
  return `sha256:${toHex(createHash('sha256').update(spki).digest())}`;
}

/**
 * Reads an identity from its two files. Throws TLS_IDENTITY_MISSING, TLS_KEY_MODE when others may read the key, or
 * TLS_IDENTITY_INVALID when a file cannot be parsed or the two do not belong together.
 */
export async function loadIdentity(certPath: string, keyPath: string): Promise<TlsIdentity> {
  const certPem = await readFile(certPath, 'utf8').catch((error: unknown) => missing(certPath, error));
  const keyPem = await readPrivate(keyPath);
  const certificate = parseCertificate(certPem, certPath);
  let key;
  try {
    key = createPrivateKey(keyPem);
  } catch (error) {
    throw new HekateError('TLS_IDENTITY_INVALID', `${keyPath} is no private key in PEM: ${messageOf(error)}`);
  }
  if (!certificate.checkPrivateKey(key))
    throw new HekateError(
      'TLS_IDENTITY_INVALID',
      `the key in ${keyPath} does not belong to the certificate in ${certPath}`,
    );
  return { certPem, keyPem };
}

async function readPrivate(path: string): Promise<Buffer> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY);
  } catch (error) {
    return missing(path, error);
  }
  try {
    const mode = (await file.stat()).mode & 0o777;
    if ((mode & OTHERS) !== 0)
      throw new HekateError(
        'TLS_KEY_MODE',
        `${path} has mode ${mode.toString(8).padStart(4, '0')}: others than its owner may use it`,
      );
    return await file.readFile();
  } finally {
    await file.close();
  }
}

function missing(path: string, error: unknown): never {
  throw new HekateError('TLS_IDENTITY_MISSING', `cannot read ${path}: ${messageOf(error)}`, { cause: error });
}

function parseCertificate(certificate: string | Uint8Array, what: string): NodeCertificate {
  try {
    return new NodeCertificate(certificate);
  } catch (error) {
    throw new HekateError('TLS_IDENTITY_INVALID', `${what} is no X.509 certificate: ${messageOf(error)}`);
  }
}
