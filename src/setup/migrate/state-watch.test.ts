import { mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { watchStateFile } from './state-watch.js';

let dir: string;
let file: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hekate-state-'));
  file = join(dir, 'state.json');
  writeFileSync(file, 'one');
  utimesSync(file, 1000, 1000);
});
afterEach(() => rmSync(dir, { recursive: true }));

it.each<[string, () => void, boolean, number]>([
  ['nothing', () => undefined, false, 60],
  ['a write', () => writeFileSync(file, 'two'), true, 0],
  ['a write of the same', () => writeFileSync(file, 'one'), true, 0],
  [
    'another file in its place',
    () => {
      writeFileSync(`${file}.tmp`, 'two');
      utimesSync(`${file}.tmp`, 1000, 1000);
      renameSync(`${file}.tmp`, file);
    },
    true,
    60,
  ],
  ['its end', () => rmSync(file), true, 1060],
])('sees %s', async (_name, happen, changed, ageSeconds) => {
  const end = await watchStateFile(file, () => 1060);
  happen();
  expect(await end()).toEqual({ file, ageSeconds, changed });
});
