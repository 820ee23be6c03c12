import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { HekateError, isHekateError } from '../shared/errors.js';
import type { ProcessStatus } from '../shared/status/process-status.js';
import { readStatus } from '../shared/status/status-socket.js';

export type CollectedStatus =
  | { readonly home: string; readonly running: true; readonly status: ProcessStatus }
  | { readonly home: string; readonly running: false; readonly problem: string };

/** Asks every process whose home is DIR or lies directly in it; throws NO_HOME when there is none. */
export async function collectStatus(dir: string): Promise<readonly CollectedStatus[]> {
  const homes = isHome(dir)
    ? [dir]
    : listFolders(dir)
        .map((name) => join(dir, name))
        .filter(isHome);
  if (homes.length === 0) throw new HekateError('NO_HOME', `no cosigner or sentry-link home in ${dir}`);
  return Promise.all(homes.map(ask));
}

async function ask(home: string): Promise<CollectedStatus> {
  try {
    return { home, running: true, status: await readStatus(home) };
  } catch (error) {
    if (isHekateError(error)) return { home, running: false, problem: error.toLine() };
    throw error;
  }
}

function isHome(dir: string): boolean {
  return existsSync(join(dir, 'cosigner.toml')) || existsSync(join(dir, 'sentry-link.toml'));
}

function listFolders(dir: string): readonly string[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}
