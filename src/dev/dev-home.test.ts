import {
  appendFileSync,
  cpSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { initCluster } from '../setup/init/init.js';
import { toPoint } from '../shared/frost/group.js';
import { encodeGroup, loadGroupFile } from '../shared/home/group-file.js';
import { nodeDisk } from '../shared/ports/node-disk.js';
import { systemRandom } from '../shared/ports/random.js';
import { lockHome } from '../shared/process/home-lock.js';
import { serveStatus } from '../shared/status/status-socket.js';
import { HOME_NAMES, LINKS, THRESHOLD } from './dev-cluster.js';
import { initWith, openDevHome, type DevHome, type MakeCluster, type Wanted } from './dev-home.js';
import type { DevOptions } from './dev-options.js';

const CHAIN = 'hekate-dev-1';
/** What a real init made, once for all tests. */
let initial: string;
let parent: string;
let dir: string;
let made: Wanted[];
let cleanups: (() => void)[];

beforeAll(async () => {
  initial = join(mkdtempSync(join(tmpdir(), 'hekate-dev-')), 'initial');
  await initCluster(
    {
      dir: initial,
      chainId: CHAIN,
      nodes: ['tcp://127.0.0.1:26659'],
      key: undefined,
      start: undefined,
      threshold: THRESHOLD,
      cosigners: [7001, 7002, 7003].map((port) => ({ host: '127.0.0.1', port })),
      links: LINKS,
    },
    { disk: nodeDisk, random: systemRandom },
  );
});
afterAll(() => rmSync(dirname(initial), { recursive: true }));

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'hekate-dev-'));
  dir = join(parent, CHAIN);
  made = [];
  cleanups = [];
});
afterEach(() => {
  for (const cleanup of cleanups) cleanup();
  rmSync(parent, { recursive: true });
});

const make: MakeCluster = async (wanted) => {
  made.push(wanted);
  cpSync(initial, wanted.dir, { recursive: true });
  for (const [i, port] of wanted.ports.entries()) {
    const path = join(wanted.dir, `cosigner-${i + 1}`, 'cosigner.toml');
    writeFileSync(path, readFileSync(path, 'utf8').replace(`:700${i + 1}"`, `:${port}"`));
  }
};
const open = (options: DevOptions = {}, makes = make): Promise<DevHome> =>
  openDevHome({ dir: parent, ...options }, makes);
const at = (...names: string[]): string => join(dir, ...names);

/** A cluster as a run leaves it. */
async function run(): Promise<void> {
  await open();
  made = [];
  writeFileSync(at('model-node.json'), '{}');
  for (const home of ['.', ...HOME_NAMES]) lockHome(at(home))();
  const server = await serveStatus(at('cosigner-1'), { status: async () => ({}) });
  // A process that is killed leaves its socket behind.
  linkSync(at('cosigner-1', 'status.sock'), at('cosigner-2', 'status.sock'));
  server.close();
}

async function otherKeyIn(home: string): Promise<void> {
  const path = at(home, 'chains', CHAIN, 'group.json');
  const group = await loadGroupFile(path);
  const groupPublicKey = toPoint(new Uint8Array(32).fill(9));
  const commitments = [groupPublicKey, ...group.commitments.slice(1)];
  writeFileSync(path, encodeGroup({ ...group, groupPublicKey, commitments }));
}

function plan(change: (json: Record<string, unknown>) => void): void {
  const json = JSON.parse(readFileSync(at('dev.json'), 'utf8')) as Record<string, unknown>;
  change(json);
  writeFileSync(at('dev.json'), JSON.stringify(json));
}

/** Everything below a folder with its kind and contents. */
function snapshot(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).map(({ parentPath, name }) =>
    join(parentPath, name),
  );
  return Object.fromEntries(
    entries.map((path) => {
      const stats = lstatSync(path);
      const contents = stats.isFile() ? readFileSync(path, 'hex') : stats.isSymbolicLink() ? readlinkSync(path) : '';
      return [relative(folder, path), `${stats.mode.toString(8)} ${contents}`];
    }),
  );
}

describe('--fresh starts over', () => {
  it.each<[lies: string, prepare: () => unknown]>([
    ['nothing', () => undefined],
    ['an empty folder', () => mkdirSync(dir)],
    ['what a run left', run],
    [
      'what a removal that was cut short left',
      async () => (await run(), rmSync(at('cosigner-1'), { recursive: true })),
    ],
  ])('%s lies there', async (_lies, prepare) => {
    await prepare();
    await open({ fresh: true });
    expect(made).toHaveLength(1);
    expect(readdirSync(dir).sort()).toEqual(['README.md', ...HOME_NAMES, 'dev.json'].sort());
    expect(existsSync(at('cosigner-1', 'lock'))).toBe(false);
    expect(readdirSync(parent)).toEqual([CHAIN]);
  });
});

