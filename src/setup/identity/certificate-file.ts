import { X509Certificate } from 'node:crypto';
import { HekateError } from '../../shared/errors.js';
import { nameIn, pinOfCertificate, readCertificate } from '../../shared/transport/identity.js';

/** A certificate that was carried here. */
export interface CarriedCertificate {
  /** It alone, whatever else the file held. */
  readonly certPem: string;
  readonly pin: string;
  readonly subject: string;
  /** Whom it was made for, where it says so. */
  readonly name: string | undefined;
}

/** Throws TLS_IDENTITY_MISSING or TLS_IDENTITY_INVALID. */
export async function readCarried(file: string): Promise<CarriedCertificate> {
  const text = await readCertificate(
    file,
    'give the file that `hekate identity new` named in the home of that process',
  );
  if (text.includes('PRIVATE KEY'))
    throw new HekateError('TLS_IDENTITY_INVALID', `${file} holds a private key`, {
      fix: 'carry the .crt file alone; the key never leaves its home: where it did, make another identity there',
    });
  try {
    const certificate = new X509Certificate(text);
    const { subject } = certificate;
    return { certPem: certificate.toString(), pin: pinOfCertificate(certificate), subject, name: nameIn(certificate) };
  } catch (error) {
    throw new HekateError('TLS_IDENTITY_INVALID', `${file} is no X.509 certificate in PEM`, {
      fix: 'give the file that `hekate identity new` named in the home of that process',
      cause: error,
    });
  }
}

/** Throws TLS_PIN_MISMATCH unless a certificate is the one that was expected, where somebody said which. */
export function checkExpected({ pin }: CarriedCertificate, file: string, expected: string | undefined): void {
  if (expected === undefined || expected.trim().toLowerCase() === pin) return;
  throw new HekateError('TLS_PIN_MISMATCH', `${file} has the pin ${pin}, not ${expected}`, {
    fix: 'it is not the file that was made there, or the pin was not copied whole: compare both with `hekate identity show` in that home',
  });
}

/**
 * Two certificates that are known at once must differ in their subject: OpenSSL looks a root up by it, and takes the first.
 * Throws TLS_IDENTITY_INVALID.
 */
export function checkSubjectIsNew(
  carried: CarriedCertificate,
  known: readonly { readonly name: string; readonly certPem: string }[],
): void {
  for (const { name, certPem } of known) {
    const other = new X509Certificate(certPem);
    if (other.subject !== carried.subject || pinOfCertificate(other) === carried.pin) continue;
    throw new HekateError(
      'TLS_IDENTITY_INVALID',
      `the certificate has the subject of that of ${name}, which is pinned here: only one of the two would be accepted`,
      { fix: 'make it with `hekate identity new`, or with a subject that no other certificate has' },
    );
  }
}
