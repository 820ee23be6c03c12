import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { hekateText as hekate } from '../../test/support/cli-run.js';
import { makeIdentity, makeNextIdentity } from '../setup/identity/make-identity.js';
import { loadCosignerConfig } from '../shared/config/cosigner-config.js';
import { MAX_LINKS } from '../shared/coordination/limits.js';

const root = mkdtempSync(join(tmpdir(), 'hekate-links-'));
const at = (...names: string[]): string => join(root, ...names);
const COSIGNER = at('cluster', 'cosigner-1');
const LINK = at('cluster', 'sentry-link-1');
const PUBLIC = at('public');
const NEW = at('cluster', 'sentry-link-3');
const CRT = join(NEW, 'tls/identity.crt');

beforeAll(async () => {
  const shape = ['--threshold', '2', '--cosigner', '127.0.0.1:7001', '127.0.0.1:7002', '--links', '2'];
  expect(await hekate('init', at('made'), '--chain-id', 'test-1', '--node', 'a:1', ...shape)).toMatchObject({
    code: 0,
  });
});
afterAll(() => rmSync(root, { recursive: true }));
beforeEach(() => {
  for (const folder of ['cluster', 'public']) rmSync(at(folder), { recursive: true, force: true });
  cpSync(at('made'), at('cluster'), { recursive: true });
  for (const part of ['sentry-link.toml', 'tls/peers', 'chains'])
    cpSync(join(LINK, part), join(PUBLIC, part), { recursive: true });
});

const link = (...args: string[]): ReturnType<typeof hekate> => hekate('sentry-link', ...args);
const make = (...rest: string[]): ReturnType<typeof hekate> =>
  link('add', '--home', NEW, '--from', PUBLIC, '--name', 'sentry-link-3', ...rest);
const letIn = (home: string, file = CRT, ...rest: string[]): ReturnType<typeof hekate> =>
  link('add', '--home', home, '--certificate', file, ...rest);
const linksOf = async (home: string): Promise<readonly string[]> =>
  (await loadCosignerConfig(home)).links.map(({ name }) => name);
const toml = (): string => readFileSync(join(COSIGNER, 'cosigner.toml'), 'utf8');

/** Every file with its contents. */
const snapshot = (): string[] =>
  (readdirSync(at('cluster'), { recursive: true }) as string[])
    .sort()
    .map((file) =>
      statSync(at('cluster', file)).isFile() ? `${file} ${readFileSync(at('cluster', file), 'hex')}` : file,
    );

test('a new link is made from public files, let in everywhere, and belongs to the cluster; twice changes nothing', async () => {
  expect((await make()).code).toBe(0);
  const first = snapshot();
  expect((await make()).text).toContain('There is sentry-link-3');
  expect(snapshot()).toEqual(first);
  for (const home of [COSIGNER, at('cluster', 'cosigner-2')]) {
    expect((await letIn(home)).text).toContain('Added sentry-link-3');
    expect(await linksOf(home)).toEqual(['sentry-link-1', 'sentry-link-2', 'sentry-link-3']);
  }
  const second = snapshot();
  expect((await letIn(COSIGNER)).text).toContain('Added already');
  expect(snapshot()).toEqual(second);
  expect((await hekate('keys', 'verify', at('cluster'))).code).toBe(0);
  const text = readFileSync(join(NEW, 'sentry-link.toml'), 'utf8');
  expect(text).toBe(
    readFileSync(join(PUBLIC, 'sentry-link.toml'), 'utf8').replaceAll('sentry-link-1', 'sentry-link-3'),
  );
  for (const secret of ['tls/identity.key', 'node-identity.key']) {
    expect(statSync(join(NEW, secret)).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(NEW, secret))).not.toEqual(readFileSync(join(LINK, secret)));
  }
});

test('one that is added and removed again leaves what was there', async () => {
  const before = toml();
  await make();
  await letIn(COSIGNER);
  expect((await link('remove', '--home', COSIGNER, 'sentry-link-3')).code).toBe(0);
  expect(toml()).toBe(before);
  expect(readdirSync(join(COSIGNER, 'tls/peers')).sort()).toEqual([
    'cosigner-2.crt',
    'sentry-link-1.crt',
    'sentry-link-2.crt',
  ]);
});

test('an add that was killed before the configuration, a remove that was killed behind it: run again', async () => {
  await make();
  const file = join(COSIGNER, 'tls/peers/sentry-link-3.crt');
  writeFileSync(`${file}.tmp`, 'half');
  cpSync(CRT, file);
  expect((await letIn(COSIGNER)).code).toBe(0);
  expect((await link('remove', '--home', COSIGNER, 'sentry-link-3')).code).toBe(0);
  cpSync(CRT, file);
  expect((await link('remove', '--home', COSIGNER, 'sentry-link-3')).code).toBe(0);
  expect(existsSync(file)).toBe(false);
});

