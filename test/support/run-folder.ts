import { mkdtempSync, rmSync } from 'node:fs';
import type { Cleanup } from './cleanup.js';

/**
 * A run-time folder on a tmpfs for all processes that are started from here on: none of the host's is touched, and none is left.
 * Files in it are named by key, so that clusters do not meet there.
 */
export function makeRunFolder(): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync('/dev/shm/hekate-test-run-');
  process.env['RUNTIME_DIRECTORY'] = path;
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** One more, for a process that is to have its own. */
export function newRunFolder(cleanup: Cleanup): string {
  const path = mkdtempSync('/dev/shm/hekate-test-run-');
  cleanup.add(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
