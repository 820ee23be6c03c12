import { promises as fsp } from 'node:fs';
import { join } from 'node:path';
import { HekateError, messageOf } from '../../../shared/errors.js';
import { accessDenied } from '../../../shared/ports/access-denied.js';
import { createFile } from '../../../shared/ports/durable-file.js';
import { exists, makeFolder, MODE_PUBLIC, replaceFile } from '../../durable-files.js';
import { encodeShardPoint, type ShardPoint } from './shard-point.js';

const SUFFIX = '.point.json';

/** Writes what is public of shards into a folder, a file each; what was made there of them before is replaced. Returns the files. */
export async function writePointFiles(dir: string, points: readonly ShardPoint[]): Promise<readonly string[]> {
  const files: string[] = [];
  try {
    await makeFolder(dir);
    for (const point of points) {
      const file = join(dir, `${point.chainId}_shard_${point.id}${SUFFIX}`);
      const text = encodeShardPoint(point);
      if (await exists(file)) await replaceFile(file, text);
      else await createFile(file, text, MODE_PUBLIC);
      files.push(file);
    }
  } catch (error) {
    throw (
      accessDenied(error) ??
      new HekateError('WRITE_FAILED', `${dir} was not written: ${messageOf(error)}`, { cause: error })
    );
  }
  return files;
}

/** Files of points by their paths, or by those of folders in which they are together. Throws USAGE or ACCESS_DENIED. */
export async function pointFilesOf(paths: readonly string[]): Promise<readonly string[]> {
  const files: string[] = [];
  for (const path of paths)
    try {
      if (!(await fsp.stat(path)).isDirectory()) files.push(path);
      else
        files.push(
          ...(await fsp.readdir(path)).filter((name) => name.endsWith(SUFFIX)).map((name) => join(path, name)),
        );
    } catch (error) {
      throw (
        accessDenied(error) ?? new HekateError('USAGE', `${path} cannot be read: ${messageOf(error)}`, { cause: error })
      );
    }
  return files;
}
