import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { lockHome } from './home-lock.js';

const PROBE = `
  const { tryLock } = require(process.argv[1]);
  const { openSync } = require('node:fs');
  process.stdout.write(String(tryLock(openSync(process.argv[2], 'a+'))));
`;

/** Whether another process gets the lock. */
function freeForOthers(home: string): string {
  const addon = createRequire(import.meta.url).resolve('fs-native-extensions');
  return spawnSync(process.execPath, ['-e', PROBE, addon, join(home, 'lock')], { encoding: 'utf8' }).stdout;
}

it('a home has one process at a time', () => {
  const home = mkdtempSync(join(tmpdir(), 'hekate-lock-'));
  const unlock = lockHome(home);
  expect(() => lockHome(home)).toThrow(/another process runs with/);
  expect(freeForOthers(home)).toBe('false');
  unlock();
  expect(freeForOthers(home)).toBe('true');
  lockHome(home)();
});
