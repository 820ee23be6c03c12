import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { cleanupAfterAll } from '../support/cleanup.js';
import { HekateCluster, HekateProcess } from '../support/hekate-cluster.js';
import { TestFolder } from '../support/project.js';
import { runHekate } from '../support/run-hekate.js';
import { makeReadOnly, needsMount, putOnSmallDisk } from '../support/tmpfs.js';
import { writeValidatorKey } from '../support/validator-key.js';

// What is wrong with a home is told at the start, by code and fix, and the process ends: it never signs with a guess.
const cleanup = cleanupAfterAll();
const CHAIN_ID = 'start-1';
const folder = new TestFolder('start');
cleanup.add(() => folder.remove());

let cluster: HekateCluster;
/** Of the same chain id, with another key. */
let other: HekateCluster;
let copies = 0;

beforeAll(async () => {
  const make = async (name: string): Promise<HekateCluster> => {
    const into = new TestFolder(`start-${name}`);
    cleanup.add(() => into.remove());
    const { keyFile } = writeValidatorKey(into.path);
    const nodeAddress = `unix://${into.file('node.sock')}`;
    return HekateCluster.create({ folder: into.path, chainId: CHAIN_ID, nodeAddress, keyFile });
  };
  [cluster, other] = await Promise.all([make('a'), make('b')]);
  // The second state that the rolled back one is compared with.
  await cluster.cosigners[2]?.start();
  await cluster.cosigners[2]?.stop();
});

/** A home to damage: a copy of that of cosigner 1, or another process. */
function homeOf(name = 'cosigner-1', from = cluster): string {
  const copy = folder.file(`${++copies}-${name}`);
  cpSync(join(from.folder, name), copy, { recursive: true });
  return copy;
}

const STATE = `state/${CHAIN_ID}.watermark`;
const SHARE = `chains/${CHAIN_ID}/share.key`;
const GROUP = `chains/${CHAIN_ID}/group.json`;

async function expectRefusal(home: string, code: string, exitCode = 1): Promise<string> {
  const role = home.includes('sentry-link') ? 'sentry-link' : 'cosigner';
  const run = await runHekate([role, 'start', '--home', home, '--log-format', 'json']);
  expect(run.stderr).toMatch(new RegExp(`^${code}: [^]+\\. Fix: .+\\n$`));
  expect(run.code).toBe(exitCode);
  expect(run.stdout).not.toContain('"ready"');
  return run.stderr;
}

type Damage = (home: string) => void;

describe('state', () => {
  it.each<readonly [string, string, Damage]>([
    ['missing', 'STATE_MISSING', (home) => rmSync(join(home, STATE))],
    ['without its mark', 'STATE_MISSING', (home) => rmSync(join(home, `${STATE}.mark`))],
    ['both missing', 'STATE_MISSING', (home) => rmSync(join(home, 'state'), { recursive: true })],
    ['cut short', 'STATE_TRUNCATED', (home) => truncateSync(join(home, STATE), 4096)],
    ['empty', 'STATE_TRUNCATED', (home) => truncateSync(join(home, STATE), 0)],
    ['all zeros', 'STATE_CORRUPT', (home) => writeFileSync(join(home, STATE), new Uint8Array(8192))],
    ['one slot torn', 'STATE_CORRUPT', (home) => overwrite(join(home, STATE), 4096, 1024)],
    ['the mark torn', 'STATE_CORRUPT', (home) => overwrite(join(home, `${STATE}.mark`), 0, 1024)],
    ['of another key', 'STATE_FOREIGN', (home) => copyFrom(other, 'cosigner-1', 'state', home)],
    ['readable by others', 'STATE_MODE', (home) => chmodSync(join(home, STATE), 0o644)],
    ['a folder in its place', 'STATE_UNREADABLE', (home) => (rmSync(join(home, STATE)), mkdirSync(join(home, STATE)))],
    ['not writable', 'STATE_NOT_WRITABLE', (home) => chmodSync(join(home, STATE), 0o400)],
  ])('%s: %s', async (_name, code, damage) => {
    const home = homeOf();
    damage(home);
    await expectRefusal(home, code);
  });

  it('an older copy put back: it counts from its mark, and waits', async () => {
    const home = homeOf();
    const old = readFileSync(join(home, STATE));
    const cosigner = new HekateProcess(home.slice(folder.path.length + 1), 'cosigner', folder.path);
    await cosigner.start();
    expect(await cosigner.stop()).toBe(0);
    writeFileSync(join(home, STATE), old);
    await cosigner.start();
    expect(await cosigner.stop()).toBe(0);
    const [event] = cosigner.events().filter(({ code }) => code === 'STATE_ROLLED_BACK');
    expect(event).toMatchObject({ reason: expect.stringContaining('is an old copy: it has number 2 ') as string });
    expect(cosigner.events().filter(({ event: name }) => name === 'waits until it has heard the others')).toHaveLength(
      2,
    );
  });

  it('on a read-only file system, alone and with all of the home', async (context) => {
    needsMount(context, folder.path);
    const home = homeOf();
    putOnSmallDisk(join(home, 'state'), cleanup);
    makeReadOnly(join(home, 'state'));
    await expectRefusal(home, 'STATE_NOT_WRITABLE');
    const whole = homeOf();
    putOnSmallDisk(whole, cleanup);
    makeReadOnly(whole);
    await expectRefusal(whole, 'HOME_NOT_WRITABLE');
  });
});

