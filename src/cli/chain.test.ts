import {
  appendFileSync,
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
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { hekateText as hekate } from '../../test/support/cli-run.js';
import { writeValidatorKey } from '../../test/support/validator-key.js';

const CHAIN = 'two-1';
const root = mkdtempSync(join(tmpdir(), 'hekate-chain-'));
const at = (...names: string[]): string => join(root, ...names);
const COSIGNER = at('cluster', 'cosigner-1');
const LINK = at('cluster', 'sentry-link-1');
const dealt = (id: number, file: string, dealing = 'dealt'): string =>
  at(dealing, `cosigner-${id}`, 'chains', CHAIN, file);
const GROUP = dealt(1, 'group.json');
const SHARE = dealt(1, 'share.key');

beforeAll(async () => {
  const shape = [
    '--threshold',
    '2',
    '--cosigner',
    '127.0.0.1:7001',
    '127.0.0.1:7002',
    '127.0.0.1:7003',
    '--links',
    '1',
  ];
  const done = [await hekate('init', at('made'), '--chain-id', 'test-1', '--node', 'a:1', ...shape)];
  const { keyFile } = writeValidatorKey(root);
  for (const [out, count, threshold] of [
    ['dealt', 3, 2],
    ['again', 3, 2],
    ['four', 4, 3],
  ] as const) {
    const split = ['--threshold', `${threshold}`, '--count', `${count}`, '--chain-id', CHAIN, '--out', at(out)];
    done.push(await hekate('keys', 'split', '--key', keyFile, ...split));
  }
  expect(done.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
});
afterAll(() => rmSync(root, { recursive: true }));
beforeEach(() => {
  rmSync(at('cluster'), { recursive: true, force: true });
  cpSync(at('made'), at('cluster'), { recursive: true });
});

type Run = ReturnType<typeof hekate>;
const add = (home: string, ...rest: string[]): Run => hekate('chain', 'add', '--home', home, ...rest);
const addTo = (id: number, ...rest: string[]): Run =>
  add(at('cluster', `cosigner-${id}`), '--group', GROUP, '--share', dealt(id, 'share.key'), '--height', '50', ...rest);
const addToLink = (...rest: string[]): Run => add(LINK, '--group', GROUP, '--node', 'tcp://b:2', ...rest);

/** Every file with its contents. */
const snapshot = (): string[] =>
  (readdirSync(at('cluster'), { recursive: true }) as string[])
    .sort()
    .map((file) =>
      statSync(at('cluster', file)).isFile() ? `${file} ${readFileSync(at('cluster', file), 'hex')}` : file,
    );

test('home by home, each cosigner with its own share: then all of it belongs together; twice changes nothing', async () => {
  const before = readFileSync(join(COSIGNER, 'cosigner.toml'), 'utf8');
  const one = await addTo(1);
  expect(one.text).toContain('Added: chain two-1'.replace(': ', ' '));
  for (const id of [2, 3]) expect((await addTo(id)).code).toBe(0);
  expect((await addToLink()).code).toBe(0);
  expect((await hekate('keys', 'verify', at('cluster'))).code).toBe(0);
  expect(readFileSync(join(COSIGNER, 'cosigner.toml'), 'utf8').startsWith(before)).toBe(true);
  expect((await hekate('state', 'show', COSIGNER)).text).toContain('two-1: watermark all of height 50');
  expect(statSync(join(COSIGNER, 'chains', CHAIN, 'share.key')).mode & 0o777).toBe(0o600);
  const all = snapshot();
  expect((await addTo(1)).text).toContain('Added already');
  expect((await addToLink()).text).toContain('Added already');
  expect(snapshot()).toEqual(all);
});

test('the heights a second and a key that never signed', async () => {
  const rest = ['--group', GROUP, '--share', SHARE, '--never-signed', '--max-heights-per-second', '0.5'];
  expect((await add(COSIGNER, ...rest)).code).toBe(0);
  expect(readFileSync(join(COSIGNER, 'cosigner.toml'), 'utf8')).toContain('max_heights_per_second = 0.5');
  expect((await hekate('state', 'show', COSIGNER)).text).toContain(
    'two-1: watermark no height yet; nothing signed on it yet',
  );
});

/** The home as a process that was killed left it: what `moved` does not name is still staged. */
function killed(moved: readonly string[], withText: boolean): void {
  const state = join('state', `${CHAIN}.watermark`);
  const moves = [join('chains', CHAIN), `${state}.mark`, state];
  const staging = join(COSIGNER, '.init-staging');
  for (const path of moves.filter((one) => !moved.includes(one))) {
    mkdirSync(dirname(join(staging, 'files', path)), { recursive: true });
    renameSync(join(COSIGNER, path), join(staging, 'files', path));
  }
  mkdirSync(join(staging, 'files'), { recursive: true });
  const file = 'cosigner.toml';
  const [before, after] = [at('made', 'cosigner-1', file), join(COSIGNER, file)].map((path) =>
    readFileSync(path, 'utf8'),
  ) as [string, string];
  const text = after.slice(before.length);
  if (!withText) writeFileSync(join(COSIGNER, file), before);
  writeFileSync(join(staging, 'journal.json'), JSON.stringify({ chainId: CHAIN, moves, appends: [{ file, text }] }));
  writeFileSync(join(staging, 'pid'), String(spawnSync(process.execPath, ['--version']).pid));
}

test.each<[name: string, moved: readonly string[], withText: boolean]>([
  ['before the first move', [], false],
  ['after a move', [join('chains', CHAIN)], false],
  [
    'before it was cleared away',
    [join('chains', CHAIN), `state/${CHAIN}.watermark.mark`, `state/${CHAIN}.watermark`],
    true,
  ],
])('killed %s: run again it is all there', async (_name, moved, withText) => {
  await addTo(1);
  const all = snapshot();
  killed(moved, withText);
  expect((await addTo(1)).text).toContain('Added already');
  expect(snapshot()).toEqual(all);
});

test('killed before it was decided: run again it is added', async () => {
  mkdirSync(join(COSIGNER, '.init-staging', 'files', 'chains'), { recursive: true });
  writeFileSync(join(COSIGNER, '.init-staging', 'pid'), String(spawnSync(process.execPath, ['--version']).pid));
  expect((await addTo(1)).text).toContain('Added chain');
  expect(existsSync(join(COSIGNER, '.init-staging'))).toBe(false);
});

test.each<[name: string, run: () => Run, code: string, prepare?: () => unknown]>([
  ['no group file', () => add(COSIGNER, '--group', at('none')), 'GROUP_INVALID'],
  ['a home that is none', () => add(at('none'), '--group', GROUP), 'NO_HOME'],
  ['a cosigner without a share', () => add(COSIGNER, '--group', GROUP, '--height', '50'), 'USAGE'],
  ['a cosigner with a node', () => addTo(1, '--node', 'a:1'), 'USAGE'],
  ['a cosigner without a start', () => add(COSIGNER, '--group', GROUP, '--share', SHARE), 'WATERMARK_START_MISSING'],
  ['a height that refuses nothing', () => addTo(1, '--height', '0'), 'WATERMARK_START_UNSURE'],
  ['a link with a share', () => addToLink('--share', SHARE), 'USAGE'],
  ['a link with a watermark', () => addToLink('--never-signed'), 'USAGE'],
  ['a link without a node', () => add(LINK, '--group', GROUP), 'USAGE'],
  ['a link with a node twice', () => addToLink('--node', 'tcp://b:2', 'B:2'), 'USAGE'],
  ['a link with a node that is none', () => addToLink('--node', 'b'), 'NODE_ADDRESS_INVALID'],
  ['the share of another cosigner', () => addTo(1, '--share', dealt(2, 'share.key')), 'SHARE_MISMATCH'],
  ['a share of another dealing', () => addTo(1, '--share', dealt(1, 'share.key', 'again')), 'SHARE_MISMATCH'],
  ['no share file', () => addTo(1, '--share', at('none')), 'SHARE_MISSING'],
  ['a share that is none', () => addTo(1, '--share', GROUP), 'SHARE_MODE'],
  ['a dealing for more cosigners', () => addTo(1, '--group', dealt(1, 'group.json', 'four')), 'GROUP_MISMATCH'],
  [
    'a dealing for more cosigners, at a link',
    () => addToLink('--group', dealt(1, 'group.json', 'four')),
    'GROUP_MISMATCH',
  ],
  [
    'a chain that is there, dealt anew',
    () => addTo(1, '--group', dealt(1, 'group.json', 'again'), '--share', dealt(1, 'share.key', 'again')),
    'CHAIN_EXISTS',
    () => addTo(1),
  ],
  [
    'a state that is left of it',
    () => addTo(1),
    'CHAIN_EXISTS',
    () => writeFileSync(join(COSIGNER, 'state', `${CHAIN}.watermark`), ''),
  ],
  [
    'a configuration that is broken',
    () => addTo(1),
    'CONFIG_INVALID',
    () => appendFileSync(join(COSIGNER, 'cosigner.toml'), 'x = 1\n'),
  ],
])('refused, and nothing is changed: %s', async (_name, run, code, prepare) => {
  await prepare?.();
  const before = snapshot();
  const { code: exit, text } = await run();
  expect(text).toMatch(new RegExp(`^${code}: .*Fix: `, 's'));
  expect(exit).not.toBe(0);
  expect(snapshot()).toEqual(before);
});
