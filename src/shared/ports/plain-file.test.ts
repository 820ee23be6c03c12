import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { messageOf } from '../errors.js';
import { diskErrorCode } from './disk-error.js';
import { readPlainFile } from './plain-file.js';

const folder = mkdtempSync(join(tmpdir(), 'hekate-plain-'));
afterAll(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, 'empty'), '');
writeFileSync(join(folder, 'eight'), '12345678');
writeFileSync(join(folder, 'nine'), '123456789');
symlinkSync('eight', join(folder, 'link'));

async function outcome(name: string): Promise<string> {
  try {
    return Buffer.from(await readPlainFile(resolve(folder, name), 8)).toString();
  } catch (error) {
    return String(diskErrorCode(error));
  }
}

test.each([
  ['empty', ''],
  ['eight', '12345678'],
  ['link', '12345678'],
  ['nine', 'EUNFIT'],
  ['.', 'EUNFIT'],
  ['/dev/null', 'EUNFIT'],
  ['none', 'ENOENT'],
])('%s, 8 bytes at most: %s', async (name, expected) => {
  expect(await outcome(name)).toBe(expected);
});

test('a check sees the opened file, and can refuse it', async () => {
  const refuse = ({ size }: { size: number }): void => {
    throw new Error(`not with ${size}`);
  };
  expect(await readPlainFile(join(folder, 'eight'), 8, refuse).catch(messageOf)).toBe('not with 8');
});
