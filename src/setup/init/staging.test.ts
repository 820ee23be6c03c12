import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { spawnSync } from 'node:child_process';
import type { HekateError } from '../../shared/errors.js';
import { addWhole, createWhole, recover, type Journal } from './staging.js';

let dir: string;
const DEAD_PID = String(spawnSync(process.execPath, ['--version']).pid);
const JOURNAL: Journal = {
  chainId: 'two',
  moves: ['a/new', 'b/new'],
  appends: [{ file: 'a/config', text: 'new = 1\n' }],
};

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hekate-staging-'));
  for (const name of ['a', 'b']) {
    mkdirSync(join(dir, name));
    writeFileSync(join(dir, name, 'config'), 'old = 1\n');
  }
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

const write = async (root: string): Promise<void> => {
  for (const name of ['a', 'b']) {
    mkdirSync(join(root, name), { recursive: true });
    writeFileSync(join(root, name, 'new'), name);
  }
};

const files = (): string[] =>
  (readdirSync(dir, { recursive: true }) as string[]).filter((path) => path.includes('/')).sort();
const DONE = ['a/config', 'a/new', 'b/config', 'b/new'];

/** The staging folder as a process that was killed left it. */
async function killed(pid: string, withJournal: boolean, moved: readonly string[]): Promise<void> {
  const staging = join(dir, '.init-staging');
  mkdirSync(join(staging, 'files'), { recursive: true });
  await write(join(staging, 'files'));
  writeFileSync(join(staging, 'pid'), pid);
  if (withJournal) writeFileSync(join(staging, 'journal.json'), JSON.stringify(JOURNAL));
  for (const path of moved) {
    writeFileSync(join(dir, path), readFileSync(join(staging, 'files', path)));
    rmSync(join(staging, 'files', path));
  }
}

test('everything gets to its place', async () => {
  await addWhole(dir, write, JOURNAL);
  expect(files()).toEqual(DONE);
  expect(readFileSync(join(dir, 'a', 'config'), 'utf8')).toBe('old = 1\nnew = 1\n');
  expect(existsSync(join(dir, '.init-staging'))).toBe(false);
});

test.each<[string, readonly string[]]>([
  ['nothing was moved yet', []],
  ['one was moved', ['a/new']],
  ['all was moved', ['a/new', 'b/new']],
])('killed after the journal was written, %s: the next call finishes it', async (_name, moved) => {
  await killed(DEAD_PID, true, moved);
  expect(await recover(dir)).toEqual({ finished: 'two' });
  expect(files()).toEqual(DONE);
  expect(readFileSync(join(dir, 'a', 'config'), 'utf8')).toBe('old = 1\nnew = 1\n');
  expect(await recover(dir)).toBeUndefined();
});

test('killed before the journal was written: the next call clears it away', async () => {
  await killed(DEAD_PID, false, []);
  expect(await recover(dir)).toEqual({ discarded: true });
  expect(files()).toEqual(['a/config', 'b/config']);
});

test('another process that is alive is not disturbed', async () => {
  await killed(String(process.ppid), true, []);
  const before = readdirSync(dir, { recursive: true });
  await expect(recover(dir)).rejects.toMatchObject({ code: 'INIT_RUNNING' });
  expect(readdirSync(dir, { recursive: true })).toEqual(before);
});

test.each<[string, () => void]>([
  ['something stands where the last file goes', () => writeFileSync(join(dir, 'b', 'new'), 'mine')],
  ['a file to append to is gone', () => rmSync(join(dir, 'a', 'config'))],
])('a step that fails is undone with those before it: %s', async (_name, prepare) => {
  prepare();
  const before = files();
  await expect(addWhole(dir, write, JOURNAL)).rejects.toThrow();
  expect(files()).toEqual(before);
  expect(existsSync(join(dir, '.init-staging'))).toBe(false);
});

test.each<[name: string, expected: readonly string[], meanwhile: () => void]>([
  ['and the folders made for it', ['a', 'b'], () => undefined],
  [
    'but not what somebody else put beside it',
    ['a', 'b', 'new', 'new/folder', 'new/folder/theirs'],
    () => writeFileSync(join(dir, 'new', 'folder', 'theirs'), ''),
  ],
])('what cannot be written is taken away, %s', async (_name, expected, meanwhile) => {
  const writing = createWhole(join(dir, 'new', 'folder', 'cluster'), async (root) => {
    await write(root);
    meanwhile();
    throw new Error('the disk is full');
  });
  await expect(writing).rejects.toThrow('the disk is full');
  const left = (readdirSync(dir, { recursive: true }) as string[]).filter((path) => !path.endsWith('config'));
  expect(left.sort()).toEqual(expected);
});

test('a temporary folder that is there already is not ours to remove', async () => {
  const theirs = join(dir, `.cluster.init-${process.pid}`);
  mkdirSync(theirs);
  writeFileSync(join(theirs, 'share.key'), 'x');
  await expect(createWhole(join(dir, 'cluster'), write)).rejects.toThrow('EEXIST');
  expect(readdirSync(theirs)).toEqual(['share.key']);
});

test('shares that a killed init left beside the folder are removed', async () => {
  const [left, alive] = [`.cluster.init-${DEAD_PID}`, `.cluster.init-${process.ppid}`];
  const others = ['.cluster.init-', `.cluster.init-${DEAD_PID}.old`, `.cluster.init-0${DEAD_PID}`];
  for (const name of [left, alive, ...others]) mkdirSync(join(dir, name));
  await createWhole(join(dir, 'cluster'), write);
  expect(readdirSync(dir).sort()).toEqual([alive, ...others, 'a', 'b', 'cluster'].sort());
});

test('a folder that somebody else fills meanwhile stays as it is', async () => {
  const cluster = join(dir, 'cluster');
  const writing = createWhole(cluster, async (root) => {
    await write(root);
    mkdirSync(join(cluster, 'theirs'), { recursive: true });
  });
  await expect(writing).rejects.toMatchObject({ code: 'INIT_RUNNING' });
  expect([readdirSync(cluster), readdirSync(dir).sort()]).toEqual([['theirs'], ['a', 'b', 'cluster']]);
});

test('of two that add to a folder at once one is told', async () => {
  const both = await Promise.allSettled([addWhole(dir, write, JOURNAL), addWhole(dir, write, JOURNAL)]);
  const told = both.map((one) => (one.status === 'fulfilled' ? 'done' : (one.reason as HekateError).code));
  expect(told.sort()).toEqual(['INIT_RUNNING', 'done']);
  expect(files()).toEqual(DONE);
});
