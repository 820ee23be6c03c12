import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isHekateError } from '../errors.js';
import { loadCosignerConfig, parseCosignerConfig } from './cosigner-config.js';
import { parseSentryLinkConfig } from './sentry-link-config.js';

const pin = (digit: string): string => `sha256:${digit.repeat(64)}`;

const COSIGNER = `version = 1
id = 1
listen = "0.0.0.0:7001"
[[link]]
name = "sentry-link-1"
pin = "${pin('a')}"
[[cosigner]]
id = 2
pin = "${pin('b')}"
[[chain]]
id = "test-1"
`;

const LINK = `version = 1
name = "sentry-link-1"
[[cosigner]]
id = 2
address = "10.0.0.2:7001"
pin = "${pin('b')}"
[[cosigner]]
id = 1
address = "10.0.0.1:7001"
pin = "${pin('a')}"
[[chain]]
id = "test-1"
nodes = ["tcp://10.0.0.9:26659", "unix:///run/node.sock"]
`;

/** The problems that a configuration is refused for, as `line:column: problem`. */
async function problemsOf(config: Promise<unknown>): Promise<string[]> {
  try {
    await config;
    return [];
  } catch (error) {
    if (!isHekateError(error) || error.code !== 'CONFIG_INVALID') throw error;
    return [...error.message.matchAll(/f\.toml:(.*)/g)].map((match) => match[1] ?? '');
  }
}

test('a cosigner: defaults are filled in, paths are within the home', async () => {
  const { links, cosigners, chains, listenPlace, ...rest } = await parseCosignerConfig('/h', 'f.toml', COSIGNER);
  expect(rest).toEqual({
    home: '/h',
    file: 'f.toml',
    id: 1,
    listen: { host: '0.0.0.0', port: 7001 },
    log: { level: 'info', format: 'text' },
    tls: { key: '/h/tls/identity.key', certificate: '/h/tls/identity.crt', peers: '/h/tls/peers' },
  });
  expect(await listenPlace()).toBe('f.toml:3:10');
  expect({ links, cosigners, chains }).toEqual({
    links: [{ name: 'sentry-link-1', pin: pin('a') }],
    cosigners: [{ id: 2, pin: pin('b') }],
    chains: [
      { id: 'test-1', bech32Prefix: 'cosmos', maxHeightJump: 100_000n, maxHeightsPerSecond: 3, onDoubt: 'sit-out' },
    ],
  });
});

test('a cosigner: everything that can be said is taken', async () => {
  const text = `${COSIGNER}max_height_jump = 9007199254740993\nmax_heights_per_second = 0.5\nbech32_prefix = "kira"\non_doubt = "operator"\n[log]\nlevel = "debug"\nformat = "json"\n[tls]\nkey = "/run/key"\n`;
  const config = await parseCosignerConfig('/h', 'f.toml', text);
  expect(config.chains[0]).toEqual({
    id: 'test-1',
    bech32Prefix: 'kira',
    maxHeightJump: 9007199254740993n,
    maxHeightsPerSecond: 0.5,
    onDoubt: 'operator',
  });
  expect(config.log).toEqual({ level: 'debug', format: 'json' });
  expect(config.tls).toEqual({ key: '/run/key', certificate: '/h/tls/identity.crt', peers: '/h/tls/peers' });
});

const second = (text: string, of: string, next: string): string =>
  text.replace(`pin = "${pin(of)}"`, `pin = "${pin(of)}"\nnext_pin = "${pin(next)}"`);

test('a peer whose identity is being rotated has two pins', async () => {
  const { links, cosigners } = await parseCosignerConfig('/h', 'f', second(second(COSIGNER, 'a', 'c'), 'b', 'd'));
  expect(links).toEqual([{ name: 'sentry-link-1', pin: pin('a'), nextPin: pin('c') }]);
  expect(cosigners).toEqual([{ id: 2, pin: pin('b'), nextPin: pin('d') }]);
  const link = await parseSentryLinkConfig('/h', 'f', second(LINK, 'b', 'c'));
  expect(link.cosigners.map(({ nextPin }) => nextPin)).toEqual([undefined, pin('c')]);
});

test('a sentry-link: cosigners are sorted, timing has defaults', async () => {
  const config = await parseSentryLinkConfig('/h', 'f.toml', LINK);
  expect(config.cosigners.map(({ id }) => id)).toEqual([1, 2]);
  expect(config.chains).toEqual([
    {
      id: 'test-1',
      bech32Prefix: 'cosmos',
      nodes: ['tcp://10.0.0.9:26659', 'unix:///run/node.sock'],
      nodeMode: 'active',
      nodeLostMs: 3_000,
      nodeStillMs: 5_000,
    },
  ]);
  expect([config.leaseMs, config.signDeadlineMs]).toEqual([1000, 4000]);
});

const ADDED = (problem: string): string => `f.toml, with what would be added: ${problem}`;

