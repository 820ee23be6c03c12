import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadGroup } from '../frost/load-group.js';
import { dealKey, type DealtKey } from '../../setup/keys/dealing.js';
import { generateConsensusKey } from '../../setup/keys/priv-validator-key.js';
import { systemRandom } from '../ports/random.js';
import { loadNodeIdentitySeed } from './node-identity.js';
import { chainFolder, shareFile } from './paths.js';
import { encodeSecret } from './secret-file.js';
import { loadShare } from './share-file.js';

const group = await loadGroup();
let home: string;
let dealt: DealtKey;
let path: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'hekate-home-'));
  mkdirSync(chainFolder(home, 'test-1'), { recursive: true });
  path = shareFile(home, 'test-1');
  dealt = dealKey(group, generateConsensusKey(group, systemRandom), {
    chainId: 'test-1',
    threshold: 2,
    count: 3,
    random: systemRandom,
  });
});

afterEach(() => rmSync(home, { recursive: true }));

const share = (id: number): Uint8Array => dealt.shares[id - 1]?.secretShare ?? new Uint8Array();

test.each([
  ['as it is written', (hex: string) => hex],
  ['as older releases wrote it, without a version', (text: string) => text.replace('version 1\n', '')],
  ['in upper case, with a line end of Windows', (text: string) => `${linesOf(text)[1]?.toUpperCase()}\r\n`],
  ['both lines with a line end of Windows', (text: string) => `${linesOf(text).join('\r\n')}\r\n`],
  ['without a line end', (text: string) => text.trim()],
])('a share is loaded: %s', async (_name, change) => {
  writeFileSync(path, change(Buffer.from(encodeSecret(share(2))).toString()), { mode: 0o600 });
  expect(await loadShare(home, 2, dealt.info, group)).toEqual(share(2));
});

test('it is two lines of plain text', () => {
  expect(Buffer.from(encodeSecret(share(2))).toString()).toMatch(/^version 1\n[0-9a-f]{64}\n$/);
});

const HEX = 'a'.repeat(64);
test.each<[name: string, contents: string, code: string]>([
  ['of the next version', `version 2\n${HEX}\n`, 'FILE_VERSION'],
  ['of a version far from now, in another form', 'version 999999999\n{"share": 1}\n', 'FILE_VERSION'],
  ['of a version with more digits than a version has', `version 1000000000\n${HEX}\n`, 'SHARE_INVALID'],
  ['of version 0', `version 0\n${HEX}\n`, 'SHARE_INVALID'],
  ['of no version', `version \n${HEX}\n`, 'SHARE_INVALID'],
  ['of a negative version', `version -1\n${HEX}\n`, 'SHARE_INVALID'],
  ['of version 1 and a half', `version 1.5\n${HEX}\n`, 'SHARE_INVALID'],
  ['with the version alone', 'version 1', 'SHARE_INVALID'],
  ['with the version and a line end', 'version 1\n', 'SHARE_INVALID'],
  ['with both in one line', `version 1 ${HEX}\n`, 'SHARE_INVALID'],
  ['with the share first', `${HEX}\nversion 1\n`, 'SHARE_INVALID'],
  ['with two shares', `version 1\n${HEX}\n${HEX}\n`, 'SHARE_INVALID'],
  ['with half a share', `version 1\n${HEX.slice(1)}\n`, 'SHARE_INVALID'],
  ['with a capital letter', `Version 1\n${HEX}\n`, 'SHARE_INVALID'],
])('a share is refused: %s', async (_name, contents, code) => {
  write(contents, 0o600);
  await expect(loadShare(home, 2, dealt.info, group)).rejects.toMatchObject({ code });
  await expect(loadShare(home, 2, dealt.info, group)).rejects.toThrow(/^(?!.*aaaa)/);
});

test.each<[string, () => void, string]>([
  ['missing', () => undefined, 'SHARE_MISSING'],
  ['a folder', () => mkdirSync(path), 'SHARE_INVALID'],
  ['readable by all', () => write(encodeSecret(share(2)), 0o604), 'SHARE_MODE'],
  ['readable by others', () => write(encodeSecret(share(2)), 0o604), 'SHARE_MODE'],
  ['empty', () => write('', 0o600), 'SHARE_INVALID'],
  ['cut short', () => write(encodeSecret(share(2)).subarray(0, 70), 0o600), 'SHARE_INVALID'],
  ['huge', () => write(new Uint8Array(5000), 0o600), 'SHARE_INVALID'],
  ['no hex', () => write('x'.repeat(64), 0o600), 'SHARE_INVALID'],
  ['the share of another cosigner', () => write(encodeSecret(share(1)), 0o600), 'SHARE_MISMATCH'],
  ['zero', () => write('0'.repeat(64), 0o600), 'SHARE_MISMATCH'],
  ['no scalar', () => write('f'.repeat(64), 0o600), 'SHARE_MISMATCH'],
])('a share is refused: %s', async (_name, prepare, code) => {
  prepare();
  await expect(loadShare(home, 2, dealt.info, group)).rejects.toMatchObject({ code });
});

test('a cosigner that the group does not have has no share', async () => {
  write(encodeSecret(share(2)), 0o600);
  await expect(loadShare(home, 4, dealt.info, group)).rejects.toMatchObject({ code: 'SHARE_MISMATCH' });
});

test('the identity for nodes is as private', async () => {
  await expect(loadNodeIdentitySeed(home)).rejects.toMatchObject({ code: 'IDENTITY_INVALID' });
  const seed = systemRandom(32);
  writeFileSync(join(home, 'node-identity.key'), encodeSecret(seed), { mode: 0o600 });
  expect(await loadNodeIdentitySeed(home)).toEqual(seed);
  writeFileSync(join(home, 'node-identity.key'), `${Buffer.from(seed).toString('hex')}\n`);
  expect(await loadNodeIdentitySeed(home)).toEqual(seed);
  writeFileSync(join(home, 'node-identity.key'), `version 2\n${Buffer.from(seed).toString('hex')}\n`);
  await expect(loadNodeIdentitySeed(home)).rejects.toMatchObject({ code: 'FILE_VERSION' });
  chmodSync(join(home, 'node-identity.key'), 0o644);
  await expect(loadNodeIdentitySeed(home)).rejects.toMatchObject({ code: 'IDENTITY_INVALID' });
});

function linesOf(text: string): readonly string[] {
  return text.trim().split('\n');
}

function write(contents: Uint8Array | string, mode: number): void {
  writeFileSync(path, contents);
  chmodSync(path, mode);
}
