import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { collectStatus, type CollectedStatus } from '../setup/collect-status.js';
import { HekateError } from '../shared/errors.js';
import { diskErrorCode } from '../shared/ports/disk-error.js';
import { PLAN_FILE } from './dev-cluster.js';
import { DEFAULT_DIR } from './dev-home.js';
import { runningDev } from './dev-lock.js';

/** A local cluster as it is now. */
export interface DevStatus {
  readonly chainId: string;
  readonly dir: string;
  /** The `hekate dev` that runs it, and ends it with Ctrl-C or SIGTERM; null when none does. */
  readonly pid: number | null;
  readonly processes: readonly CollectedStatus[];
}

/** All local clusters below `parent`, or the one of a chain. Throws NO_HOME when there is none. */
export async function devStatus(parent = DEFAULT_DIR, chainId?: string): Promise<readonly DevStatus[]> {
  const chains = chainId === undefined ? await chainsIn(parent) : [chainId];
  const found = chains.filter((chain) => existsSync(join(parent, chain, PLAN_FILE)));
  if (found.length === 0)
    throw new HekateError('NO_HOME', `there is no cluster of \`hekate dev\` in ${join(parent, chainId ?? '')}`, {
      fix: 'make one with `hekate dev`, or give its folder with --dir',
    });
  return Promise.all(
    found.map(async (chain) => {
      const dir = join(parent, chain);
      return { chainId: chain, dir, pid: runningDev(dir) ?? null, processes: await collectStatus(dir) };
    }),
  );
}

async function chainsIn(parent: string): Promise<readonly string[]> {
  return readdir(parent).catch((error: unknown) => {
    if (diskErrorCode(error) === 'ENOENT') return [];
    throw error;
  });
}
