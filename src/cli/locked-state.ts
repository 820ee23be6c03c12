import type { GroupInfo } from '../shared/home/group-file.js';

/** A chain of a cosigner that does not run. */
export interface LockedState {
  /** State file. */
  readonly path: string;
  readonly binding: GroupInfo;
}

/** Throws USAGE when the home of a cosigner has no such chain. */
export async function checkHasChain(home: string, chainId: string): Promise<void> {
  const { loadCosignerConfig } = await import('../shared/config/cosigner-config.js');
  const { HekateError } = await import('../shared/errors.js');
  const { chains, file } = await loadCosignerConfig(home);
  if (chains.some(({ id }) => id === chainId)) return;
  throw new HekateError('USAGE', `${file} has no chain ${JSON.stringify(chainId)}`, {
    fix: `give one of its chains: ${chains.map(({ id }) => id).join(', ')}`,
  });
}

/** Keeps the cosigner of a home from running meanwhile. Throws USAGE, HOME_LOCKED, GROUP_INVALID, and what `use` throws. */
export async function withLockedState<T>(
  home: string,
  chainId: string,
  use: (state: LockedState) => Promise<T>,
): Promise<T> {
  const { loadGroupFile } = await import('../shared/home/group-file.js');
  const { groupFile, watermarkFile } = await import('../shared/home/paths.js');
  const { lockHome } = await import('../shared/process/home-lock.js');
  await checkHasChain(home, chainId);
  // Not the state's own lock: a cosigner whose state file was moved away still signs on it.
  const unlock = lockHome(home);
  try {
    const binding = await loadGroupFile(groupFile(home, chainId), chainId);
    return await use({ path: watermarkFile(home, chainId), binding });
  } finally {
    unlock();
  }
}
