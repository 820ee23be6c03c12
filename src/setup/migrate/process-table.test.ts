import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Traces } from './old-signer.js';
import { findProcesses, type ProcessReport } from './process-table.js';

let dir: string;
let proc: string;
const children: ChildProcess[] = [];
const inDir = (...parts: readonly string[]): string => join(dir, ...parts);

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hekate-proc-'));
  proc = inDir('proc');
  mkdirSync(proc);
  enter(1, { args: ['init'] });
  mkdirSync(inDir('data', 'state.db'), { recursive: true });
  for (const name of ['tmkms.toml', 'other.toml', 'key', 'data/state.db/LOCK', 'data/state.db/1.ldb', 'far'])
    writeFileSync(inDir(name), name);
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(dir, { recursive: true });
});

interface Entry {
  readonly args: readonly string[];
  readonly exe?: string;
  readonly env?: string;
  readonly cwd?: string;
  readonly open?: readonly string[];
}

/** A process as proc(5) shows it. */
function enter(pid: number, { args, exe = '/usr/bin/x', env, cwd = dir, open = [] }: Entry): void {
  const folder = join(proc, String(pid));
  mkdirSync(join(folder, 'fd'), { recursive: true });
  writeFileSync(join(folder, 'cmdline'), args.map((arg) => `${arg}\0`).join(''));
  if (env !== undefined) writeFileSync(join(folder, 'environ'), env);
  symlinkSync(exe, join(folder, 'exe'));
  symlinkSync('/', join(folder, 'root'));
  symlinkSync(cwd, join(folder, 'cwd'));
  open.forEach((file, i) => symlinkSync(inDir(file), join(folder, 'fd', String(i))));
}

const look = (change: Partial<Traces> = {}): Promise<ProcessReport | undefined> =>
  findProcesses(proc, {
    program: { name: 'tmkms', config: inDir('tmkms.toml') },
    files: [inDir('key')],
    folders: [inDir('data')],
    ...change,
  });

it.each<[string, Entry, string]>([
  ['with -c', { args: ['/usr/bin/tmkms', 'start', '-c', '/CONF'] }, 'runs with'],
  ['with --config=', { args: ['tmkms', 'start', '--config=/CONF'] }, 'runs with'],
  ['in its folder', { args: ['tmkms', 'start'], env: 'A=1\0' }, 'runs with tmkms.toml'],
  ['by its environment', { args: ['tmkms', 'start'], env: 'TMKMS_CONFIG_FILE=/CONF\0', cwd: '/' }, 'runs with'],
  ['under another name', { args: ['signer', 'start', '-c', '/CONF'], exe: '/opt/tmkms (deleted)' }, 'runs with'],
  ['with a version in its name', { args: ['tmkms-0.15.0', 'start', '-c', '/CONF'] }, 'runs with'],
  ['of another user', { args: ['tmkms', 'start'] }, 'nobody says with which configuration'],
  [
    'with a file that cannot be seen',
    { args: ['tmkms', 'start', '-c', '/gone/tmkms.toml'] },
    'nobody says with which configuration',
  ],
  ['that has the key open', { args: ['cat'], open: ['far', 'key'] }, 'key open'],
  ['that has a database of the node open', { args: ['sekaid', 'start'], open: ['data/state.db/1.ldb'] }, '1.ldb open'],
])('finds a process %s', async (_name, entry, why) => {
  enter(7, {
    ...entry,
    args: entry.args.map((arg) => arg.replace('/CONF', inDir('tmkms.toml'))),
    ...(entry.env && { env: entry.env.replace('/CONF', inDir('tmkms.toml')) }),
  });
  const report = await look();
  expect(report).toMatchObject({ found: [{ pid: 7, why: expect.stringContaining(why) as string }], others: [] });
});

it.each<[string, Entry]>([
  ['another program', { args: ['sleep', '5'], open: ['far'] }],
  ['what TMKMS can do besides', { args: ['tmkms', 'version'] }],
  ['a thread of the kernel', { args: [] }],
  ['a file in a folder with a like name', { args: ['x'], open: ['database'] }],
])('does not find %s', async (_name, entry) => {
  enter(7, entry);
  expect(await look()).toEqual({ found: [], others: [], hidden: 0 });
});

it('one with another configuration is another one', async () => {
  enter(7, { args: ['tmkms', 'start', '-c', inDir('other.toml')] });
  expect(await look()).toMatchObject({ found: [], others: [{ pid: 7, name: 'tmkms' }] });
});

it('where not every process is shown nothing is said', async () => {
  rmSync(join(proc, '1'), { recursive: true });
  enter(7, { args: ['tmkms', 'start'] });
  expect(await look()).toBeUndefined();
});

it('without /proc nothing is said', async () => {
  expect(await findProcesses(inDir('nowhere'), { program: undefined, files: [], folders: [] })).toBeUndefined();
});

it.runIf(process.platform === 'linux')('finds a real process by the file that it has open', async () => {
  const script = `require('node:fs').openSync(${JSON.stringify(inDir('key'))}); console.log('open'); setInterval(() => {}, 1000)`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  children.push(child);
  await new Promise((ready) => child.stdout.once('data', ready));
  const report = await findProcesses('/proc', { program: undefined, files: [inDir('key')], folders: [] });
  expect(report?.found.map(({ pid }) => pid)).toEqual([child.pid]);
});

it.each<[string, string, Entry, 'found' | 'others']>([
  ['its own home', 'horcrux', { args: ['horcrux', '--home', '/HOME', 'start'] }, 'found'],
  ['its own home, joined', 'horcrux', { args: ['horcrux', 'start', '--home=/HOME'] }, 'found'],
  ['another home', 'horcrux', { args: ['horcrux', 'start', '--home', '/HOME/far'] }, 'others'],
  ['a home that is not there', 'horcrux', { args: ['horcrux', 'start', '--home', '/gone'] }, 'found'],
  ['its usual home', 'horcrux', { args: ['horcrux', 'start'], env: 'A=1\0', cwd: '/HOME/far' }, 'found'],
  ['the folder of kms', 'kms', { args: ['kms', 'start'], env: 'A=1\0', cwd: '/HOME' }, 'found'],
  ['another folder of kms', 'kms', { args: ['kms', 'start'], env: 'A=1\0', cwd: '/HOME/far' }, 'others'],
  ['another configuration of nebula', 'nebula', { args: ['nebula', 'start', '-c', '/HOME/far/own.conf'] }, 'others'],
])('a signer with %s', async (_name, name, entry, expected) => {
  const config = name === 'kms' ? 'kms.yaml' : 'own.conf';
  for (const folder of ['home', 'home/far']) {
    mkdirSync(inDir(folder), { recursive: true });
    writeFileSync(inDir(folder, config), folder);
    writeFileSync(inDir(folder, 'tmkms.toml'), folder);
  }
  const own = (text: string): string => text.replace('/HOME', inDir('home'));
  enter(9, { ...entry, args: entry.args.map(own), ...(entry.cwd !== undefined && { cwd: own(entry.cwd) }) });
  const report = await look({ program: { name, config: inDir('home', config) } });
  expect(report?.[expected].map(({ pid }) => pid)).toEqual([9]);
});
