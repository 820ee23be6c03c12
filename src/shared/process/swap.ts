import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** How the kernel's files are read; undefined for one that is not there. */
export type ReadText = (path: string) => string | undefined;

/**
 * Where memory of this process may be written to: swap files and devices in use (proc_swaps(5)), but not those that are
 * memory again, and none when its control group may not swap (MemorySwapMax=0 in a service unit).
 */
export function swapInUse(read: ReadText = readText): readonly string[] {
  const [, ...lines] = (read('/proc/swaps') ?? '').split('\n');
  const areas = lines.map((line) => line.split(/\s/, 1)[0] ?? '').filter((area) => area !== '' && !isMemory(area));
  const group = /^0::(.*)$/m.exec(read('/proc/self/cgroup') ?? '')?.[1];
  if (group === undefined) return areas;
  return read(join('/sys/fs/cgroup', group, 'memory.swap.max'))?.trim() === '0' ? [] : areas;
}

const isMemory = (area: string): boolean => /^\/dev\/zram\d+$/.test(area);

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
