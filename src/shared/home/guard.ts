import { statSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import { HekateError } from '../errors.js';
import { diskErrorCode } from '../ports/disk-error.js';
import { whyUnsafe } from '../ports/file-access.js';
import { CHAINS_FOLDER, STATE_FOLDER, TLS_PEERS_FOLDER } from './paths.js';

/** The folders of a home whose entries somebody could exchange. */
const FOLDERS = ['.', CHAINS_FOLDER, STATE_FOLDER, dirname(TLS_PEERS_FOLDER), TLS_PEERS_FOLDER];

/** Throws HOME_TOO_OPEN when others may change a file or folder that this process acts on. */
export function checkUnchanged(path: string, stats: Stats): void {
  const unsafe = whyUnsafe(path, stats, 'unchanged');
  if (unsafe !== undefined) throw new HekateError('HOME_TOO_OPEN', unsafe.problem, { fix: unsafe.fix });
}

/** The same of a home's folders; what is not there is said by whoever needs it. */
export function checkHomeFolders(home: string): void {
  for (const name of FOLDERS) {
    const path = join(home, name);
    const stats = statOf(path);
    if (stats !== undefined) checkUnchanged(path, stats);
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch (error) {
    if (diskErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
