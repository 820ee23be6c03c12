import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isHekateError } from '../errors.js';
import { openRunFolder, removeRunFile, runFolderOf, runFolderPlaces } from './node-run-folder.js';

const ROOT_ONLY = process.getuid?.() === 0;
const OWNER = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
let memory: string;
let disk: string;
beforeAll(() => {
  memory = mkdtempSync('/dev/shm/hekate-test-');
  disk = mkdtempSync(join(tmpdir(), 'hekate-test-'));
});
afterAll(() => {
  for (const folder of [memory, disk]) rmSync(folder, { recursive: true, force: true });
});

const places = (given: string) => ({ given, usual: [] });
function problemOf(path: string): string {
  try {
    openRunFolder(places(path), OWNER);
    return 'fine';
  } catch (error) {
    return isHekateError(error) ? `${error.code}: ${error.message}` : String(error);
  }
}

it.each<[name: string, env: Record<string, string>, given: string | undefined, usual: readonly string[]]>([
  ['nothing set', {}, undefined, ['/run/hekate', '/dev/shm/hekate-7']],
  [
    'a session',
    { XDG_RUNTIME_DIR: '/run/user/7' },
    undefined,
    ['/run/hekate', '/run/user/7/hekate', '/dev/shm/hekate-7'],
  ],
  ['a session that is no path', { XDG_RUNTIME_DIR: 'x' }, undefined, ['/run/hekate', '/dev/shm/hekate-7']],
  ['a service', { RUNTIME_DIRECTORY: '/run/a' }, '/run/a', ['/run/hekate', '/dev/shm/hekate-7']],
  ['a service with two', { RUNTIME_DIRECTORY: '/run/a:/run/b' }, '/run/a', ['/run/hekate', '/dev/shm/hekate-7']],
  ['a service with none', { RUNTIME_DIRECTORY: '' }, undefined, ['/run/hekate', '/dev/shm/hekate-7']],
])('where it may be: %s', (_name, env, given, usual) => {
  expect(runFolderPlaces(env, 7)).toEqual({ given, usual });
});

describe('a folder', () => {
  it('is made, for us alone', () => {
    const path = join(memory, 'new');
    expect(problemOf(path)).toBe('fine');
    expect(statSync(path).mode & 0o777).toBe(0o700);
  });

  it('that was open to others is closed', () => {
    const path = join(memory, 'open');
    mkdirSync(path);
    chmodSync(path, 0o755);
    expect(problemOf(path)).toBe('fine');
    expect(statSync(path).mode & 0o777).toBe(0o700);
  });

  it.each<[name: string, make: () => string, problem: RegExp]>([
    ['on a disk', () => join(disk, 'folder'), /is not on a tmpfs/],
    ['that is a link', () => (symlinkSync(memory, join(memory, 'link')), join(memory, 'link')), /is a link or a file/],
    ['that is a file', () => (writeFileSync(join(memory, 'file'), ''), join(memory, 'file')), /is a link or a file/],
    ['below nothing', () => join(memory, 'no/thing'), /cannot be used \(ENOENT\)/],
    ['that is no absolute path', () => 'run', /is not an absolute path/],
    ['of a long name', () => `${memory}/${'x'.repeat(280)}`, /is longer than 300 bytes/],
  ])('%s is not used', (_name, make, problem) => {
    const text = problemOf(make());
    expect(text).toMatch(/^RUN_FOLDER_UNUSABLE: /);
    expect(text).toMatch(problem);
  });

  it.skipIf(!ROOT_ONLY)('of another user is not used', () => {
    const path = join(memory, 'theirs');
    mkdirSync(path);
    chownSync(path, 61_001, 61_001);
    expect(problemOf(path)).toMatch(/belongs to user 61001, and not to user 0/);
  });

  it.skipIf(!ROOT_ONLY)('and its files are the home owner’s, where root starts its process once by hand', () => {
    const home = join(disk, 'home');
    mkdirSync(home);
    chownSync(home, 61_001, 61_001);
    const path = join(memory, 'of-service');
    const folder = runFolderOf(home, { RUNTIME_DIRECTORY: path });
    folder.open('a').close();
    expect([path, folder.pathOf('a')].map((one) => statSync(one).uid)).toEqual([61_001, 61_001]);
  });

  it('the first one that can be had is used, and all that cannot be are named', () => {
    const [bad, good] = [join(disk, 'bad'), join(memory, 'good')];
    expect(openRunFolder({ given: undefined, usual: [bad, good] }, OWNER).pathOf('x')).toBe(join(good, 'x'));
    expect(() => openRunFolder({ given: undefined, usual: [bad, 'run'] }, OWNER)).toThrow(
      /bad is not on a tmpfs.*; run is not/,
    );
  });
});

describe('a file', () => {
  const folder = () => openRunFolder(places(join(memory, 'files')), OWNER);

  it('keeps what was written last, over processes', () => {
    const file = folder().open('a');
    expect(file.read()).toEqual(new Uint8Array());
    file.write(Uint8Array.of(1, 2, 3));
    file.write(Uint8Array.of(4, 5, 6));
    file.close();
    const again = folder().open('a');
    expect(again.read()).toEqual(Uint8Array.of(4, 5, 6));
    expect(statSync(folder().pathOf('a')).mode & 0o777).toBe(0o600);
    again.remove();
    again.close();
    expect(folder().open('a').read()).toEqual(new Uint8Array());
  });

  it('is one process’s', () => {
    const file = folder().open('b');
    expect(() => folder().open('b')).toThrow(/is held by another process/);
    file.close();
    folder().open('b').close();
  });

  it.each<[name: string, make: (path: string) => void]>([
    ['a link', (path) => symlinkSync('/dev/null', path)],
    ['a folder', (path) => mkdirSync(path)],
    ['a second name', (path) => (writeFileSync(`${path}-first`, ''), linkSync(`${path}-first`, path))],
    ['a pipe', (path) => void execFileSync('mkfifo', [path])],
  ])('that is %s is not used', (name, make) => {
    make(folder().pathOf(name));
    expect(() => folder().open(name)).toThrow(/cannot be opened|is not a plain file of one name/);
  });

  it('that is gone is removed', () => {
    const path = join(memory, 'files', 'c');
    folder().open('c').close();
    removeRunFile(path);
    removeRunFile(path);
    removeRunFile(join(memory, 'file', 'c'));
    mkdirSync(path);
    expect(() => removeRunFile(path)).toThrow(/of an earlier start, cannot be removed/);
  });
});
