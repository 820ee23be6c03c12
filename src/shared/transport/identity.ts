import { createHash, createPrivateKey, X509Certificate as NodeCertificate } from 'node:crypto';
import { toHex, wipe } from '../bytes.js';
import { HekateError, messageOf } from '../errors.js';
import { readPrivateFile } from '../home/private-file.js';
import { accessDenied } from '../ports/access-denied.js';
import { diskErrorCode } from '../ports/disk-error.js';
import { readPlainText } from '../ports/plain-file.js';

/** What a process shows at either end of a TLS connection: a certificate it signed itself, known by its key's pin. */
export interface TlsIdentity {
  readonly certPem: string;
  /** PKCS #8 in PEM; never a string. */
  readonly keyPem: Buffer;
}

const KEY_CODES = { missing: 'TLS_IDENTITY_MISSING', mode: 'TLS_KEY_MODE', invalid: 'TLS_IDENTITY_INVALID' } as const;
/** A P-256 key in PEM has 241 bytes, one of RSA with 4096 bits 3,272. */
const MAX_KEY_BYTES = 16 * 1024;
const MAX_CERTIFICATE_BYTES = 64 * 1024;

/** `sha256:` and 64 hex digits: SHA-256 of the certificate's SubjectPublicKeyInfo. Throws TLS_IDENTITY_INVALID. */
export function pinOf(certificate: string | Uint8Array): string {
  return pinOfCertificate(parseCertificate(certificate, 'the certificate'));
}

export function pinOfCertificate(certificate: NodeCertificate): string {
  const spki = certificate.publicKey.export({ type: 'spki', format: 'der' });
  return `sha256:${toHex(createHash('sha256').update(spki).digest())}`;
}

/**
 * Reads an identity from its two files. Throws TLS_IDENTITY_MISSING, TLS_KEY_MODE when others may use the key, or
 * TLS_IDENTITY_INVALID when a file cannot be parsed or the two do not belong together.
 */
export async function loadIdentity(certPath: string, keyPath: string): Promise<TlsIdentity> {
  const certPem = await readCertificate(certPath);
  const certificate = parseCertificate(certPem, certPath);
  const contents = await readPrivateFile(keyPath, 'the TLS key', MAX_KEY_BYTES, KEY_CODES);
  const keyPem = Buffer.from(contents.buffer, contents.byteOffset, contents.length);
  try {
    checkKey(certificate, certPath, keyPem, keyPath);
  } catch (error) {
    wipe(keyPem);
    throw error;
  }
  return { certPem, keyPem };
}

/**
 * Throws TLS_IDENTITY_FOREIGN when the process `name` would show the certificate of another one: the tls folder of another
 * home was copied here. `peers`: everyone whom its configuration names.
 */
export function checkIdentityIsOurs(
  { certPem }: TlsIdentity,
  certPath: string,
  name: string,
  peers: readonly NamedPin[],
): void {
  const owner = otherOwner(certPem, name, peers);
  if (owner !== undefined)
    throw new HekateError('TLS_IDENTITY_FOREIGN', `${certPath} is the certificate of ${owner}, not of ${name}`);
}

export interface NamedPin {
  readonly name: string;
  readonly pin: string;
  /** As good as the other, while the identity is being rotated. */
  readonly nextPin?: string | undefined;
}

/**
 * Who else than the process `name` a certificate belongs to: a peer that is pinned with it, or, as no configuration names all
 * processes, the one that init made it for. Undefined when it may be its own. Throws TLS_IDENTITY_INVALID.
 */
export function otherOwner(certPem: string, name: string, peers: readonly NamedPin[]): string | undefined {
  const certificate = parseCertificate(certPem, 'the certificate');
  const pin = pinOfCertificate(certificate);
  const peer = peers.find((one) => one.pin === pin || one.nextPin === pin);
  if (peer !== undefined) return peer.name;
  // A link may be given another name later, a certificate be made by other means: then its subject tells nothing.
  const madeFor = nameIn(certificate);
  if (madeFor === undefined || madeFor === name) return undefined;
  return NAME_BY_INIT.test(madeFor) && NAME_BY_INIT.test(name) ? madeFor : undefined;
}

/** The common name of its subject: whom it was made for, by what makes certificates here. */
export function nameIn(certificate: NodeCertificate): string | undefined {
  return /^CN=(.*)$/m.exec(certificate.subject)?.[1];
}

const NAME_BY_INIT = /^(?:cosigner|sentry-link)-[1-9][0-9]{0,2}$/;

function checkKey(certificate: NodeCertificate, certPath: string, keyPem: Buffer, keyPath: string): void {
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
}

/**
 * A certificate in PEM as it is in its file, unchecked. Throws TLS_IDENTITY_MISSING, with `fix` when it is given, or
 * TLS_IDENTITY_INVALID.
 */
export async function readCertificate(path: string, fix?: string): Promise<string> {
  try {
    return Buffer.from(await readPlainText(path, MAX_CERTIFICATE_BYTES)).toString('utf8');
  } catch (error) {
    const denied = accessDenied(error);
    if (denied !== undefined) throw denied;
    if (diskErrorCode(error) === 'EUNFIT')
      throw new HekateError('TLS_IDENTITY_INVALID', `the certificate ${messageOf(error)}`, { cause: error });
    const message = `the certificate ${path} cannot be read: ${messageOf(error)}`;
    throw new HekateError('TLS_IDENTITY_MISSING', message, { cause: error, ...(fix !== undefined && { fix }) });
  }
}

function parseCertificate(certificate: string | Uint8Array, what: string): NodeCertificate {
  try {
    return new NodeCertificate(certificate);
  } catch (error) {
    throw new HekateError('TLS_IDENTITY_INVALID', `${what} is no X.509 certificate: ${messageOf(error)}`);
  }
}
