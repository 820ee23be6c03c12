import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RECORD_VARIABLE } from './suite-record.js';
import { makeRunFolder } from './run-folder.js';

/** Runs once before all tests; what it returns, after them. */
export function setup(): (() => void) | undefined {
  if (process.env[RECORD_VARIABLE] !== undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'hk-record-'));
  process.env[RECORD_VARIABLE] = folder;
  const run = makeRunFolder();
  return () => {
    run.remove();
    rmSync(folder, { recursive: true, force: true });
  };
}
