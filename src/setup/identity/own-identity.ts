import { promises as fsp } from 'node:fs';
import { dirname, extname } from 'node:path';
import { wipe } from '../../shared/bytes.js';
import type { TlsPaths } from '../../shared/config/common-sections.js';
import { HekateError } from '../../shared/errors.js';
import { diskErrorCode } from '../../shared/ports/disk-error.js';
import { createFile, syncFolder } from '../../shared/ports/durable-file.js';
import { MODE_PRIVATE } from '../../shared/ports/file-mode.js';
import { loadIdentity, pinOf, readCertificate } from '../../shared/transport/identity.js';
import { exists, MODE_PUBLIC } from '../durable-files.js';
import { collectGarbage } from '../garbage.js';
import type { AnyHome } from '../home/change-home.js';
import { makeNextIdentity } from './make-identity.js';

/** Beside the identity that a process shows: the one that it will show, and the one that it showed before. */
export type Beside = 'next' | 'old';

interface IdentityFiles {
  readonly key: string;
  readonly certificate: string;
}

/** `tls/identity.next.key` and `.crt`, say. */
export function filesBeside({ key, certificate }: TlsPaths, which: Beside): IdentityFiles {
  return { key: inserted(key, which), certificate: inserted(certificate, which) };
}

function inserted(path: string, word: string): string {
  const end = extname(path);
  return `${path.slice(0, path.length - end.length)}.${word}${end}`;
}

export interface NextIdentity {
  readonly name: string;
  readonly pin: string;
  /** The file to carry. */
  readonly certificate: string;
  /** False: it was made before, and nobody switched to it yet. */
  readonly made: boolean;
}

/** Makes the next identity of a home, once; the one in use stays. Throws ROTATION_STEP, TLS_IDENTITY_INVALID. */
export async function newIdentity({ name, config: { tls } }: AnyHome): Promise<NextIdentity> {
  await checkPair({ key: tls.key, certificate: tls.certificate });
  const next = filesBeside(tls, 'next');
  const [hasKey, hasCertificate] = [await exists(next.key), await exists(next.certificate)];
  if (hasCertificate && !hasKey) throw interrupted(next);
  if (hasKey && hasCertificate) {
    const { certPem } = await checkPair(next);
    return { name, pin: pinOf(certPem), certificate: next.certificate, made: false };
  }
  // A key whose certificate nobody ever saw.
  if (hasKey) await fsp.unlink(next.key);
  const { certPem, keyPem } = await makeNextIdentity(name);
  try {
    await createWholeFile(next.key, keyPem, MODE_PRIVATE);
    await createWholeFile(next.certificate, certPem, MODE_PUBLIC);
  } finally {
    wipe(keyPem);
    collectGarbage();
  }
  return { name, pin: pinOf(certPem), certificate: next.certificate, made: true };
}

export interface Switched {
  readonly pin: string;
  /** Of the identity that was shown until now, and is kept. */
  readonly kept: string;
}

/**
 * Makes the next identity the one that is shown from the next start on, and keeps the other as the old one; `back`: the other
 * way round. One that was interrupted goes on. Throws ROTATION_STEP.
 */
export async function switchIdentity({ config: { tls } }: AnyHome, back: boolean): Promise<Switched> {
  const shown = { key: tls.key, certificate: tls.certificate };
  const to = filesBeside(tls, back ? 'old' : 'next');
  const kept = filesBeside(tls, back ? 'next' : 'old');
  if (!(await exists(to.certificate))) throw nothingToSwitchTo(to, back);
  if (await exists(to.key)) {
    await checkPair(to);
    await keep(shown.key, kept.key, back);
    await keep(shown.certificate, kept.certificate, back);
    await syncFolder(dirname(kept.certificate));
    await fsp.rename(to.key, shown.key);
    await syncFolder(dirname(shown.key));
  }
  await checkPair({ key: shown.key, certificate: to.certificate });
  await fsp.rename(to.certificate, shown.certificate);
  await syncFolder(dirname(shown.certificate));
  const { certPem } = await checkPair(shown);
  return { pin: pinOf(certPem), kept: pinOf(await readCertificate(kept.certificate)) };
}

/** Deletes the old identity, or the next one where nobody shall switch to it. The pin that is gone. Throws ROTATION_STEP. */
export async function dropIdentity({ config: { tls } }: AnyHome, which: Beside): Promise<string> {
  const files = filesBeside(tls, which);
  if (!(await exists(files.certificate)) && !(await exists(files.key)))
    throw new HekateError('ROTATION_STEP', `there is no ${files.certificate}: nothing to drop`, {
      fix: which === 'old' ? 'switch first: `hekate identity switch`' : 'none needed',
    });
  const certPem = (await exists(files.certificate)) ? await readCertificate(files.certificate) : undefined;
  const next = filesBeside(tls, 'next');
  if ((await exists(next.certificate)) && !(await exists(next.key))) throw interrupted(next);
  await fsp.rm(files.key, { force: true });
  await fsp.rm(files.certificate, { force: true });
  await syncFolder(dirname(files.certificate));
  return certPem === undefined ? 'none' : pinOf(certPem);
}

/** Pins of a home's own identities, those that are there. */
export async function ownPins({
  config: { tls },
}: AnyHome): Promise<Readonly<Record<'shown' | Beside, string | undefined>>> {
  const pinIn = async (file: string): Promise<string | undefined> =>
    (await exists(file)) ? pinOf(await readCertificate(file)) : undefined;
  return {
    shown: await pinIn(tls.certificate),
    next: await pinIn(filesBeside(tls, 'next').certificate),
    old: await pinIn(filesBeside(tls, 'old').certificate),
  };
}

/** The same file under another name, until the first one is taken by the next identity. */
async function keep(shown: string, kept: string, back: boolean): Promise<void> {
  try {
    await fsp.link(shown, kept);
  } catch (error) {
    if (diskErrorCode(error) !== 'EEXIST') throw error;
    const [one, other] = [await fsp.stat(shown), await fsp.stat(kept)];
    if (one.ino === other.ino && one.dev === other.dev) return;
    throw new HekateError('ROTATION_STEP', `${kept} is there from another rotation`, {
      fix: `finish that one: \`hekate identity drop${back ? ' --new' : ''}\` in this home`,
    });
  }
}

/** Throws TLS_IDENTITY_INVALID, TLS_IDENTITY_MISSING or TLS_KEY_MODE. */
async function checkPair({ key, certificate }: IdentityFiles): Promise<{ readonly certPem: string }> {
  const { certPem, keyPem } = await loadIdentity(certificate, key);
  wipe(keyPem);
  return { certPem };
}

function interrupted({ certificate }: IdentityFiles): HekateError {
  return new HekateError('ROTATION_STEP', `${certificate} is there without its key: a switch was interrupted`, {
    fix: 'finish it: `hekate identity switch`',
  });
}

function nothingToSwitchTo({ certificate }: IdentityFiles, back: boolean): HekateError {
  return new HekateError('ROTATION_STEP', `there is no ${certificate} to switch to`, {
    fix: back ? 'make a new identity instead: the old one was dropped' : 'make it first: `hekate identity new`',
  });
}

/** Not there, or there with all of its contents. */
async function createWholeFile(path: string, contents: Uint8Array | string, mode: number): Promise<void> {
  await fsp.rm(`${path}.tmp`, { force: true });
  await createFile(`${path}.tmp`, contents, mode);
  await fsp.rename(`${path}.tmp`, path);
  await syncFolder(dirname(path));
}