describe('--fresh refuses, and touches nothing', () => {
  const moved = (): string => join(parent, 'elsewhere');
  it.each<[lies: string, prepare: () => unknown, why: string]>([
    ['a key that was given', () => plan((json) => (json['keyGiven'] = true)), 'a key that it was given'],
    [
      'a dev.json that does not say whether the key was given',
      () => plan((json) => (delete json['keyGiven'], delete json['publicKey'])),
      'its dev.json is older',
    ],
    ['no dev.json', () => rmSync(at('dev.json')), 'holds README.md, cosigner-1, cosigner-2 and 5 more, but it has no'],
    [
      'a dev.json that is not JSON',
      () => writeFileSync(at('dev.json'), '{"chainId"'),
      'is not what `hekate dev` writes',
    ],
    ['a dev.json of something else', () => writeFileSync(at('dev.json'), 'null'), 'is not what `hekate dev` writes'],
    ['a dev.json of another chain', () => plan((json) => (json['chainId'] = 'other-1')), 'is of another chain'],
    ['a dev.json of 5000 bytes', () => appendFileSync(at('dev.json'), ' '.repeat(5_000)), 'bytes'],
    [
      'a dev.json that is a folder',
      () => (rmSync(at('dev.json')), mkdirSync(at('dev.json'))),
      'its dev.json is not a plain file',
    ],
    [
      'a dev.json that is a symlink',
      () => (renameSync(at('dev.json'), moved()), symlinkSync(moved(), at('dev.json'))),
      'its dev.json is not a plain file',
    ],
    ['somebody’s file', () => writeFileSync(at('notes.txt'), 'x'), 'holds notes.txt, which'],
    ['somebody’s file in a home', () => writeFileSync(at('cosigner-1', 'notes.txt'), 'x'), 'cosigner-1/notes.txt'],
    ['another home', () => mkdirSync(at('cosigner-4')), 'holds cosigner-4, which'],
    [
      'a chain that was added',
      () => mkdirSync(at('cosigner-2', 'chains', 'other-1')),
      'holds cosigner-2/chains/other-1, which',
    ],
    [
      'a state that an operator put aside',
      () => writeFileSync(at('cosigner-2', 'state', `${CHAIN}.watermark.bak-1`), 'x'),
      'watermark.bak-1',
    ],
    [
      'a symlink in the place of a home',
      () => (renameSync(at('cosigner-1'), moved()), symlinkSync(moved(), at('cosigner-1'))),
      'holds cosigner-1, which',
    ],
    [
      'a symlink in the place of a file',
      () => (rmSync(at('README.md')), symlinkSync(at('dev.json'), at('README.md'))),
      'holds README.md, which',
    ],
    [
      'a home with another key',
      () => otherKeyIn('cosigner-3'),
      'cosigner-3/chains/hekate-dev-1/group.json is not that of the key',
    ],
    [
      'a home whose key cannot be told',
      () => writeFileSync(at('sentry-link-1', 'chains', CHAIN, 'group.json'), '{}'),
      'is not that of the key',
    ],
    ['a process that runs', () => cleanups.push(lockHome(at('sentry-link-2'))), 'sentry-link-2'],
    ['a `hekate dev` that runs', () => cleanups.push(lockHome(dir)), 'a process runs with'],
    [
      'a process that runs, its lock file lost',
      async () => {
        rmSync(at('cosigner-3', 'lock'));
        const server = await serveStatus(at('cosigner-3'), { status: async () => ({}) });
        cleanups.push(() => server.close());
      },
      'a process runs with',
    ],
    ['a symlink in the place of the folder', () => (renameSync(dir, moved()), symlinkSync(moved(), dir)), 'a symlink'],
    [
      'a file in the place of the folder',
      () => (rmSync(dir, { recursive: true }), writeFileSync(dir, 'x')),
      'not a folder',
    ],
  ])('%s', async (_lies, prepare, why) => {
    await run();
    await prepare();
    const before = snapshot(parent);
    const error: unknown = await open({ fresh: true }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'DEV_FRESH_REFUSED' });
    expect((error as Error).message).toContain(why);
    expect((error as Error).message).toContain(dir);
    expect(snapshot(parent)).toEqual(before);
    expect(made).toEqual([]);
  });

  it('a cluster that was made with --key', async () => {
    expect(await open({ key: 'priv_validator_key.json' })).toMatchObject({ keyGiven: true });
    const before = snapshot(parent);
    await expect(open({ fresh: true })).rejects.toMatchObject({ code: 'DEV_FRESH_REFUSED' });
    expect(snapshot(parent)).toEqual(before);
  });
});

