import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../src/shared/errors.js';
import type { Cleanup } from './cleanup.js';
import { guardAgainstLeftMount } from './orphan-guard.js';

/** Skips the test, and says why, where nothing can be mounted; in CI that is a failure. */
export function needsMount(context: { skip(note: string): void }, folder: string): void {
  const probe = join(folder, 'mount-probe');
  mkdirSync(probe);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', probe], { stdio: 'pipe' });
    execFileSync('umount', [probe]);
  } catch (error) {
    if (process.env['CI'] !== undefined) throw error;
    context.skip(`a small disk cannot be mounted here (needs root): ${messageOf(error)}`);
  }
}

/** Moves what is in `folder` to a disk of 64 KiB, or of `kilobytes`, that is mounted there instead. */
export function putOnSmallDisk(folder: string, cleanup: Cleanup, kilobytes = 64): void {
  const aside = `${folder}.aside`;
  renameSync(folder, aside);
  mkdirSync(folder, { mode: 0o700 });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k,mode=700`, 'tmpfs', folder]);
  guardAgainstLeftMount(folder);
  // Lazily: processes that still run may have files open on it.
  cleanup.add(() => execFileSync('umount', ['--lazy', folder]));
  cpSync(aside, folder, { recursive: true });
}

export function makeReadOnly(folder: string): void {
  execFileSync('mount', ['-o', 'remount,ro', folder]);
}

export function makeWritable(folder: string): void {
  execFileSync('mount', ['-o', 'remount,rw', folder]);
}

/** What fillDisk wrote goes. */
export function emptyDisk(folder: string): void {
  for (const name of readdirSync(folder)) if (name.startsWith('fill-')) rmSync(join(folder, name));
}

/** Writes until not a page is left. */
export function fillDisk(folder: string): void {
  for (let size = 32 * 1024, i = 0; size >= 512; i++) {
    try {
      writeFileSync(join(folder, `fill-${i}`), new Uint8Array(size));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
      size /= 2;
    }
  }
}
