import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { guardAgainstOrphan } from '../support/orphan-guard.js';
import { freePorts } from '../support/ports.js';
import { HEKATE_MAIN, TestFolder } from '../support/project.js';
import { runHekate } from '../support/run-hekate.js';

/** A service user and somebody else; neither needs an entry in /etc/passwd. */
const SERVICE = 61_001;
const SOMEBODY = 61_002;
const CHAIN = 'users-1';
const folder = new TestFolder('users');
const made = folder.file('made');
const isRoot = process.getuid?.() === 0;
let copies = 0;

beforeAll(async () => {
  chmodSync(folder.path, 0o711);
  const ports = await freePorts(2);
  const cosigners = ports.map((port) => `127.0.0.1:${port}`);
  const shape = ['--threshold', '2', '--cosigner', ...cosigners, '--links', '1'];
  const run = await runHekate(['init', made, '--chain-id', CHAIN, '--node', 'unix:///nowhere.sock', ...shape]);
  expect(run).toMatchObject({ code: 0 });
});
afterAll(() => folder.remove());

/** A cluster of the service user's, in a folder of root's. */
function clusterOf(owner: number): string {
  const copy = folder.file(`cluster-${++copies}`);
  cpSync(made, copy, { recursive: true });
  give(copy, owner);
  return copy;
}

function give(path: string, owner: number): void {
  lchownSync(path, owner, owner);
  if (lstatSync(path).isDirectory()) for (const name of readdirSync(path)) give(join(path, name), owner);
}

/** Paths below that do not belong to `owner`. */
function strangersIn(path: string, owner: number): string[] {
  const here = lstatSync(path).uid === owner ? [] : [path];
  if (!lstatSync(path).isDirectory()) return here;
  return [...here, ...readdirSync(path).flatMap((name) => strangersIn(join(path, name), owner))];
}

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** `hekate` as a user without other groups; a process that is ready is told to end, after what is to happen until then. */
function hekateAs(
  uid: number,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  meanwhile: () => Promise<unknown> = async () => undefined,
): Promise<Ran> {
  const options = { uid, gid: uid, cwd: '/', env: { PATH: process.env['PATH'] ?? '', ...env } };
  const child = spawn(process.execPath, [HEKATE_MAIN, ...args], { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  guardAgainstOrphan(child);
  let [out, err, told] = ['', '', false];
  child.stdout.on('data', (bytes: Buffer) => {
    out += bytes.toString();
    if (told || !/ ready( |$)/m.test(out)) return;
    told = true;
    void meanwhile().finally(() => child.kill('SIGTERM'));
  });
  child.stderr.on('data', (bytes: Buffer) => (err += bytes.toString()));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out, err })));
}

function needsRoot(context: { skip(note: string): void }): void {
  if (isRoot) return;
  if (process.env['CI'] !== undefined) throw new Error('CI runs as root');
  context.skip('only root can be several users');
}

const read = (cluster: string): readonly (readonly [string, readonly string[]])[] => [
  ['state show', ['state', 'show', join(cluster, 'cosigner-1')]],
  ['keys show', ['keys', 'show', cluster]],
  ['keys verify', ['keys', 'verify', cluster]],
  ['status', ['status', cluster]],
  ['cosigner start', ['cosigner', 'start', '--home', join(cluster, 'cosigner-1')]],
  ['sentry-link start', ['sentry-link', 'start', '--home', join(cluster, 'sentry-link-1')]],
  ['state init', ['state', 'init', join(cluster, 'cosigner-1'), '--chain-id', CHAIN, '--height', '5', '--replace']],
  ['init', ['init', cluster, '--chain-id', 'two', '--node', 'unix:///two.sock']],
];
const COMMANDS = read('').map(([name]) => name);
const argsOf = (name: string, cluster: string): readonly string[] =>
  read(cluster).find(([one]) => one === name)?.[1] ?? [];

describe('a cluster of a service user', () => {
  it.for(COMMANDS)('somebody else is told whose it is, and nothing changes: %s', async (name, context) => {
    needsRoot(context);
    const cluster = clusterOf(SERVICE);
    const { code, err } = await hekateAs(SOMEBODY, argsOf(name, cluster));
    expect(err).toMatch(/ACCESS_DENIED: .* belongs to user 61001, this is user 61002/);
    expect(err).toContain("sudo -u '#61001' hekate");
    expect(code).toBe(1);
    expect(strangersIn(cluster, SERVICE)).toEqual([]);
  });

  it.for(COMMANDS)('root may, and everything stays theirs: %s', async (name, context) => {
    needsRoot(context);
    const cluster = clusterOf(SERVICE);
    const { err } = await hekateAs(0, argsOf(name, cluster));
    expect(err).not.toMatch(/ACCESS_DENIED|TOO_OPEN|_MODE|INTERNAL/);
    expect(strangersIn(cluster, SERVICE)).toEqual([]);
    // And they can go on.
    const again = await hekateAs(SERVICE, argsOf('cosigner start', cluster));
    expect(again).toMatchObject({ code: 0, err: '' });
  });

  it('a folder on the way that may not be entered is the one that is named', async (context) => {
    needsRoot(context);
    const cluster = clusterOf(SERVICE);
    const hidden = folder.file('hidden');
    mkdirSync(hidden, { mode: 0o700 });
    renameSync(cluster, join(hidden, 'cluster'));
    const { err } = await hekateAs(SERVICE, ['keys', 'show', join(hidden, 'cluster')]);
    expect(err).toContain(`${hidden} is in the way: it belongs to root (user 0), this is user 61001`);
  });
});

