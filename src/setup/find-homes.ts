import { promises as fsp } from 'node:fs';
import { join } from 'node:path';
import { HekateError } from '../shared/errors.js';
import { exists } from './durable-files.js';
import { CHAINS_FOLDER, groupFile, shareFile } from '../shared/home/paths.js';
import { chainIdProblem } from '../shared/config/chain-id.js';

/** A chain's files in one folder: a home, or what `keys split` made. */
export interface ChainFiles {
  readonly folder: string;
  readonly chainId: string;
  readonly group: string;
  /** Undefined where there is none, as in a sentry-link. */
  readonly share: string | undefined;
}

/** The folder itself if it has this file, otherwise those directly in it that do. Throws NO_HOME when there are none. */
export async function findFolders(folder: string, file: string): Promise<readonly string[]> {
  const candidates = [folder, ...(await foldersIn(folder)).map((name) => join(folder, name))];
  const found: string[] = [];
  for (const candidate of candidates) if (await exists(join(candidate, file))) found.push(candidate);
  if (found[0] === undefined)
    throw new HekateError('NO_HOME', `there is no ${file} in ${folder} or in the folders in it`);
  return found[0] === folder ? [folder] : found;
}

/** The chains of a folder, or of the folders directly in it. Throws NO_HOME when there are none. */
export async function findChainFiles(folder: string): Promise<readonly ChainFiles[]> {
  const own = await chainsOf(folder);
  if (own.length > 0) return own;
  const below: ChainFiles[] = [];
  for (const name of await foldersIn(folder)) below.push(...(await chainsOf(join(folder, name))));
  if (below.length === 0)
    throw new HekateError('NO_HOME', `there is no ${CHAINS_FOLDER} folder in ${folder} or in the folders in it`);
  return below;
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

/** Names of the folders in a folder, cosigner-2 before cosigner-10; none when it is not there. */
async function foldersIn(folder: string): Promise<readonly string[]> {
  const entries = await fsp.readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map((entry) => entry.name)
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}
