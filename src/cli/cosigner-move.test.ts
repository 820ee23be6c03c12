import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { hekateText as hekate } from '../../test/support/cli-run.js';
import { lockHome } from '../shared/process/home-lock.js';

const root = mkdtempSync(join(tmpdir(), 'hekate-move-'));
const at = (...names: string[]): string => join(root, ...names);
const COSIGNER = at('cluster', 'cosigner-1');
const LINK = at('cluster', 'sentry-link-1');
const OUT = at('out', 'cosigner-1');
const SHARE = join('chains', 'test-1', 'share.key');

beforeAll(async () => {
  const shape = ['--threshold', '2', '--cosigner', '127.0.0.1:7001', '127.0.0.1:7002', '--links', '1'];
  expect(await hekate('init', at('made'), '--chain-id', 'test-1', '--node', 'a:1', ...shape)).toMatchObject({
    code: 0,
  });
});
afterAll(() => rmSync(root, { recursive: true }));
beforeEach(async () => {
  for (const folder of ['cluster', 'out']) rmSync(at(folder), { recursive: true, force: true });
  cpSync(at('made'), at('cluster'), { recursive: true });
  await hekate('state', 'init', COSIGNER, '--chain-id', 'test-1', '--height', '500', '--replace');
});

type Run = ReturnType<typeof hekate>;
const move = (home: string, ...rest: string[]): Run => hekate('cosigner', 'move', '--home', home, ...rest);
const moveOut = (...rest: string[]): Run => move(COSIGNER, '--to', '10.0.0.9:7009', '--out', OUT, ...rest);
const toml = (home: string, file: string): string => readFileSync(join(home, file), 'utf8');

/** Every file with its mode and contents, but for the lock of a home, which tells nothing. */
const snapshot = (...folders: string[]): string[] =>
  folders.flatMap((folder) =>
    existsSync(folder)
      ? (readdirSync(folder, { recursive: true }) as string[])
          .filter((file) => !/(^|\/)lock$/.test(file))
          .sort()
          .map((file) => {
            const stats = statSync(join(folder, file));
            return stats.isFile() ? `${file} ${stats.mode} ${readFileSync(join(folder, file), 'hex')}` : file;
          })
      : [],
  );
const all = (): string[] => snapshot(at('cluster'), at('out'));

test.each<[name: string, home: string, file: string, args: readonly string[], before: string, after: string]>([
  [
    'a cosigner',
    COSIGNER,
    'cosigner.toml',
    ['--to', '10.0.0.9:7009'],
    'listen = "127.0.0.1:7001"',
    'listen = "0.0.0.0:7009"',
  ],
  [
    'a cosigner behind NAT',
    COSIGNER,
    'cosigner.toml',
    ['--to', 'a.b:9', '--listen', '[::1]:7'],
    'listen = "127.0.0.1:7001"',
    'listen = "[::1]:7"',
  ],
  [
    'a link',
    LINK,
    'sentry-link.toml',
    ['--id', '2', '--to', '10.0.0.9:7009'],
    'address = "127.0.0.1:7002"',
    'address = "10.0.0.9:7009"',
  ],
])('%s: that line alone changes; twice changes nothing', async (_name, home, file, args, before, after) => {
  const was = toml(home, file);
  expect((await move(home, ...args)).code).toBe(0);
  expect(toml(home, file)).toBe(was.replace(before, after));
  expect((await move(home, ...args)).text).toContain('already');
  expect(toml(home, file)).toBe(was.replace(before, after));
});

test('to another host: all but the state goes, the old home does not start, and the new one starts above what was signed', async () => {
  const share = readFileSync(join(COSIGNER, SHARE));
  const old = toml(COSIGNER, 'cosigner.toml');
  const { code, text } = await moveOut();
  expect(code).toBe(0);
  const command = 'hekate state init cosigner-1 --chain-id test-1 --height 500';
  expect(text).toContain(command);
  expect(toml(OUT, 'MOVED.md')).toContain(command);
  expect(existsSync(join(OUT, 'state'))).toBe(false);
  expect(existsSync(join(COSIGNER, SHARE))).toBe(false);
  expect(readFileSync(join(OUT, SHARE))).toEqual(share);
  for (const secret of [SHARE, 'tls/identity.key']) expect(statSync(join(OUT, secret)).mode & 0o777).toBe(0o600);
  expect(toml(OUT, 'cosigner.toml')).toBe(old.replace('127.0.0.1:7001', '0.0.0.0:7009'));
  expect((await hekate('cosigner', 'start', '--home', COSIGNER)).text).toMatch(/^NO_HOME/);
  expect((await hekate('state', 'show', OUT)).text).toContain('STATE_MISSING');
  expect((await hekate('state', 'init', OUT, '--chain-id', 'test-1', '--height', '500')).code).toBe(0);
  rmSync(COSIGNER, { recursive: true });
  renameSync(OUT, COSIGNER);
  expect((await hekate('keys', 'verify', at('cluster'))).code).toBe(0);
});

test('a cosigner that has never signed', async () => {
  cpSync(join(at('made'), 'cosigner-1', 'state'), join(COSIGNER, 'state'), { recursive: true });
  expect((await moveOut()).text).toContain('--chain-id test-1 --never-signed');
});

