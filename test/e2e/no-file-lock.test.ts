import { mkdirSync, writeFileSync } from 'node:fs';
import { beforeAll, expect, it } from 'vitest';
import { cleanupAfterAll } from '../support/cleanup.js';
import { TestFolder } from '../support/project.js';
import { runHekate, type HekateRun } from '../support/run-hekate.js';

// Where the addon that locks files cannot be loaded (another libc, an install without it), everything that needs a lock says so.
const cleanup = cleanupAfterAll();
const folder = new TestFolder('no-lock');
cleanup.add(() => folder.remove());
const CHAIN_ID = 'lock-1';
const WITHOUT_ADDON = `
const Module = require('node:module');
const load = Module._load;
Module._load = function (request, ...rest) {
  if (request === 'fs-native-extensions') throw Object.assign(new Error('no addon'), { code: 'ADDON_NOT_FOUND' });
  return load.call(this, request, ...rest);
};
`;

const run = (...args: readonly string[]): Promise<HekateRun> =>
  runHekate(args, 20_000, ['--require', folder.file('no-addon.cjs')]);

beforeAll(async () => {
  writeFileSync(folder.file('no-addon.cjs'), WITHOUT_ADDON);
  // What makes a cluster holds no lock.
  const made = await run(
    ...['init', folder.file('cluster'), '--chain-id', CHAIN_ID, '--node', 'unix:///nowhere', '--threshold', '2'],
    ...['--cosigner', '127.0.0.1:1', '127.0.0.1:2', '127.0.0.1:3', '--links', '1'],
  );
  expect(made.code, made.stderr).toBe(0);
  mkdirSync(folder.file('dev', CHAIN_ID), { recursive: true });
  writeFileSync(folder.file('dev', CHAIN_ID, 'dev.json'), '{}');
  // Of a process that runs: whether it is that of the cluster, its lock tells.
  writeFileSync(folder.file('dev', `${CHAIN_ID}.lock`), String(process.pid));
});

it.each<readonly [name: string, args: readonly string[]]>([
  ['cosigner start', ['cosigner', 'start', '--home', 'cluster/cosigner-1']],
  ['sentry-link start', ['sentry-link', 'start', '--home', 'cluster/sentry-link-1']],
  ['state init', ['state', 'init', 'cluster/cosigner-1', '--chain-id', CHAIN_ID, '--height', '5', '--replace']],
  ['dev', ['dev', '--dir', 'other/dev']],
  ['dev status', ['dev', 'status', '--dir', './dev']],
])('hekate %s without the addon of file locks: STATE_LOCK_UNSUPPORTED', async (_name, args) => {
  const paths = args.map((arg) => (arg.includes('/') ? folder.file(arg) : arg));
  const { code, stderr } = await run(...paths);
  expect(stderr).toMatch(
    /^STATE_LOCK_UNSUPPORTED: cannot load the file lock \(ADDON_NOT_FOUND\)\. Fix: reinstall the packages with `npm ci`, on Linux/,
  );
  expect(code).toBe(1);
});
