import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, it } from 'vitest';
import { VERSION } from '../../src/shared/version.js';
import { cleanupAfterAll } from '../support/cleanup.js';
import { freePorts } from '../support/ports.js';
import { TestProcess } from '../support/processes.js';
import { PROJECT_ROOT, TestFolder } from '../support/project.js';

const run = promisify(execFile);
const cleanup = cleanupAfterAll();
const folder = new TestFolder('install');
cleanup.add(() => folder.remove());
const clone = folder.file('clone');
const elsewhere = folder.file('elsewhere');
let version: string;

/** A clone of what git has or would take. node_modules is a copy of ours, so that nothing is downloaded. */
beforeAll(async () => {
  const args = ['-C', PROJECT_ROOT, 'ls-files', '--cached', '--others', '--exclude-standard', '--deduplicate'];
  const { stdout } = await run('git', args);
  for (const file of [...stdout.trim().split('\n'), 'node_modules']) {
    mkdirSync(dirname(join(clone, file)), { recursive: true });
    cpSync(join(PROJECT_ROOT, file), join(clone, file), { recursive: true, verbatimSymlinks: true });
  }
  mkdirSync(elsewhere);
  const git = (...rest: string[]): Promise<{ stdout: string }> =>
    run('git', ['-C', clone, '-c', 'user.name=x', '-c', 'user.email=x', ...rest], { maxBuffer: 1 << 24 });
  await git('init', '--quiet');
  await git('add', '--all');
  await git('commit', '--quiet', '--message', 'all');
  const commit = (await git('rev-parse', 'HEAD')).stdout.trim();
  version = `hekate ${VERSION}, commit ${commit}, Node ${process.version}\n`;
});

it('a fresh clone runs by its launcher, from anywhere and through links', async () => {
  symlinkSync(join(clone, 'hekate'), folder.file('absolute'));
  symlinkSync('absolute', folder.file('relative'));
  for (const launcher of [join(clone, 'hekate'), folder.file('absolute'), folder.file('relative')])
    expect((await run(launcher, ['--version'], { cwd: elsewhere })).stdout).toBe(version);
  rmSync(join(clone, 'dist'), { recursive: true });
});

it('a fresh clone packs a tarball that installs without a network, and what it installs works', async () => {
  await run('npm', ['pack', '--loglevel=error'], { cwd: clone });
  const tarball = join(clone, `hekate-${VERSION}.tgz`);
  const prefix = folder.file('prefix');
  await run('npm', ['install', '--global', '--offline', '--prefix', prefix, tarball], { cwd: elsewhere });
  const installed = join(prefix, 'lib', 'node_modules', 'hekate');
  expect(readdirSync(join(installed, 'dist')).sort()).toEqual([
    'commit.json',
    'cosigner',
    'proto',
    'sentry-link',
    'src',
  ]);

  const hekate = join(prefix, 'bin', 'hekate');
  expect((await run(hekate, ['--version'], { cwd: elsewhere })).stdout).toBe(version);
  const init = ['init', 'made', '--chain-id', 'install-1', '--node', 'tcp://127.0.0.1:1', '--threshold', '2'];
  const ports = (await freePorts(3)).map((port) => `127.0.0.1:${port}`);
  await run(hekate, [...init, '--cosigner', ...ports], { cwd: elsewhere });
  const cosigner = new TestProcess({
    name: 'installed',
    command: hekate,
    args: ['cosigner', 'start', '--home', join(elsewhere, 'made', 'cosigner-1'), '--log-format', 'json'],
    logFile: folder.file('installed.log'),
  });
  cleanup.add(() => cosigner.stop());
  // The addons of its dependencies load.
  expect(await cosigner.waitForLine('start', (line) => line.includes('listening'), 20_000)).toContain(
    '"group":"native"',
  );
});