test('run again: the same, also when the folder was carried away by then', async () => {
  const first = (await moveOut()).text;
  const files = all();
  expect((await moveOut()).text).toBe(first);
  expect(all()).toEqual(files);
  rmSync(OUT, { recursive: true });
  const again = await moveOut();
  expect(again.code).toBe(0);
  expect(again.text).toContain('was moved before');
  expect(again.text).toContain('--height 500');
  expect(existsSync(OUT)).toBe(false);
});

test.each<[name: string, kill: () => void]>([
  [
    'the folder is made, the old home is not retired',
    () => {
      cpSync(at('copy', SHARE), join(COSIGNER, SHARE));
      renameSync(join(COSIGNER, 'cosigner.toml.moved'), join(COSIGNER, 'cosigner.toml'));
      rmSync(join(OUT, 'MOVED.md'));
    },
  ],
  [
    'its configuration is gone, its share is not',
    () => {
      cpSync(at('copy', SHARE), join(COSIGNER, SHARE));
      rmSync(join(OUT, 'MOVED.md'));
    },
  ],
  ['its share is gone, what is left to do is not told', () => rmSync(join(OUT, 'MOVED.md'))],
  [
    'half of the folder',
    () => {
      cpSync(at('copy'), COSIGNER, { recursive: true });
      rmSync(join(COSIGNER, 'cosigner.toml.moved'));
      renameSync(OUT, at('out', '.cosigner-1.init-999999999'));
      rmSync(at('out', '.cosigner-1.init-999999999', SHARE));
    },
  ],
])('killed, %s: run again it is done', async (_name, kill) => {
  rmSync(at('copy'), { recursive: true, force: true });
  cpSync(COSIGNER, at('copy'), { recursive: true });
  await moveOut();
  const done = all();
  kill();
  expect((await moveOut()).code).toBe(0);
  expect(all()).toEqual(done);
});

test('killed before the old home was retired, and that has signed since: the new state starts above it', async () => {
  cpSync(COSIGNER, at('copy2'), { recursive: true });
  await moveOut();
  rmSync(COSIGNER, { recursive: true });
  cpSync(at('copy2'), COSIGNER, { recursive: true });
  await hekate('state', 'init', COSIGNER, '--chain-id', 'test-1', '--height', '777', '--replace');
  expect((await moveOut()).text).toContain('--height 777');
  expect(toml(OUT, 'MOVED.md')).toContain('--height 777');
});

test.each<[name: string, run: () => Run, code: string, prepare?: () => unknown]>([
  ['a home that is none', () => move(at('none'), '--to', 'a:1'), 'NO_HOME'],
  ['a home that is none, to another host', () => move(at('none'), '--to', 'a:1', '--out', OUT), 'NO_HOME'],
  ['no address', () => move(COSIGNER, '--to', 'a'), 'USAGE'],
  ['an address that nobody can reach', () => move(COSIGNER, '--to', '0.0.0.0:7001'), 'USAGE'],
  ['a port that links cannot know', () => move(COSIGNER, '--to', 'a:1', '--listen', 'a:0'), 'USAGE'],
  ['the id of another cosigner', () => move(COSIGNER, '--to', 'a:1', '--id', '2'), 'USAGE'],
  ['a link, without an id', () => move(LINK, '--to', 'a:1'), 'USAGE'],
  ['a link, with an id that it has not', () => move(LINK, '--to', 'a:1', '--id', '3'), 'PEER_UNKNOWN'],
  ['a link that would listen', () => move(LINK, '--to', 'a:1', '--id', '1', '--listen', 'a:1'), 'USAGE'],
  ['the address of another cosigner', () => move(LINK, '--to', '127.0.0.1:7002', '--id', '1'), 'CONFIG_INVALID'],
  ['a link to another host', () => move(LINK, '--to', 'a:1', '--out', OUT), 'NO_HOME'],
  ['into itself', () => move(COSIGNER, '--to', 'a:1', '--out', join(COSIGNER, 'x')), 'USAGE'],
  ['into a folder of somebody else', () => moveOut(), 'DIR_NOT_EMPTY', () => mkdirSync(OUT, { recursive: true })],
  ['into another home', () => move(COSIGNER, '--to', 'a:1', '--out', at('cluster', 'cosigner-2')), 'DIR_NOT_EMPTY'],
  ['without its share', () => moveOut(), 'SHARE_MISSING', () => rmSync(join(COSIGNER, SHARE))],
  ['without its state', () => moveOut(), 'STATE_MISSING', () => rmSync(join(COSIGNER, 'state'), { recursive: true })],
  [
    'with TLS files elsewhere',
    () => moveOut(),
    'CONFIG_NOT_EDITED',
    () => writeFileSync(join(COSIGNER, 'cosigner.toml'), `${toml(COSIGNER, 'cosigner.toml')}[tls]\nkey = "/run/key"\n`),
  ],
])('refused, and nothing is changed: %s', async (_name, run, code, prepare) => {
  prepare?.();
  const before = all();
  const { code: exit, text } = await run();
  expect(text).toMatch(new RegExp(`^${code}: .*Fix: `, 's'));
  expect(exit).not.toBe(0);
  expect(all()).toEqual(before);
});

test('a cosigner that runs is not moved', async () => {
  const unlock = lockHome(COSIGNER);
  const before = all();
  try {
    expect((await moveOut()).text).toMatch(/^HOME_LOCKED/);
  } finally {
    unlock();
  }
  expect(all()).toEqual(before);
});
