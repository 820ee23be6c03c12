import type { ErrorCode } from '../shared/error-codes.js';
import { isHekateError } from '../shared/errors.js';
import { COSIGNER_CONFIG_FILE, SENTRY_LINK_CONFIG_FILE } from '../shared/home/paths.js';
import { readStatus } from '../shared/status/ask-process.js';
import type { ProcessStatus } from '../shared/status/process-status.js';
import { findHomes } from './find-homes.js';
import { completeStatus } from './older-status.js';

export type CollectedStatus =
  | { readonly home: string; readonly running: true; readonly status: ProcessStatus }
  | { readonly home: string; readonly running: false; readonly code: ErrorCode; readonly problem: string };

/** Asks every process whose home is DIR or lies directly in it; throws NO_HOME when there is none. */
export async function collectStatus(dir: string): Promise<readonly CollectedStatus[]> {
  const homes = await findHomes(dir, COSIGNER_CONFIG_FILE, SENTRY_LINK_CONFIG_FILE);
  return Promise.all(homes.map(ask));
}

async function ask(home: string): Promise<CollectedStatus> {
  try {
    return { home, running: true, status: completeStatus(await readStatus(home)) };
  } catch (error) {
    if (isHekateError(error)) return { home, running: false, code: error.code, problem: error.toLine() };
    throw error;
  }
}
