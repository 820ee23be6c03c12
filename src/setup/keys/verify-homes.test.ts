import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { loadGroup } from '../../shared/frost/load-group.js';
import { nodeDisk } from '../../shared/ports/node-disk.js';
import { systemRandom } from '../../shared/ports/random.js';
import { findChainFiles } from '../find-homes.js';
import { initCluster } from '../init/init.js';
import { verifyChain } from './verify-folders.js';

const folder = mkdtempSync(join(tmpdir(), 'hekate-homes-'));
const [made, cluster] = [join(folder, 'made'), join(folder, 'cluster')];
const group = await loadGroup();

beforeAll(async () => {
  const cosigners = [1, 2, 3].map((i) => ({ host: '127.0.0.1', port: 7000 + i }));
  const taken = { key: undefined, start: undefined, links: 2 };
  const request = { ...taken, dir: made, chainId: 'test-1', nodes: ['a:1'], threshold: 2, cosigners };
  await initCluster(request, { disk: nodeDisk, random: systemRandom });
});
beforeEach(() => {
  rmSync(cluster, { recursive: true, force: true });
  cpSync(made, cluster, { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true }));

const from = (home: string, to: string, ...files: readonly string[]): void => {
  for (const file of files) copyFileSync(join(cluster, home, file), join(cluster, to, file));
};
const edit = (file: string, change: (text: string) => string): void => {
  const [path, before] = [join(cluster, file), readFileSync(join(cluster, file), 'utf8')];
  expect(change(before)).not.toBe(before);
  writeFileSync(path, change(before));
};
const IDENTITY = ['tls/identity.crt', 'tls/identity.key'];

test.each<[string, () => void, string[]]>([
  ['as made', () => undefined, []],
  [
    'two cosigners with the certificate of one',
    () => from('cosigner-2', 'cosigner-1', ...IDENTITY),
    [
      'cosigner-1: cosigner-1 shows the certificate of cosigner-2: its tls folder is another home',
      'cosigner-2: another certificate of cosigner-1 is pinned',
      'cosigner-3: another certificate of cosigner-1 is pinned',
      'sentry-link-1: another certificate of cosigner-1 is pinned',
      'sentry-link-2: another certificate of cosigner-1 is pinned',
    ],
  ],
  [
    'a link with the certificate of a cosigner',
    () => from('cosigner-3', 'sentry-link-1', ...IDENTITY),
    [
      'cosigner-1: another certificate of sentry-link-1 is pinned',
      'cosigner-2: another certificate of sentry-link-1 is pinned',
      'cosigner-3: another certificate of sentry-link-1 is pinned',
      'sentry-link-1: sentry-link-1 shows the certificate of cosigner-3',
    ],
  ],
  [
    'two links with the certificate of one',
    () => from('sentry-link-2', 'sentry-link-1', ...IDENTITY),
    [
      'cosigner-1: another certificate of sentry-link-1 is pinned',
      'cosigner-2: another certificate of sentry-link-1 is pinned',
      'cosigner-3: another certificate of sentry-link-1 is pinned',
      'sentry-link-1: sentry-link-1 shows the certificate of sentry-link-2',
    ],
  ],
  [
    'the configuration of another cosigner',
    () => from('cosigner-2', 'cosigner-1', 'cosigner.toml', ...IDENTITY),
    [
      'cosigner-1: TLS_IDENTITY_MISSING',
      'cosigner-1: share 1 is here, but this is the home of cosigner 2',
      'cosigner-2: cosigner-2 is in',
    ],
  ],
  [
    'a link in two folders',
    () => cpSync(join(cluster, 'sentry-link-1'), join(cluster, 'sentry-link-3'), { recursive: true }),
    ['sentry-link-3: sentry-link-1 is in'],
  ],
  [
    'the certificate of another peer',
    () =>
      copyFileSync(join(cluster, 'cosigner-2/tls/identity.crt'), join(cluster, 'cosigner-3/tls/peers/cosigner-1.crt')),
    ['cosigner-3: TLS_PIN_MISMATCH: the certificate of cosigner-1'],
  ],
  [
    'the certificate of a peer lost',
    () => rmSync(join(cluster, 'sentry-link-1', 'tls/peers/cosigner-2.crt')),
    ['sentry-link-1: TLS_IDENTITY_MISSING'],
  ],
  [
    'a link that lists one cosigner less than were dealt to',
    () => edit('sentry-link-2/sentry-link.toml', (text) => text.replace(/\[\[cosigner\]\]\nid = 3\n.*\n.*\n/, '')),
    ['sentry-link-2: GROUP_MISMATCH: chain test-1 was dealt to cosigners 1 to 3'],
  ],
  [
    'a cosigner that lists one more',
    () => edit('cosigner-2/cosigner.toml', (text) => text.replace(/^id = 3$/m, 'id = 4')),
    ['cosigner-2: GROUP_MISMATCH: chain test-1 was dealt to 3 cosigners', 'cosigner-2: TLS_IDENTITY_MISSING'],
  ],
  [
    'a cosigner that lists one less',
    () => edit('cosigner-2/cosigner.toml', (text) => text.replace(/\[\[cosigner\]\]\nid = 3\n.*\n/, '')),
    [
      'cosigner-2: GROUP_MISMATCH: chain test-1 was dealt to 3 cosigners, /cosigner-2/cosigner.toml has no [[cosigner]]',
    ],
  ],
  [
    'a chain that the configuration does not have, and one without files',
    () => edit('cosigner-1/cosigner.toml', (text) => text.replace('"test-1"', '"zwei-2"')),
    [
      'cosigner-1: /cosigner-1/cosigner.toml has chain zwei-2, but there is no',
      'cosigner-1: /cosigner-1/cosigner.toml has no chain test-1',
    ],
  ],
])('homes of one cluster, %s', async (_name, damage, expected) => {
  damage();
  const { ok, findings } = await verifyChain('test-1', await findChainFiles(cluster), group, undefined);
  const bad = findings.flatMap((one) =>
    one.ok ? [] : [`${one.folder.slice(cluster.length + 1)}: ${one.text.replaceAll(cluster, '')}`],
  );
  expect(ok).toBe(expected.length === 0);
  expect(bad.map((text) => expected.find((start) => text.startsWith(start)) ?? text).sort()).toEqual(expected);
});
