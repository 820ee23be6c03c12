import { closeSync, fstatSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { loadCosignerConfig, parseCosignerConfig, type CosignerConfig } from '../../shared/config/cosigner-config.js';
import {
  loadSentryLinkConfig,
  parseSentryLinkConfig,
  type SentryLinkConfig,
} from '../../shared/config/sentry-link-config.js';
import { readConfigText } from '../../shared/config/toml-file.js';
import { HekateError, isHekateError, messageOf } from '../../shared/errors.js';
import { COSIGNER_CONFIG_FILE, cosignerName, SENTRY_LINK_CONFIG_FILE } from '../../shared/home/paths.js';
import { noHomes } from '../../shared/home/wrong-home.js';
import { InvariantViolation } from '../../shared/invariant.js';
import { accessDenied } from '../../shared/ports/access-denied.js';
import { tryLockFile } from '../../shared/ports/file-lock.js';
import { exists, replaceFile } from '../durable-files.js';
import { NotEditable } from './toml-edit.js';

export interface CosignerHome {
  readonly kind: 'cosigner';
  readonly home: string;
  /** As its certificate has it. */
  readonly name: string;
  readonly config: CosignerConfig;
}

export interface LinkHome {
  readonly kind: 'sentry-link';
  readonly home: string;
  readonly name: string;
  readonly config: SentryLinkConfig;
}

export type AnyHome = CosignerHome | LinkHome;

/** Throws NO_HOME or CONFIG_INVALID. */
export async function readAnyHome(home: string): Promise<AnyHome> {
  if (await exists(join(home, COSIGNER_CONFIG_FILE))) {
    const config = await loadCosignerConfig(home);
    return { kind: 'cosigner', home, name: cosignerName(config.id), config };
  }
  if (!(await exists(join(home, SENTRY_LINK_CONFIG_FILE))))
    throw await noHomes(home, [COSIGNER_CONFIG_FILE, SENTRY_LINK_CONFIG_FILE]);
  const config = await loadSentryLinkConfig(home);
  return { kind: 'sentry-link', home, name: config.name, config };
}

/**
 * Changes the files of a home, one command at a time; its process may run meanwhile, and takes the change with its next start.
 * Throws NO_HOME, CONFIG_INVALID, INIT_RUNNING, WRITE_FAILED, and what `change` throws.
 */
export async function changeHome<T>(home: string, change: (home: AnyHome) => Promise<T>): Promise<T> {
  const { config } = await readAnyHome(home);
  try {
    const unlock = lockConfig(config.file);
    try {
      return await change(await readAnyHome(home));
    } finally {
      unlock();
    }
  } catch (error) {
    if (isHekateError(error) || error instanceof InvariantViolation) throw error;
    if (error instanceof NotEditable) throw notEdited(config.file, error.message);
    throw accessDenied(error) ?? new HekateError('WRITE_FAILED', messageOf(error), { cause: error });
  }
}

/** On the configuration itself, so that nothing is left of it. Throws INIT_RUNNING. */
function lockConfig(file: string): () => void {
  const fd = openSync(file, 'r+');
  const close = (): void => closeSync(fd);
  try {
    // Somebody may have put another file there since it was opened.
    if (tryLockFile(fd) && fstatSync(fd).ino === statSync(file).ino) return close;
    throw new HekateError('INIT_RUNNING', `another command changes ${file}`);
  } catch (error) {
    close();
    throw error;
  }
}

export type ChangedValues = Partial<CosignerConfig> | Partial<SentryLinkConfig>;

/**
 * Another text of a home's configuration, comments and all. It must say what it said before, but for `changed`. Throws
 * CONFIG_INVALID, CONFIG_NOT_EDITED or NotEditable.
 */
export async function editedConfig(
  at: AnyHome,
  edit: (text: string) => string,
  changed: ChangedValues,
): Promise<string> {
  const { file } = at.config;
  const text = edit(await readConfigText(file));
  const parse = at.kind === 'cosigner' ? parseCosignerConfig : parseSentryLinkConfig;
  const says = await parse(at.home, file, '', text);
  if (!isDeepStrictEqual(values(says), { ...values(at.config), ...changed }))
    throw notEdited(file, 'it is written in a way that was not foreseen');
  return text;
}

/** As `editedConfig`, and puts it there. */
export async function replaceConfig(
  at: AnyHome,
  edit: (text: string) => string,
  changed: ChangedValues,
): Promise<void> {
  await replaceFile(at.config.file, await editedConfig(at, edit, changed));
}

function values(config: CosignerConfig | SentryLinkConfig): object {
  return { ...config, listenPlace: undefined };
}

function notEdited(file: string, problem: string): HekateError {
  return new HekateError('CONFIG_NOT_EDITED', `${file} was left as it is: ${problem}`);
}
