import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { asSystemError } from './system-error.js';

function thrownBy(task: () => unknown): unknown {
  try {
    task();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('what the system refuses is no fault of hekate', () => {
  it.each<[string, () => unknown, string]>([
    [
      'a file that is not there',
      () => readFileSync('/nowhere/x'),
      "SYSTEM_ERROR: ENOENT: no such file or directory, open '/nowhere/x'. Fix: bring the file or program back, or correct the path",
    ],
    [
      'a file where a folder should be',
      () => readdirSync('/dev/null'),
      "SYSTEM_ERROR: ENOTDIR: not a directory, scandir '/dev/null'. Fix: correct the path: a part of it is no folder",
    ],
    [
      'a full disk',
      () => writeFileSync('/dev/full', 'x'),
      'SYSTEM_ERROR: ENOSPC: no space left on device, write. Fix: make room on the disk, then run it again',
    ],
    [
      'a program that is not there',
      () => {
        throw spawnSync('/nowhere/node').error ?? new Error('it is there');
      },
      'SYSTEM_ERROR: spawnSync /nowhere/node ENOENT. Fix: bring the file or program back, or correct the path',
    ],
    [
      'something rare',
      () => {
        throw Object.assign(new Error('EXDEV: cross-device link'), { code: 'EXDEV', syscall: 'rename' });
      },
      'SYSTEM_ERROR: EXDEV: cross-device link. Fix: see the cause: it is what the operating system answered',
    ],
  ])('%s', (_name, task, line) => {
    expect(asSystemError(thrownBy(task))?.toLine()).toBe(line);
  });

  it.each([
    ['a fault of ours', new TypeError('x is not a function')],
    ['an argument that Node refuses', thrownBy(() => readFileSync('\0'))],
    ['no error at all', 'ENOENT'],
  ])('but %s is', (_name, error) => {
    expect(asSystemError(error)).toBeUndefined();
  });
});
