import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { hekateText as hekate } from '../../test/support/cli-run.js';
import { makeIdentity, makeNextIdentity } from '../setup/identity/make-identity.js';
import { pinnedIn } from '../setup/identity/pinned-identity.js';
import { readAnyHome } from '../setup/home/change-home.js';
import { loadPinnedPeers } from '../shared/home/peer-certificates.js';
import { checkIdentityIsOurs, loadIdentity, pinOf } from '../shared/transport/identity.js';
import { checkPins } from '../shared/transport/tls.js';

const root = mkdtempSync(join(tmpdir(), 'hekate-identity-'));
const at = (...names: string[]): string => join(root, ...names);
const COSIGNER = at('cluster', 'cosigner-1');
const OTHER = at('cluster', 'cosigner-2');
const LINK = at('cluster', 'sentry-link-1');
const NEXT = join(COSIGNER, 'tls/identity.next.crt');
const tls = (file: string): string => join(COSIGNER, 'tls', file);

beforeAll(async () => {
  const shape = ['--threshold', '2', '--cosigner', '127.0.0.1:7001', '127.0.0.1:7002', '--links', '1'];
  const made = await hekate('init', at('made'), '--chain-id', 'test-1', '--node', 'a:1', ...shape);
  expect(made.code).toBe(0);
});
afterAll(() => rmSync(root, { recursive: true }));
beforeEach(() => {
  rmSync(at('cluster'), { recursive: true, force: true });
  cpSync(at('made'), at('cluster'), { recursive: true });
});

const identity = (command: string, home: string, ...rest: string[]): ReturnType<typeof hekate> =>
  hekate('identity', command, '--home', home, ...rest);
async function done(command: string, home: string, ...rest: string[]): Promise<string> {
  const { code, text } = await identity(command, home, ...rest);
  expect(text).not.toContain('Fix:');
  expect(code).toBe(0);
  return text;
}
/** Loads what a start loads of identities and pins; the pins that it knows of cosigner-1. */
async function starts(home: string): Promise<readonly string[]> {
  const found = await readAnyHome(home);
  const { config, name } = found;
  const own = await loadIdentity(config.tls.certificate, config.tls.key);
  checkIdentityIsOurs(own, config.tls.certificate, name, pinnedIn(found));
  const peers = await loadPinnedPeers(config.tls.peers, pinnedIn(found));
  checkPins(peers);
  return peers.filter((peer) => peer.name === 'cosigner-1').map(({ pin }) => pin);
}
const pinIn = (file: string): string => pinOf(readFileSync(file));
const toml = (home: string, file: string): string => readFileSync(join(home, file), 'utf8');

test('a rotation, step by step: every home starts after each, and twice changes nothing', async () => {
  const first = pinIn(tls('identity.crt'));
  const before = toml(LINK, 'sentry-link.toml');
  const made = await done('new', COSIGNER);
  const second = pinIn(NEXT);
  expect(made).toContain(second);
  expect(await done('new', COSIGNER)).toContain(second);
  expect(pinIn(tls('identity.crt'))).toBe(first);
  for (const home of [LINK, OTHER]) {
    expect(await done('pin', home, NEXT, '--expect', second)).toContain('Pinned cosigner-1');
    const text = await done('pin', home, NEXT);
    expect(text).toContain('Pinned already');
    expect(await starts(home)).toEqual([first, second]);
  }
  await starts(COSIGNER);
  await done('switch', COSIGNER);
  await starts(COSIGNER);
  expect([pinIn(tls('identity.crt')), pinIn(tls('identity.old.crt'))]).toEqual([second, first]);
  for (const home of [LINK, OTHER]) {
    expect(await done('drop', home, '--name', 'cosigner-1')).toContain(second);
    expect(await starts(home)).toEqual([second]);
  }
  await done('drop', COSIGNER);
  await starts(COSIGNER);
  expect(existsSync(tls('identity.old.key'))).toBe(false);
  expect(toml(LINK, 'sentry-link.toml')).toBe(before.replace(first, second));
  expect((await hekate('keys', 'verify', at('cluster'))).code).toBe(0);
});

