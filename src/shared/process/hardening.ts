import { writeFileSync } from 'node:fs';

/**
 * Invariant 8, no secret leaves: a core dump of this process carries no memory (core(5), coredump_filter). Where the kernel
 * has no such file there is nothing to do here; the service unit sets LimitCORE=0 as well.
 */
export function forbidCoreDumps(): boolean {
  try {
    writeFileSync('/proc/self/coredump_filter', '0');
    return true;
  } catch {
    return false;
  }
}
