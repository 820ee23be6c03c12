import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { noHome, noHomes } from './wrong-home.js';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'hekate-home-'));
  for (const [home, file] of [
    ['cluster/cosigner-10', 'cosigner.toml'],
    ['cluster/cosigner-2', 'cosigner.toml'],
    ['cluster/sentry-link-1', 'sentry-link.toml'],
    ['links/sentry-link-1', 'sentry-link.toml'],
    ['other', 'notes.txt'],
  ] as const) {
    mkdirSync(join(dir, home), { recursive: true });
    writeFileSync(join(dir, home, file), '');
  }
});
afterAll(() => rmSync(dir, { recursive: true }));

it.each<[name: string, file: string, line: string]>([
  [
    'a sentry-link’s for a cosigner',
    'cluster/sentry-link-1/cosigner.toml',
    'NO_HOME: DIR/cluster/sentry-link-1 is the home of a sentry-link, not of a cosigner. Fix: give the home of a cosigner; ' +
      'this one belongs to `hekate sentry-link start --home DIR/cluster/sentry-link-1`',
  ],
  [
    'a cosigner’s for a sentry-link',
    'cluster/cosigner-2/sentry-link.toml',
    'NO_HOME: DIR/cluster/cosigner-2 is the home of a cosigner, not of a sentry-link. Fix: give the home of a sentry-link; ' +
      'this one belongs to `hekate cosigner start --home DIR/cluster/cosigner-2`',
  ],
  [
    'the folder of a cluster',
    'cluster/cosigner.toml',
    'NO_HOME: DIR/cluster is no home but holds some: cosigner-2, cosigner-10. Fix: give one of them, as in DIR/cluster/cosigner-2',
  ],
  ['a folder of sentry-links only', 'links/cosigner.toml', 'NO_HOME: there is no DIR/links/cosigner.toml. Fix: FIX'],
  ['another folder', 'other/cosigner.toml', 'NO_HOME: there is no DIR/other/cosigner.toml. Fix: FIX'],
  ['no folder', 'nowhere/cosigner.toml', 'NO_HOME: there is no folder DIR/nowhere. Fix: FIX'],
  ['a file', 'other/notes.txt/cosigner.toml', 'NO_HOME: there is no folder DIR/other/notes.txt. Fix: FIX'],
])('%s', async (_name, file, line) => {
  const usual = 'give a folder that `hekate init` made, or the one that holds them';
  expect((await noHome(join(dir, file))).toLine()).toBe(line.replaceAll('DIR', dir).replace('FIX', usual));
});

it.each<[name: string, folder: string, files: readonly string[], message: string]>([
  [
    'a sentry-link’s, which has no watermark',
    'cluster/sentry-link-1',
    ['cosigner.toml'],
    'DIR/cluster/sentry-link-1 is the home of a sentry-link, not of a cosigner',
  ],
  [
    'only sentry-links in it',
    'links',
    ['cosigner.toml'],
    'there is no cosigner.toml in DIR/links or in the folders in it',
  ],
  [
    'anything would do',
    'other',
    ['cosigner.toml', 'sentry-link.toml'],
    'there is no cosigner.toml or sentry-link.toml in DIR/other or in the folders in it',
  ],
  ['no folder', 'nowhere', ['chains'], 'there is no folder DIR/nowhere'],
])('no homes: %s', async (_name, folder, files, message) => {
  expect((await noHomes(join(dir, folder), files)).message).toBe(message.replaceAll('DIR', dir));
});