test.each<[name: string, prepare: () => unknown, run: () => ReturnType<typeof hekate>, code: string]>([
  ['neither --from nor --certificate', () => 0, () => link('add', '--home', NEW), 'USAGE'],
  ['both', () => 0, () => make('--certificate', CRT), 'USAGE'],
  ['no name', () => 0, () => link('add', '--home', NEW, '--from', PUBLIC), 'USAGE'],
  ['the name of a cosigner', () => 0, () => make('--name', 'cosigner-3'), 'USAGE'],
  ['a name that leads out of a folder', () => 0, () => make('--name', '../x'), 'USAGE'],
  ['the name of the other one', () => 0, () => make('--name', 'sentry-link-1'), 'USAGE'],
  [
    'a folder that is taken',
    () => 0,
    () => link('add', '--home', COSIGNER, '--from', PUBLIC, '--name', 'x'),
    'DIR_NOT_EMPTY',
  ],
  ['public files of nobody', () => rmSync(PUBLIC, { recursive: true }), () => make(), 'NO_HOME'],
  [
    'public files without a group.json',
    () => rmSync(join(PUBLIC, 'chains'), { recursive: true }),
    () => make(),
    'GROUP_INVALID',
  ],
  [
    'public files without certificates',
    () => rmSync(join(PUBLIC, 'tls'), { recursive: true }),
    () => make(),
    'TLS_IDENTITY_MISSING',
  ],
  [
    'public files with exchanged certificates',
    () => cpSync(join(PUBLIC, 'tls/peers/cosigner-1.crt'), join(PUBLIC, 'tls/peers/cosigner-2.crt')),
    () => make(),
    'TLS_PIN_MISMATCH',
  ],
  [
    'a configuration that names other TLS files',
    () =>
      writeFileSync(
        join(PUBLIC, 'sentry-link.toml'),
        `${readFileSync(join(PUBLIC, 'sentry-link.toml'), 'utf8')}[tls]\nkey = "/run/key"\n`,
      ),
    () => make(),
    'CONFIG_NOT_EDITED',
  ],
  ['a link where a cosigner belongs', () => make(), () => letIn(LINK), 'NO_HOME'],
  ['a certificate that is not there', () => 0, () => letIn(COSIGNER), 'TLS_IDENTITY_MISSING'],
  ['another pin', () => make(), () => letIn(COSIGNER, CRT, '--expect', 'sha256:1'), 'TLS_PIN_MISMATCH'],
  [
    'a certificate of a cosigner',
    () => 0,
    () => letIn(COSIGNER, at('cluster/cosigner-2/tls/identity.crt'), '--name', 'x'),
    'PEER_EXISTS',
  ],
  [
    'its own certificate',
    () => 0,
    () => letIn(COSIGNER, join(COSIGNER, 'tls/identity.crt'), '--name', 'x'),
    'PEER_EXISTS',
  ],
  [
    'the certificate of another link',
    () => 0,
    () => letIn(COSIGNER, join(LINK, 'tls/identity.crt'), '--name', 'x'),
    'PEER_EXISTS',
  ],
  [
    'another certificate under a name that is taken',
    async () => writeFileSync(at('other.crt'), (await makeNextIdentity('sentry-link-1')).certPem),
    () => letIn(COSIGNER, at('other.crt')),
    'PEER_EXISTS',
  ],
  [
    'a subject that is taken',
    async () => writeFileSync(at('same.crt'), (await makeIdentity('sentry-link-1')).certPem),
    () => letIn(COSIGNER, at('same.crt'), '--name', 'x'),
    'TLS_IDENTITY_INVALID',
  ],
  [
    'one more than there may be',
    async () => {
      await make();
      const more = Array.from(
        { length: MAX_LINKS - 2 },
        (_, i) => `[[link]]\nname = "l${i}"\npin = "sha256:${String(i).padStart(64, '0')}"\n`,
      );
      writeFileSync(join(COSIGNER, 'cosigner.toml'), `${toml()}\n${more.join('\n')}`);
      const any = (await makeNextIdentity('x')).certPem;
      more.forEach((_, i) => writeFileSync(join(COSIGNER, `tls/peers/l${i}.crt`), any));
    },
    () => letIn(COSIGNER),
    'CONFIG_INVALID',
  ],
  ['one that is not there', () => 0, () => link('remove', '--home', COSIGNER, 'sentry-link-3'), 'PEER_UNKNOWN'],
  ['a cosigner', () => 0, () => link('remove', '--home', COSIGNER, 'cosigner-2'), 'USAGE'],
  [
    'the last one',
    () => link('remove', '--home', COSIGNER, 'sentry-link-1'),
    () => link('remove', '--home', COSIGNER, 'sentry-link-2'),
    'LAST_LINK',
  ],
])('refused, and nothing is changed: %s', async (_name, prepare, run, code) => {
  await prepare();
  const before = snapshot();
  const { code: exit, text } = await run();
  expect(text).toMatch(new RegExp(`^${code}: .*Fix: `, 's'));
  expect(exit).not.toBe(0);
  expect(snapshot()).toEqual(before);
});
