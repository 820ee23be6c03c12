import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../support/project.js';

export interface Machine {
  readonly node: string;
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGb: number;
  readonly platform: string;
  /** Where the state files are while it runs. */
  readonly disk: string;
  /** Load average of the last minute, before the run. */
  readonly load: number;
}

/** statfs(2): a write to these is durable in no sense. */
const IN_MEMORY: ReadonlyMap<number, string> = new Map([
  [0x01021994, 'tmpfs'],
  [0x858458f6, 'ramfs'],
]);

/** A folder on a real disk, with a path short enough for unix sockets. */
export function makeFolder(): { readonly path: string; readonly remove: () => void } {
  const cache = join(PROJECT_ROOT, '.cache');
  mkdirSync(cache, { recursive: true });
  const parent = [tmpdir(), '/var/tmp', cache].find((path) => !inMemory(path));
  if (parent === undefined) throw new Error('neither the temporary folders nor .cache are on a disk');
  const path = mkdtempSync(join(parent, 'hk-bench-'));
  const remove = (): void => {
    if (process.env['HEKATE_KEEP_TEST_FILES'] === undefined)
      rmSync(path, { recursive: true, force: true, maxRetries: 5 });
  };
  return { path, remove };
}

export function describeMachine(folder: string): Machine {
  const all = cpus();
  return {
    node: process.version,
    cores: all.length,
    cpu: all[0]?.model.trim() ?? 'unknown',
    memoryGb: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}`,
    disk: `${folder} (file system type 0x${statfsSync(folder).type.toString(16)})`,
    load: Number((loadavg()[0] ?? 0).toFixed(2)),
  };
}

function inMemory(path: string): boolean {
  try {
    return IN_MEMORY.has(statfsSync(path).type);
  } catch {
    return true;
  }
}