test('a link rotates its identity in the same way', async () => {
  await done('new', LINK);
  for (const home of [COSIGNER, OTHER]) await done('pin', home, join(LINK, 'tls/identity.next.crt'));
  await done('switch', LINK);
  for (const home of [COSIGNER, OTHER]) await done('drop', home, '--name', 'sentry-link-1');
  expect((await hekate('keys', 'verify', at('cluster'))).code).toBe(0);
});

test('a rotation that is called off leaves all as it was', async () => {
  const before = toml(LINK, 'sentry-link.toml');
  await done('new', COSIGNER);
  await done('pin', LINK, NEXT);
  await done('switch', COSIGNER);
  await done('switch', COSIGNER, '--back');
  await done('drop', LINK, '--name', 'cosigner-1', '--new');
  await done('drop', COSIGNER, '--new');
  expect(toml(LINK, 'sentry-link.toml')).toBe(before);
  expect(existsSync(NEXT)).toBe(false);
  for (const home of [COSIGNER, LINK]) await starts(home);
  expect((await hekate('keys', 'verify', at('cluster'))).code).toBe(0);
});

test('comments and layout of the configuration stay', async () => {
  const edited = toml(LINK, 'sentry-link.toml')
    .replace(/(pin = .*)/, '$1 # of Berlin')
    .replaceAll('\n', '\r\n');
  writeFileSync(join(LINK, 'sentry-link.toml'), edited);
  await done('new', COSIGNER);
  await done('pin', LINK, NEXT);
  expect(toml(LINK, 'sentry-link.toml')).toBe(
    edited.replace('# of Berlin\r\n', `# of Berlin\r\nnext_pin = "${pinIn(NEXT)}"\r\n`),
  );
});

/** What a command that was killed has left, and what another run makes of it. */
test.each<[name: string, killed: () => void, command: readonly string[]]>([
  ['the key of a next identity is there', () => rmSync(NEXT), ['new', COSIGNER]],
  ['half of a certificate', () => (rmSync(NEXT), writeFileSync(`${NEXT}.tmp`, 'half')), ['new', COSIGNER]],
  [
    'a certificate that the configuration does not name',
    () => cpSync(NEXT, join(LINK, 'tls/peers/cosigner-1.next.crt')),
    ['pin', LINK, NEXT],
  ],
  [
    'the switch has moved the key',
    () => {
      for (const end of ['key', 'crt']) renameSync(tls(`identity.${end}`), tls(`identity.old.${end}`));
      cpSync(tls('identity.old.crt'), tls('identity.crt'));
      renameSync(tls('identity.next.key'), tls('identity.key'));
    },
    ['switch', COSIGNER],
  ],
])('killed: %s', async (_name, killed, [command = '', home = '', ...rest]) => {
  await done('new', COSIGNER);
  killed();
  await done(command, home, ...rest);
  for (const one of [COSIGNER, LINK]) await starts(one);
});

test('a drop that was killed behind the configuration: the home starts, and another run finishes it', async () => {
  await done('new', COSIGNER);
  await done('pin', LINK, NEXT);
  const file = join(LINK, 'sentry-link.toml');
  const [first, second] = [pinIn(tls('identity.crt')), pinIn(NEXT)];
  writeFileSync(file, readFileSync(file, 'utf8').replace(`next_pin = "${second}"\n`, '').replace(first, second));
  expect(await starts(LINK)).toEqual([second]);
  await done('drop', LINK, '--name', 'cosigner-1');
  expect(await starts(LINK)).toEqual([second]);
  expect(existsSync(join(LINK, 'tls/peers/cosigner-1.next.crt'))).toBe(false);
});

