import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isHekateError } from '../shared/errors.js';
import { findChainFiles, findHomes, findNumberedHomes } from './find-homes.js';

let dir = '';
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'hekate-find-'))));
afterEach(() => rmSync(dir, { recursive: true }));

function write(...files: readonly string[]): void {
  for (const file of files) {
    mkdirSync(dirname(join(dir, file)), { recursive: true });
    writeFileSync(join(dir, file), '');
  }
}

async function namesOr(found: Promise<readonly string[]>): Promise<readonly string[] | string> {
  try {
    return (await found).map((path) => relative(dir, path) || '.');
  } catch (error) {
    if (isHekateError(error)) return error.code;
    throw error;
  }
}

test.each<[string, readonly string[], readonly string[] | string]>([
  ['nothing there', [], 'NO_HOME'],
  ['a home', ['a.toml'], ['.']],
  ['a home hides those in it', ['a.toml', 'x/a.toml'], ['.']],
  ['homes of both kinds, by number', ['x-10/a.toml', 'x-2/b.toml', 'y/c.toml'], ['x-2', 'x-10']],
  ['a home of both kinds is one', ['x/a.toml', 'x/b.toml'], ['x']],
  ['hidden folders are left out', ['.x/a.toml'], 'NO_HOME'],
  ['two folders down is too far', ['x/y/a.toml'], 'NO_HOME'],
])('homes: %s', async (_name, files, expected) => {
  write(...files);
  expect(await namesOr(findHomes(dir, 'a.toml', 'b.toml'))).toEqual(expected);
});

test('homes: a folder that is not there has none', async () => {
  expect(await namesOr(findHomes(join(dir, 'none'), 'a.toml'))).toBe('NO_HOME');
});

test.each<[string, readonly string[], readonly string[]]>([
  ['none', ['x-2/a.toml'], []],
  ['up to the first gap', ['x-1/a.toml', 'x-2/a.toml', 'x-4/a.toml', 'y-3/a.toml'], ['x-1', 'x-2']],
])('numbered homes: %s', async (_name, files, expected) => {
  write(...files);
  expect(await namesOr(findNumberedHomes(dir, (number) => `x-${number}`, 'a.toml'))).toEqual(expected);
});

test.each<[string, readonly string[], readonly string[] | string]>([
  ['nothing there', ['group.json'], 'NO_HOME'],
  ['of a folder', ['chains/one/group.json', 'chains/two/share.key', 'x/chains/three/share.key'], ['one', 'two share']],
  ['of the folders in it', ['x/chains/one/share.key', 'y/chains/one/group.json'], ['one share', 'one']],
  ['what is no chain id is left out', ['chains/a b/group.json', 'chains/one/group.json'], ['one']],
])('chains: %s', async (_name, files, expected) => {
  write(...files);
  const chains = findChainFiles(dir).then((found) =>
    found.map(({ chainId, share }) => join(dir, share === undefined ? chainId : `${chainId} share`)),
  );
  expect(await namesOr(chains)).toEqual(expected);
});