describe('without --fresh', () => {
  it('a second run goes on with what the first made', async () => {
    const first = await open();
    expect(first).toMatchObject({ dir, chainId: CHAIN, model: true, keyGiven: false });
    expect(await open()).toEqual(first);
    expect(made).toHaveLength(1);
  });

  it.each<[lies: string, prepare: () => unknown, options: DevOptions, expected: object]>([
    ['what an older version made', () => plan((json) => delete json['keyGiven']), {}, { model: true }],
    ['a dev.json without a version', () => plan((json) => delete json['version']), {}, { model: true }],
    [
      'a dev.json of a newer version',
      () => plan((json) => (json['version'] = 2)),
      {},
      { code: 'FILE_VERSION', message: expect.stringMatching(/dev\.json has version 2, .* up to 1$/) as string },
    ],
    ...[0, 1.5, '1', null].map((version): [string, () => unknown, DevOptions, object] => [
      `a dev.json of version ${JSON.stringify(version)}`,
      () => plan((json) => (json['version'] = version)),
      {},
      { code: 'DEV_FOREIGN' },
    ]),
    [
      'a cluster that was killed before dev.json was written',
      () => rmSync(at('dev.json')),
      {},
      { code: 'DEV_FOREIGN', message: expect.stringContaining('holds README.md, cosigner-1') as string },
    ],
    [
      'a dev.json with a port that there is not',
      () => plan((json) => (json['node'] = 'tcp://127.0.0.1:99999')),
      {},
      { code: 'DEV_FOREIGN' },
    ],
    ['a dev.json that was cut short', () => writeFileSync(at('dev.json'), ''), {}, { code: 'DEV_FOREIGN' }],
    ['something else', () => (rmSync(dir, { recursive: true }), writeFileSync(dir, 'x')), {}, { code: 'DEV_FOREIGN' }],
    [
      'a cluster for another node',
      () => undefined,
      { node: 'tcp://10.0.0.1:1', chainId: CHAIN },
      { code: 'DEV_MISMATCH' },
    ],
    [
      'a dev.json with a byte order mark',
      () => writeFileSync(at('dev.json'), `\ufeff${readFileSync(at('dev.json'), 'utf8')}`),
      {},
      { model: true },
    ],
    ['a cluster that has its watermarks, and a state', () => undefined, { state: 's.json' }, { code: 'DEV_MISMATCH' }],
    [
      'a cluster that has its watermarks, and a claim',
      () => undefined,
      { neverSigned: true },
      { code: 'DEV_MISMATCH' },
    ],
    [
      'a home with another key',
      () => otherKeyIn('cosigner-3'),
      {},
      { code: 'DEV_FOREIGN', message: expect.stringContaining('cosigner-3/chains/hekate-dev-1/group.json') as string },
    ],
    ['a cluster that has its key', () => undefined, { key: 'priv_validator_key.json' }, { code: 'DEV_MISMATCH' }],
  ])('%s', async (_lies, prepare, options, expected) => {
    await run();
    await prepare();
    const before = snapshot(parent);
    expect(await open(options).catch((error: unknown) => error)).toMatchObject(expected);
    expect(snapshot(parent)).toEqual(before);
    expect(made).toEqual([]);
  });

  it.each<[when: string, makes: MakeCluster, makesIt: boolean, expected: object]>([
    ['the cluster was there, its plan not', make, true, { model: true, keyGiven: false }],
    ['there was nothing yet', async () => undefined, false, { model: true }],
    [
      'there was nothing yet, and somebody made another cluster there',
      async (wanted) => make({ ...wanted, ports: [1, 2, 3] }),
      true,
      { code: 'DEV_FOREIGN' },
    ],
  ])('a making that was killed when %s is begun again or finished', async (_when, makes, makesIt, expected) => {
    const killed = new Promise<never>(() => undefined);
    void open({}, async (wanted) => (await makes(wanted), await killed));
    await vi.waitFor(() => expect(existsSync(`${dir}.making.json`)).toBe(true));
    await vi.waitFor(() => expect(existsSync(dir)).toBe(makesIt));
    const made = existsSync(dir) ? snapshot(dir) : undefined;
    expect(await open().catch((error: unknown) => error)).toMatchObject(expected);
    if (made !== undefined) expect(snapshot(dir)).toMatchObject(made);
    expect(existsSync(`${dir}.making.json`)).toBe(false);
  });

  it.each([
    [
      'is killed',
      `process.kill(process.pid, 'SIGKILL')`,
      'the cluster could not be made: `hekate init` ended with SIGKILL',
    ],
    ['says nothing', 'process.exit(3)', 'the cluster could not be made: `hekate init` ended with exit code 3'],
    [
      'says why',
      `console.error('WRITE_FAILED: no room. Fix: make room'); process.exit(1)`,
      'the cluster could not be made: WRITE_FAILED: no room',
    ],
  ])('a making that %s is named', async (_, script, message) => {
    const main = at('init.mjs');
    mkdirSync(dirname(main), { recursive: true });
    writeFileSync(main, script);
    const wanted = { dir: at('x'), chainId: CHAIN, node: 'tcp://127.0.0.1:1', ports: [1, 2, 3] };
    const made = initWith(main)({ ...wanted, key: undefined, state: undefined, neverSigned: false });
    await expect(made).rejects.toMatchObject({ code: 'DEV_INIT_FAILED', message });
  });

  it('a making that fails leaves nothing', async () => {
    await expect(open({}, () => Promise.reject(new Error('no room')))).rejects.toThrow('no room');
    expect(readdirSync(parent)).toEqual([]);
  });
});