test.each<[string, string, string[]]>([
  [
    'empty',
    '',
    [
      '1:1: "chain" is missing',
      '1:1: "id" is missing',
      '1:1: "link" is missing',
      '1:1: "listen" is missing',
      '1:1: "version" is missing',
    ],
  ],
  ['not TOML', `${COSIGNER}x = \n`, ['12:5: not TOML: invalid value']],
  ['a key twice', `version = 1\n${COSIGNER}`, ['2:1: not TOML: trying to redefine an already defined table or value']],
  [
    'a number too large for TOML',
    COSIGNER.replace('id = 1', `id = ${'9'.repeat(40)}`),
    ['2:6: "id" must be between 1 and 32'],
  ],
  ['an unknown key', `color = "red"\n${COSIGNER}`, ['1:1: unknown key "color"']],
  ['an unknown key in a section', `${COSIGNER}max_hight = 1\n`, ['12:1: unknown key "max_hight"']],
  ['an unknown section', `${COSIGNER}[logs]\n`, ['12:1: unknown key "logs"']],
  [
    'another version',
    COSIGNER.replace('version = 1', 'version = 2'),
    ['1:11: "version" must be 1: another version of hekate wrote this file'],
  ],
  ['a string for a number', COSIGNER.replace('id = 1', 'id = "1"'), ['2:6: "id" must be a whole number, not a string']],
  [
    'a fraction',
    COSIGNER.replace('id = 1', 'id = 1.0'),
    ['2:6: "id" must be a whole number, not a number with a decimal point'],
  ],
  ['an id above 32', COSIGNER.replace('id = 1', 'id = 33'), ['2:6: "id" must be between 1 and 32']],
  ['no port', COSIGNER.replace(':7001', ''), ['3:10: "listen": "0.0.0.0" is not host:port: the port is missing']],
  [
    'a pin cut short',
    COSIGNER.replace(pin('a'), 'sha256:aa'),
    ['6:7: "pin": "sha256:aa" is not a pin ("sha256:" and 64 hex digits)'],
  ],
  [
    'a link name with a slash',
    COSIGNER.replace('sentry-link-1', '../x'),
    ['5:8: "name": "../x" is not 1 to 40 lower-case letters, digits and inner hyphens'],
  ],
  [
    'a prefix in capitals',
    `${COSIGNER}bech32_prefix = "KIRA"\n`,
    ['12:17: "bech32_prefix": "KIRA" is no bech32 prefix: up to 31 lower-case letters and digits, as in "cosmos"'],
  ],
  ['itself among the others', COSIGNER.replace('id = 2', 'id = 1'), ['8:6: 1 is this cosigner itself']],
  [
    'a second pin cut short',
    second(COSIGNER, 'a', 'c').replace(pin('c'), 'c'),
    ['7:12: "next_pin": "c" is not a pin ("sha256:" and 64 hex digits)'],
  ],
  [
    'a second pin that is that of a link',
    second(second(COSIGNER, 'a', 'c'), 'b', 'c'),
    ['11:12: this pin is that of a link: a cosigner cannot act as one'],
  ],
  ['a second pin that is the first', second(COSIGNER, 'a', 'a'), [`7:12: pin "${pin('a')}" is there twice`]],
  [
    'one pin in two roles',
    COSIGNER.replace(pin('b'), pin('a')),
    ['9:7: this pin is that of a link: a cosigner cannot act as one'],
  ],
  [
    'a section that is no list',
    COSIGNER.replace('[[chain]]', '[chain]'),
    ['10:1: "chain" must be [[chain]] sections, one for each'],
  ],
  ['a chain twice', `${COSIGNER}[[chain]]\nid = "test-1"\n`, ['13:6: chain "test-1" is there twice']],
  [
    'a chain id with a slash',
    COSIGNER.replace('"test-1"', '"a/b"'),
    ['11:6: "id": chain id "a/b" has characters other than letters, digits, "-", "_" and "."'],
  ],
  ['a chain id that is a folder', COSIGNER.replace('"test-1"', '".."'), ['11:6: "id": ".." cannot be a chain id']],
  [
    'a chain id too long',
    COSIGNER.replace('"test-1"', `"${'a'.repeat(51)}"`),
    ['11:6: "id": a chain id has at most 50 characters, not 51'],
  ],
  [
    'no height jump at all',
    `${COSIGNER}max_height_jump = 0\n`,
    [`12:19: "max_height_jump" must be between 1 and ${2n ** 62n}`],
  ],
  [
    'a log level',
    `${COSIGNER}[log]\nlevel = "all"\n`,
    ['13:9: "level" must be "debug" or "info" or "warn" or "error"'],
  ],
  [
    'everything at once, in the order of the file',
    'version = 3\nid = "x"\nfoo = 1\nlisten = 7\n',
    [
      '1:1: "chain" is missing',
      '1:1: "link" is missing',
      '1:11: "version" must be 1: another version of hekate wrote this file',
      '2:6: "id" must be a whole number, not a string',
      '3:1: unknown key "foo"',
      '4:10: "listen" must be a string, not a whole number',
    ],
  ],
])('a cosigner is refused: %s', async (_name, text, expected) => {
  expect((await problemsOf(parseCosignerConfig('/h', 'f.toml', text))).sort()).toEqual([...expected].sort());
});

