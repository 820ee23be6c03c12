import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readKey, readStart } from '../cli/options.js';
import { loadCosignerConfig } from '../shared/config/cosigner-config.js';
import { loadSentryLinkConfig } from '../shared/config/sentry-link-config.js';
import { loadGroup } from '../shared/frost/load-group.js';
import { loadGroupFile } from '../shared/home/group-file.js';
import { loadNodeIdentitySeed } from '../shared/home/node-identity.js';
import { groupFile } from '../shared/home/paths.js';
import { loadPinnedPeers } from '../shared/home/peer-certificates.js';
import { loadShare } from '../shared/home/share-file.js';
import { nodeDisk } from '../shared/ports/node-disk.js';
import { systemRandom } from '../shared/ports/random.js';
import { loadIdentity, pinOf } from '../shared/transport/identity.js';
import { checkPins } from '../shared/transport/tls.js';
import { initCluster } from './init/init.js';
import { writeValidatorKey } from '../../test/support/validator-key.js';

const CHAIN = 'test-1';
const group = await loadGroup();
const folder = mkdtempSync(join(tmpdir(), 'hekate-text-'));
const cluster = join(folder, 'cluster');
const [cosigner, link] = [join(cluster, 'cosigner-1'), join(cluster, 'sentry-link-1')];
const state = join(folder, 'priv_validator_state.json');
const { keyFile } = writeValidatorKey(folder);
const quiet = { out: () => undefined, err: () => undefined };

beforeAll(async () => {
  const cosigners = [1, 2, 3].map((i) => ({ host: '127.0.0.1', port: 7000 + i }));
  const taken = { key: undefined, start: undefined, links: 1 };
  const request = { ...taken, dir: cluster, chainId: CHAIN, nodes: ['a:1'], threshold: 2, cosigners };
  await initCluster(request, { disk: nodeDisk, random: systemRandom });
  appendFileSync(keyFile, '\n');
  writeFileSync(state, '{\n  "height": "5",\n  "round": 0,\n  "step": 3\n}\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Every text file that somebody may have edited or carried through another system, and what reads it. */
const READERS: readonly (readonly [string, string, () => Promise<unknown>, string])[] = [
  [
    'cosigner.toml',
    join(cosigner, 'cosigner.toml'),
    async () => ({ ...(await loadCosignerConfig(cosigner)), listenPlace: undefined }),
    'CONFIG_INVALID',
  ],
  ['sentry-link.toml', join(link, 'sentry-link.toml'), () => loadSentryLinkConfig(link), 'CONFIG_INVALID'],
  ['group.json', groupFile(cosigner, CHAIN), () => loadGroupFile(groupFile(cosigner, CHAIN), CHAIN), 'GROUP_INVALID'],
  [
    'share.key',
    join(cosigner, 'chains', CHAIN, 'share.key'),
    async () => loadShare(cosigner, 1, await loadGroupFile(groupFile(cosigner, CHAIN)), group),
    'SHARE_INVALID',
  ],
  ['node-identity.key', join(link, 'node-identity.key'), () => loadNodeIdentitySeed(link), 'IDENTITY_INVALID'],
  ...['identity.key', 'identity.crt'].map(
    (name) =>
      [
        `tls/${name}`,
        join(cosigner, 'tls', name),
        async () =>
          pinOf((await loadIdentity(join(cosigner, 'tls/identity.crt'), join(cosigner, 'tls/identity.key'))).certPem),
        'TLS_IDENTITY_INVALID',
      ] as const,
  ),
  [
    'tls/peers/cosigner-1.crt',
    join(link, 'tls/peers/cosigner-1.crt'),
    async () => {
      const { tls, cosigners } = await loadSentryLinkConfig(link);
      const peers = await loadPinnedPeers(
        tls.peers,
        cosigners.map(({ id, pin }) => ({ name: `cosigner-${id}`, pin })),
      );
      checkPins(peers);
      return peers.map(({ pin }) => pin);
    },
    'TLS_IDENTITY_INVALID',
  ],
  ['priv_validator_key.json', keyFile, () => readKey(keyFile, quiet), 'USAGE'],
  ['priv_validator_state.json', state, () => readStart({ state }, CHAIN), 'USAGE'],
];

const CHANGES: readonly (readonly [string, (text: string) => string])[] = [
  ['a byte order mark', (text) => `\ufeff${text}`],
  ['CRLF', (text) => text.replaceAll('\n', '\r\n')],
  ['no final newline', (text) => text.replace(/\n+$/, '')],
  ['all three', (text) => `\ufeff${text.replace(/\n+$/, '').replaceAll('\n', '\r\n')}`],
];

const CASES = READERS.flatMap(([name, path, read, code]) =>
  CHANGES.map(([what, change]) => [name, what, path, read, change, code] as const),
);

test.each(CASES)('%s with %s reads as it did', async (_name, _what, path, read, change) => {
  const before = readFileSync(path, 'utf8');
  const expected = await read();
  writeFileSync(path, change(before));
  try {
    expect(readFileSync(path, 'utf8')).not.toBe(before);
    expect(await read()).toEqual(expected);
  } finally {
    writeFileSync(path, before);
  }
});

const UTF_16: readonly (readonly [string, (text: string) => Uint8Array])[] = [
  ['', (text) => Buffer.from(`\ufeff${text}`, 'utf16le')],
  [', big-endian', (text) => Buffer.from(`\ufeff${text}`, 'utf16le').swap16()],
  [' without a mark', (text) => Buffer.from(text, 'utf16le')],
  [', big-endian without a mark', (text) => Buffer.from(text, 'utf16le').swap16()],
];
const IN_UTF_16 = READERS.flatMap(([name, path, read, code]) =>
  UTF_16.map(([how, encode]) => [name, how, path, read, code, encode] as const),
);

test.each(IN_UTF_16)('%s in UTF-16%s is named as that', async (_name, _how, path, read, code, encode) => {
  const before = readFileSync(path, 'utf8');
  writeFileSync(path, encode(before));
  try {
    await expect(read()).rejects.toMatchObject({
      code,
      message: expect.stringContaining('is UTF-16, as some editors and shells write it; save it as UTF-8') as string,
    });
  } finally {
    writeFileSync(path, before);
  }
});