describe('the socket of a process that runs, in a home that all may read', () => {
  const CONNECT = `require('net').connect(process.argv[1]).on('error', ({ code }) => console.error(code))`;
  it.for<[who: string, uid: number, answered: boolean]>([
    ['somebody else', SOMEBODY, false],
    ['its owner', SERVICE, true],
    ['root', 0, true],
  ])('%s', async ([, uid, answered], context) => {
    needsRoot(context);
    const home = join(clusterOf(SERVICE), 'cosigner-1');
    chmodSync(join(home, '..'), 0o755);
    chmodSync(home, 0o755);
    let asked: Ran | undefined;
    let connected: string | undefined;
    const running = await hekateAs(SERVICE, ['cosigner', 'start', '--home', home], {}, async () => {
      asked = await hekateAs(uid, ['status', home]);
      const plain = { uid, gid: uid, cwd: '/', timeout: 10_000 };
      const socket = join(home, 'status.sock');
      connected = spawnSync(process.execPath, ['-e', CONNECT, socket], { ...plain, encoding: 'utf8' }).stderr;
    });
    expect(running).toMatchObject({ code: 0, err: '' });
    expect(connected).toBe(answered ? '' : 'EACCES\n');
    if (answered) expect(asked?.out).toContain(`${home}: cosigner 1,`);
    else expect(asked?.out).toMatch(/ACCESS_DENIED: .*status\.sock: it belongs to user 61001/);
  });
});

describe('who may use a file of a home', () => {
  const start = (cluster: string, env = {}): Promise<Ran> =>
    hekateAs(SERVICE, ['cosigner', 'start', '--home', join(cluster, 'cosigner-1')], env);
  const share = `chains/${CHAIN}/share.key`;

  it.for<[string, (home: string) => void, RegExp | undefined]>([
    ['as made', () => undefined, undefined],
    [
      'a configuration that all may change',
      (home) => chmodSync(join(home, 'cosigner.toml'), 0o666),
      /^HOME_TOO_OPEN: .*chmod 0644 /,
    ],
    ['a home that all may change', (home) => chmodSync(home, 0o777), /^HOME_TOO_OPEN: .*chmod 0755 /],
    [
      'a state folder that all may change',
      (home) => chmodSync(join(home, 'state'), 0o777),
      /^HOME_TOO_OPEN: .*chmod 0755 /,
    ],
    [
      'a group file that all may change',
      (home) => chmodSync(join(home, `chains/${CHAIN}/group.json`), 0o666),
      /^HOME_TOO_OPEN/,
    ],
    ['a share that all may read', (home) => chmodSync(join(home, share), 0o644), /^SHARE_MODE: .*Fix: chmod 0600 /],
    ["root's share for our group", (home) => own(join(home, share), 0, SERVICE, 0o440), undefined],
    ['our share for root\u2019s group', (home) => own(join(home, share), SERVICE, 0, 0o440), undefined],
    [
      'a share for a group that is not ours',
      (home) => own(join(home, share), SERVICE, SOMEBODY, 0o640),
      /^SHARE_MODE: .*group 61002, which is not ours/,
    ],
    [
      "somebody else's share",
      (home) => own(join(home, share), SOMEBODY, SERVICE, 0o640),
      /^SHARE_MODE: .*belongs to user 61002/,
    ],
    ['a share behind links, as volumes of Kubernetes have it', behindLinks, undefined],
  ])('%s', async ([, change, refusal], context) => {
    needsRoot(context);
    const cluster = clusterOf(SERVICE);
    change(join(cluster, 'cosigner-1'));
    const { code, err } = await start(cluster);
    if (refusal === undefined) expect({ code, err }).toEqual({ code: 0, err: '' });
    else expect(err).toMatch(refusal);
  });

  it('credentials of a service manager are taken as found', async (context) => {
    needsRoot(context);
    const cluster = clusterOf(SERVICE);
    const credentials = folder.file('credentials');
    mkdirSync(credentials, { mode: 0o711 });
    const [file, given] = [join(cluster, 'cosigner-1', share), join(credentials, 'share')];
    renameSync(file, given);
    own(given, 0, SOMEBODY, 0o444);
    symlinkSync(given, file);
    expect((await start(cluster)).err).toMatch(/^SHARE_MODE/);
    expect(await start(cluster, { CREDENTIALS_DIRECTORY: credentials })).toMatchObject({ code: 0, err: '' });
  });

  function own(path: string, uid: number, gid: number, mode: number): void {
    chownSync(path, uid, gid);
    chmodSync(path, mode);
  }

  function behindLinks(home: string): void {
    const volume = join(home, 'chains', CHAIN);
    mkdirSync(join(volume, '..2026_11_27'));
    for (const name of ['share.key', 'group.json']) {
      renameSync(join(volume, name), join(volume, '..2026_11_27', name));
      symlinkSync(join('..data', name), join(volume, name));
    }
    symlinkSync('..2026_11_27', join(volume, '..data'));
    give(home, SERVICE);
  }
});