test.each<[string, string, string[]]>([
  [
    'one cosigner only',
    LINK.replace(/\[\[cosigner\]\][^[]*/, ''),
    ['3:1: "cosigner" has a wrong number of [[cosigner]] sections: 2 to 32 are possible'],
  ],
  ['an id twice', LINK.replace('id = 2', 'id = 1'), ['8:6: cosigner 1 is there twice']],
  ['an address twice', LINK.replace('10.0.0.2', '10.0.0.1'), ['9:11: address "10.0.0.1:7001" is there twice']],
  ["a second pin that is another's first", second(LINK, 'a', 'b'), [`11:12: pin "${pin('b')}" is there twice`]],
  ['a pin twice', LINK.replace(pin('b'), pin('a')), [`10:7: pin "${pin('a')}" is there twice`]],
  ['port 0', LINK.replace('10.0.0.2:7001', '10.0.0.2:0'), ['5:11: "address": port 0 cannot be connected to']],
  [
    'a node that is an address to listen on',
    LINK.replace('10.0.0.9', '0.0.0.0'),
    [
      '13:10: "tcp://0.0.0.0:26659" is not the address of a node: 0.0.0.0 is an address to listen on, not one to connect to',
    ],
  ],
  [
    'a node that is no string',
    LINK.replace('"unix:///run/node.sock"', '7'),
    ['13:34: must be a string, not a whole number'],
  ],
  ['no node', LINK.replace(/nodes = .*/, 'nodes = []'), ['13:9: "nodes" must have 1 to 16 addresses']],
  [
    'a node twice in one chain, written in two ways',
    LINK.replace('"unix:///run/node.sock"', '"10.0.0.9:26659"'),
    ['13:34: node "10.0.0.9:26659" is there twice, also as "tcp://10.0.0.9:26659"'],
  ],
  [
    'a node twice in one chain, by the name of this host',
    LINK.replace('10.0.0.9', 'localhost').replace('"unix:///run/node.sock"', '"127.0.0.1:26659"'),
    ['13:35: node "127.0.0.1:26659" is there twice, also as "tcp://localhost:26659"'],
  ],
  [
    'a unix socket twice, by two ways to it',
    LINK.replace('"tcp://10.0.0.9:26659"', '"unix:///run/./x/..//node.sock"'),
    ['13:43: node "unix:///run/node.sock" is there twice, also as "unix:///run/./x/..//node.sock"'],
  ],
  [
    'times of a node that are too short or too long',
    `${LINK}node_lost_ms = 99\nnode_still_ms = 600001\n`,
    ['14:16: "node_lost_ms" must be between 100 and 60000', '15:17: "node_still_ms" must be between 1000 and 600000'],
  ],
  ['a node mode', `${LINK}node_mode = "all"\n`, ['14:13: "node_mode" must be "active" or "any"']],
  [
    'a deadline after the node has given up',
    `${LINK}[timing]\nsign_deadline_ms = 5000\n`,
    ['15:20: "sign_deadline_ms" must be between 500 and 4800'],
  ],
])('a sentry-link is refused: %s', async (_name, text, expected) => {
  expect(await problemsOf(parseSentryLinkConfig('/h', 'f.toml', text))).toEqual(expected);
});

test('files: none is NO_HOME, a huge one is refused unread', async () => {
  const home = mkdtempSync(join(tmpdir(), 'hekate-config-'));
  try {
    await expect(loadCosignerConfig(home)).rejects.toMatchObject({ code: 'NO_HOME' });
    writeFileSync(join(home, 'cosigner.toml'), `${COSIGNER}#${' '.repeat(1024 * 1024)}`);
    await expect(loadCosignerConfig(home)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    writeFileSync(join(home, 'cosigner.toml'), COSIGNER);
    await expect(loadCosignerConfig(home)).resolves.toMatchObject({ home, id: 1 });
  } finally {
    rmSync(home, { recursive: true });
  }
});

test.each<[string, string, string, string[]]>([
  [
    'what is on the disk has its line',
    LINK.replace('id = 2', 'id = 1'),
    '[[chain]]\nid = "two"\nnodes = ["b:1"]\n',
    ['8:6: cosigner 1 is there twice'],
  ],
  [
    'what would be added has none',
    LINK,
    '[[chain]]\nid = "test-1"\nnodes = ["b:1"]\n',
    [ADDED('chain "test-1" is there twice')],
  ],
  [
    'nor with the last newline missing',
    LINK.trimEnd(),
    '[[chain]]\nid = "two"\nnodes = []\n',
    [ADDED('"nodes" must have 1 to 16 addresses')],
  ],
  ['nor has a file that is not there yet', '', LINK.replace('id = 2', 'id = 1'), [ADDED('cosigner 1 is there twice')]],
])('positions are of text that exists: %s', async (_name, written, added, expected) => {
  const config = parseSentryLinkConfig('/h', 'f.toml', written, added);
  await expect(config).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  const message = await config.catch((error: Error) => error.message);
  expect(message).toBe(expected.map((line) => (line.startsWith('f.toml') ? line : `f.toml:${line}`)).join());
});