describe('shares, group and identity', () => {
  it.each<readonly [string, string, Damage]>([
    ['share missing', 'SHARE_MISSING', (home) => rmSync(join(home, SHARE))],
    ['share readable by others', 'SHARE_MODE', (home) => chmodSync(join(home, SHARE), 0o604)],
    ['share damaged', 'SHARE_INVALID', (home) => truncateSync(join(home, SHARE), 63)],
    ['share of another cosigner', 'SHARE_MISMATCH', (home) => copyFrom(cluster, 'cosigner-2', SHARE, home)],
    ['share of another dealing', 'SHARE_MISMATCH', (home) => copyFrom(other, 'cosigner-1', SHARE, home)],
    ['group damaged', 'GROUP_INVALID', (home) => truncateSync(join(home, GROUP), 20)],
    ['group of another dealing', 'SHARE_MISMATCH', (home) => copyFrom(other, 'cosigner-1', GROUP, home)],
    [
      'group of another chain',
      'GROUP_INVALID',
      (home) => edit(join(home, GROUP), (text) => text.replace(CHAIN_ID, 'start-2')),
    ],
    [
      'group of fewer cosigners than are configured',
      'GROUP_MISMATCH',
      (home) => {
        edit(join(home, 'cosigner.toml'), (text) => text.replace(/^id = 3$/m, 'id = 4'));
        cpSync(join(home, 'tls/peers/cosigner-3.crt'), join(home, 'tls/peers/cosigner-4.crt'));
      },
    ],
    [
      'group of more cosigners than are configured',
      'GROUP_MISMATCH',
      (home) => edit(join(home, 'cosigner.toml'), (text) => text.replace(/\[\[cosigner\]\]\nid = 3\n.*\n/, '')),
    ],
    [
      'configuration of another cosigner',
      'TLS_IDENTITY_FOREIGN',
      (home) => copyFrom(cluster, 'cosigner-2', 'cosigner.toml', home),
    ],
    [
      'configuration and identity of another cosigner',
      'SHARE_MISMATCH',
      (home) => ['cosigner.toml', 'tls'].forEach((path) => copyFrom(cluster, 'cosigner-2', path, home)),
    ],
    ['TLS key readable by others', 'TLS_KEY_MODE', (home) => chmodSync(join(home, 'tls/identity.key'), 0o644)],
    ['TLS key missing', 'TLS_IDENTITY_MISSING', (home) => rmSync(join(home, 'tls/identity.key'))],
    [
      'certificate of another',
      'TLS_IDENTITY_INVALID',
      (home) => copyFrom(other, 'cosigner-1', 'tls/identity.crt', home),
    ],
    [
      'the identity of another cosigner of this cluster',
      'TLS_IDENTITY_FOREIGN',
      (home) => {
        copyFrom(cluster, 'cosigner-2', 'tls/identity.crt', home);
        copyFrom(cluster, 'cosigner-2', 'tls/identity.key', home);
      },
    ],
    ['a peer’s certificate exchanged', 'TLS_PIN_MISMATCH', (home) => copyFrom(other, 'cosigner-1', 'tls/peers', home)],
  ])('%s: %s', async (_name, code, damage) => {
    const home = homeOf();
    damage(home);
    const told = await expectRefusal(home, code);
    // No part of a secret in what is told.
    const share =
      readFileSync(join(cluster.folder, 'cosigner-1', SHARE), 'utf8')
        .trim()
        .split('\n')
        .at(-1) ?? '';
    expect(share).toHaveLength(64);
    expect(told).not.toContain(share.slice(0, 8));
  });

  it.each<readonly [string, string, RegExp, Damage]>([
    [
      'a share as its identity for nodes',
      'IDENTITY_INVALID',
      /node-identity\.key is the share of cosigner-2 for chain start-1/,
      (home) => cpSync(join(cluster.folder, 'cosigner-2', SHARE), join(home, 'node-identity.key')),
    ],
    [
      'a group of another number of cosigners',
      'GROUP_MISMATCH',
      /was dealt to cosigners 1 to 3, .*sentry-link\.toml has 1, 2\./,
      (home) => edit(join(home, 'sentry-link.toml'), (text) => text.replace(/\[\[cosigner\]\]\nid = 3\n.*\n.*\n/, '')),
    ],
    [
      'a group of another chain',
      'GROUP_INVALID',
      /it is for chain start-2, not start-1/,
      (home) => edit(join(home, GROUP), (text) => text.replace(CHAIN_ID, 'start-2')),
    ],
    [
      'the certificate of another cosigner',
      'TLS_PIN_MISMATCH',
      /the certificate of cosigner-1 has the pin/,
      (home) => cpSync(join(cluster.folder, 'cosigner-2', 'tls/identity.crt'), join(home, 'tls/peers/cosigner-1.crt')),
    ],
  ])('a sentry-link with %s: %s', async (_name, code, told, damage) => {
    const home = homeOf('sentry-link-1');
    damage(home);
    expect(await expectRefusal(home, code)).toMatch(told);
  });

  it.each(['cosigner-3', 'sentry-link-2'])(
    'a sentry-link with the identity of %s: TLS_IDENTITY_FOREIGN',
    async (owner) => {
      const home = homeOf('sentry-link-1');
      for (const file of ['tls/identity.crt', 'tls/identity.key']) copyFrom(cluster, owner, file, home);
      expect(await expectRefusal(home, 'TLS_IDENTITY_FOREIGN')).toContain(
        `is the certificate of ${owner}, not of sentry-link-1`,
      );
    },
  );
});

