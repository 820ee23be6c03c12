import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockDev, lockPath, runningDev } from './dev-lock.js';

let parent: string;
let dir: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'hekate-dev-'));
  dir = join(parent, 'below', 'chain-1');
});
afterEach(() => rmSync(parent, { recursive: true }));

describe('one `hekate dev` a folder', () => {
  it('a second one is told which runs', () => {
    const unlock = lockDev(dir);
    expect(() => lockDev(dir)).toThrow(`process ${process.pid} runs the cluster in ${dir} already`);
    expect(runningDev(dir)).toBe(process.pid);
    unlock();
    expect(runningDev(dir)).toBeUndefined();
    lockDev(dir)();
  });

  it('folders do not lock each other', () => {
    const unlocks = [lockDev(dir), lockDev(join(parent, 'below', 'chain-2'))];
    for (const unlock of unlocks) unlock();
  });

  it.each([
    ['nobody ever did', undefined],
    ['it was killed, and its number is free', String(spawnSync('true').pid)],
    ['its file is empty', ''],
    ['its file says something else', 'x'],
  ])('nobody runs it: %s', (_name, contents) => {
    lockDev(dir)();
    if (contents !== undefined) writeFileSync(lockPath(dir), contents);
    expect(runningDev(dir)).toBeUndefined();
    lockDev(dir)();
  });

  it('it was killed, and its number belongs to another process now', () => {
    const other = spawn('sleep', ['60']);
    lockDev(dir)();
    writeFileSync(lockPath(dir), String(other.pid));
    expect(runningDev(dir)).toBeUndefined();
    other.kill();
  });
});
