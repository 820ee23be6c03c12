import { promises as fsp } from 'node:fs';
import { join } from 'node:path';
import { CHAINS_FOLDER, groupFile, shareFile } from '../shared/home/paths.js';
import { noHomes } from '../shared/home/wrong-home.js';
import { chainIdProblem } from '../shared/config/chain-id.js';
import { diskErrorCode } from '../shared/ports/disk-error.js';
import { ABSENT, exists } from './durable-files.js';

/** A chain's files in one folder: a home, or what `keys split` made. */
export interface ChainFiles {
  readonly folder: string;
  readonly chainId: string;
  readonly group: string;
  /** Undefined where there is none, as in a sentry-link. */
  readonly share: string | undefined;
}

/**
 * The folder itself if it is a home, otherwise those directly in it that are: `configFiles` says of what, any of them makes
 * a home. Throws NO_HOME when there are none.
 */
export async function findHomes(folder: string, ...configFiles: readonly string[]): Promise<readonly string[]> {
  const homes = await hereOrBelow(folder, async (candidate) => {
    for (const file of configFiles) if (await exists(join(candidate, file))) return [candidate];
    return [];
  });
  if (homes.length > 0) return homes;
  throw await noHomes(folder, configFiles);
}

/** The homes in a folder that are called `nameOf` 1, 2, 3 and so on, up to the first that is not there. */
export async function findNumberedHomes(
  folder: string,
  nameOf: (number: number) => string,
  configFile: string,
): Promise<readonly string[]> {
  const homes: string[] = [];
  for (;;) {
    const home = join(folder, nameOf(homes.length + 1));
    if (!(await exists(join(home, configFile)))) return homes;
    homes.push(home);
  }
}

/** The chains of a folder, or of the folders directly in it. Throws NO_HOME when there are none. */
export async function findChainFiles(folder: string): Promise<readonly ChainFiles[]> {
  const chains = await hereOrBelow(folder, chainsOf);
  if (chains.length > 0) return chains;
  throw await noHomes(folder, [CHAINS_FOLDER]);
}

async function chainsOf(folder: string): Promise<ChainFiles[]> {
  const found: ChainFiles[] = [];
  for (const chainId of await foldersIn(join(folder, CHAINS_FOLDER))) {
    if (chainIdProblem(chainId) !== undefined) continue;
    const share = shareFile(folder, chainId);
    const group = groupFile(folder, chainId);
    found.push({ folder, chainId, group, share: (await exists(share)) ? share : undefined });
  }
  return found;
}

/** What is found in a folder, or if that is nothing, in the folders directly in it. */
async function hereOrBelow<T>(folder: string, look: (folder: string) => Promise<readonly T[]>): Promise<readonly T[]> {
  const here = await look(folder);
  if (here.length > 0) return here;
  const below: T[] = [];
  for (const name of await foldersIn(folder)) below.push(...(await look(join(folder, name))));
  return below;
}

/** Names of the folders in a folder, cosigner-2 before cosigner-10, no hidden ones; none when it is not there. */
async function foldersIn(folder: string): Promise<readonly string[]> {
  const entries = await fsp.readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if (ABSENT.has(diskErrorCode(error))) return [];
    throw error;
  });
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map((entry) => entry.name)
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}