describe('configuration', () => {
  it('all that is wrong with that of a cosigner is told at once, with lines and columns: exit code 2', async () => {
    const home = homeOf();
    const file = join(home, 'cosigner.toml');
    const text = readFileSync(file, 'utf8').replace(/^listen = .*$/m, 'listen = 7001\ncolour = "red"');
    writeFileSync(file, `${text}\n[[chain]]\nid = "${CHAIN_ID}"\n`);
    const told = await expectRefusal(home, 'CONFIG_INVALID', 2);
    const lines = text.split('\n');
    const line = (start: string): number => 1 + lines.findIndex((one) => one.startsWith(start));
    expect(told).toContain(`${file}:${line('listen')}:10: "listen" must be`);
    expect(told).toContain(`${file}:${line('colour')}:1: unknown key "colour"`);
    expect(told).toMatch(new RegExp(`cosigner\\.toml:${lines.length + 2}:6: .*${CHAIN_ID}`));
  });

  it('the same of a sentry-link', async () => {
    const home = homeOf('sentry-link-1');
    const file = join(home, 'sentry-link.toml');
    const text = readFileSync(file, 'utf8').replace(/^version = .*$/m, '$&\nmood = 1');
    writeFileSync(file, text.replace(/^nodes = .*$/m, 'nodes = ["http://x"]'));
    const told = await expectRefusal(home, 'CONFIG_INVALID', 2);
    expect(told).toMatch(/sentry-link\.toml:\d+:1: unknown key "mood"/);
    expect(told).toMatch(/sentry-link\.toml:\d+:10: .*"http"/);
  });

  it('no home at all', async () => {
    await expectRefusal(folder.file('nowhere'), 'NO_HOME');
  });

  it('a port that is in use: exit code 1, for it may be free soon, with the line that says so', async () => {
    const home = homeOf();
    const port = cluster.ports[0] ?? 0;
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    try {
      const told = await expectRefusal(home, 'PORT_IN_USE', 1);
      expect(told).toMatch(new RegExp(`cosigner\\.toml:\\d+:\\d+: .*:${port}`));
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });
});

it.each(['cosigner', 'sentry-link'] as const)('a second %s on the home of one that runs: HOME_LOCKED', async (role) => {
  const [running] = role === 'cosigner' ? cluster.cosigners : cluster.links;
  if (running === undefined) throw new Error('a cluster has processes');
  await running.start();
  try {
    await expectRefusal(running.home, 'HOME_LOCKED');
    expect(running.running).toBe(true);
  } finally {
    expect(await running.stop()).toBe(0);
  }
});

function overwrite(file: string, offset: number, length: number): void {
  const contents = readFileSync(file);
  contents.fill(0x5a, offset, offset + length);
  writeFileSync(file, contents);
}

function edit(file: string, change: (text: string) => string): void {
  const before = readFileSync(file, 'utf8');
  expect(change(before)).not.toBe(before);
  writeFileSync(file, change(before));
}

function copyFrom(from: HekateCluster, name: string, path: string, home: string): void {
  cpSync(join(from.folder, name, path), join(home, path), { recursive: true, force: true });
}