test.each<[name: string, prepare: () => Promise<unknown>, command: readonly string[], code: string]>([
  ['a home that is none', async () => 0, ['new', at('none')], 'NO_HOME'],
  ['a switch with nothing to switch to', async () => 0, ['switch', COSIGNER], 'ROTATION_STEP'],
  ['a switch back to nothing', async () => 0, ['switch', COSIGNER, '--back'], 'ROTATION_STEP'],
  ['a drop with nothing to drop', async () => 0, ['drop', COSIGNER], 'ROTATION_STEP'],
  ['a drop of a peer with one pin', async () => 0, ['drop', LINK, '--name', 'cosigner-1'], 'ROTATION_STEP'],
  ['a peer that is not known', async () => 0, ['drop', LINK, '--name', 'cosigner-9'], 'PEER_UNKNOWN'],
  ['its own certificate', () => done('new', COSIGNER), ['pin', COSIGNER, NEXT], 'PEER_UNKNOWN'],
  [
    'a peer that is not known here',
    () => done('new', LINK),
    ['pin', LINK, join(LINK, 'tls/identity.next.crt')],
    'PEER_UNKNOWN',
  ],
  ['no certificate', async () => 0, ['pin', LINK, NEXT], 'TLS_IDENTITY_MISSING'],
  ['a key instead of a certificate', async () => 0, ['pin', LINK, tls('identity.key')], 'TLS_IDENTITY_INVALID'],
  ['a text instead of a certificate', async () => 0, ['pin', LINK, join(LINK, 'README.md')], 'TLS_IDENTITY_INVALID'],
  [
    'another pin than expected',
    () => done('new', COSIGNER),
    ['pin', LINK, NEXT, '--expect', 'sha256:0'],
    'TLS_PIN_MISMATCH',
  ],
  [
    'a certificate of another peer',
    async () => 0,
    ['pin', LINK, tls('identity.crt'), '--name', 'cosigner-2'],
    'PEER_EXISTS',
  ],
  [
    'a certificate with the subject of the first',
    async () => writeFileSync(at('same.crt'), (await makeIdentity('cosigner-1')).certPem),
    ['pin', LINK, at('same.crt')],
    'TLS_IDENTITY_INVALID',
  ],
  [
    'a third identity',
    async () => {
      await done('new', COSIGNER);
      await done('pin', LINK, NEXT);
      writeFileSync(at('third.crt'), (await makeNextIdentity('cosigner-1')).certPem);
    },
    ['pin', LINK, at('third.crt')],
    'ROTATION_STEP',
  ],
  [
    'a second rotation before the first is over',
    async () => {
      for (const command of ['new', 'switch', 'new']) await done(command, COSIGNER);
    },
    ['switch', COSIGNER],
    'ROTATION_STEP',
  ],
  [
    'a new identity in the middle of a switch',
    async () => {
      await done('new', COSIGNER);
      rmSync(tls('identity.next.key'));
    },
    ['new', COSIGNER],
    'ROTATION_STEP',
  ],
  [
    'a configuration that is broken',
    async () => {
      await done('new', COSIGNER);
      appendFileSync(join(LINK, 'sentry-link.toml'), 'x = 1\n');
    },
    ['pin', LINK, NEXT],
    'CONFIG_INVALID',
  ],
  [
    'a configuration that cannot be edited',
    async () => {
      await done('new', COSIGNER);
      writeFileSync(join(LINK, 'sentry-link.toml'), toml(LINK, 'sentry-link.toml').replace('id = 1\n', 'id = 0x1\n'));
    },
    ['pin', LINK, NEXT],
    'CONFIG_NOT_EDITED',
  ],
])('refused, and nothing is changed: %s', async (_name, prepare, [command = '', home = '', ...rest], code) => {
  await prepare();
  const files = (): string[] =>
    [LINK, COSIGNER].flatMap((one) =>
      [...'crt key next.crt next.key old.crt old.key'.split(' ')].map((end) => join(one, `tls/identity.${end}`)),
    );
  const contents = (): unknown[] => [
    toml(LINK, 'sentry-link.toml'),
    toml(COSIGNER, 'cosigner.toml'),
    ...files().map((file) => existsSync(file) && readFileSync(file, 'latin1')),
    existsSync(join(LINK, 'tls/peers/cosigner-1.next.crt')),
  ];
  const before = contents();
  const { code: exit, text } = await identity(command, home, ...rest);
  expect(text).toMatch(new RegExp(`^${code}: .*Fix: `, 's'));
  expect(exit).not.toBe(0);
  expect(contents()).toEqual(before);
});
