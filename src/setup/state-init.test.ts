import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { nodeDisk } from '../shared/ports/node-disk.js';
import { WatermarkStore } from '../shared/watermark/store.js';
import { inspectState } from './state-report.js';
import { floorAtHeight, neverSigned, type Watermark } from '../shared/watermark/watermark.js';
import { initState, type StateInitResult } from './state-init.js';

const binding = { chainId: 'test-1', groupPublicKey: new Uint8Array(32).fill(1) };
const foreign = { chainId: 'test-1', groupPublicKey: new Uint8Array(32).fill(2) };
let dir: string;
let path: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hekate-state-'));
  path = join(dir, 'state', 'test-1.watermark');
});

afterEach(() => rmSync(dir, { recursive: true }));

const init = (start: Watermark, ...flags: ('replace' | 'acceptRisk')[]): Promise<StateInitResult> =>
  initState(nodeDisk, {
    path,
    binding,
    start,
    replace: flags.includes('replace'),
    acceptRisk: flags.includes('acceptRisk'),
  });
const height = async (): Promise<string> => (await inspectState(nodeDisk, path, binding)).watermark.height;
const sequence = async (): Promise<bigint> => (await inspectState(nodeDisk, path, binding)).sequence;

test('a missing state is made', async () => {
  expect(await init(floorAtHeight(100n))).toEqual({ outcome: 'created', kept: [] });
  expect(await height()).toBe('100');
});

test('a state is raised in place, and its numbers go on', async () => {
  await init(floorAtHeight(100n));
  const before = await sequence();
  await expect(init(floorAtHeight(200n))).rejects.toMatchObject({ code: 'STATE_EXISTS' });
  expect(await init(floorAtHeight(200n), 'replace')).toEqual({ outcome: 'raised', kept: [] });
  expect(await height()).toBe('200');
  expect(await sequence()).toBeGreaterThan(before);
});

test.each<[string, Watermark]>([
  ['lower', floorAtHeight(99n)],
  ['the same', floorAtHeight(100n)],
  ['empty', neverSigned()],
])('%s: only with the risk accepted; the old files are kept, numbers go on', async (_name, start) => {
  await init(floorAtHeight(100n));
  await expect(init(start, 'replace')).rejects.toMatchObject({ code: 'REPLACE_REFUSED' });
  expect(await height()).toBe('100');
  const before = await sequence();
  const result = await init(start, 'replace', 'acceptRisk');
  expect(result).toEqual({ outcome: 'replaced', kept: [`${path}.bak-1`, `${path}.mark.bak-1`] });
  expect(await height()).toBe(String(start.height));
  expect(await sequence()).toBeGreaterThan(before);
  expect((await init(start, 'replace', 'acceptRisk')).kept[0]).toBe(`${path}.bak-2`);
});

test.each<[string, () => void | Promise<void>]>([
  ['cut short', () => truncateSync(path, 10)],
  ['overwritten', () => writeFileSync(path, Buffer.alloc(statSync(path).size, 0x55))],
  ['without its mark', () => rmSync(`${path}.mark`)],
  [
    'of another key',
    async () => {
      rmSync(join(dir, 'state'), { recursive: true });
      await initState(nodeDisk, { path, binding: foreign, start: neverSigned(), replace: false, acceptRisk: false });
    },
  ],
])('a state that cannot be read is given up only with the risk accepted: %s', async (_name, damage) => {
  await init(floorAtHeight(100n));
  await damage();
  await expect(init(floorAtHeight(200n), 'replace')).rejects.toMatchObject({ code: 'REPLACE_REFUSED' });
  expect((await init(floorAtHeight(200n), 'replace', 'acceptRisk')).outcome).toBe('replaced');
  expect(await height()).toBe('200');
  expect(readdirSync(join(dir, 'state')).some((name) => name.endsWith('.bak-1'))).toBe(true);
});

test('a lost state of which the mark is left does not go below it unless the risk is accepted', async () => {
  await init(floorAtHeight(100n));
  const store = await WatermarkStore.open(nodeDisk, path, binding);
  await store.raiseTo(floorAtHeight(150n));
  await store.close();
  await (await WatermarkStore.open(nodeDisk, path, binding)).close();
  const before = await sequence();
  rmSync(path);
  await expect(init(floorAtHeight(120n))).rejects.toMatchObject({ code: 'STATE_ROLLED_BACK' });
  await expect(init(floorAtHeight(120n), 'replace')).rejects.toMatchObject({ code: 'STATE_ROLLED_BACK' });
  expect((await init(floorAtHeight(120n), 'replace', 'acceptRisk')).outcome).toBe('replaced');
  expect([await height(), (await sequence()) > before]).toEqual(['120', true]);
});

test('a state that a cosigner runs on is not touched', async () => {
  await init(floorAtHeight(100n));
  const running = await WatermarkStore.open(nodeDisk, path, binding);
  try {
    await expect(init(floorAtHeight(200n), 'replace', 'acceptRisk')).rejects.toMatchObject({ code: 'STATE_LOCKED' });
    truncateSync(path, 10);
    await expect(init(floorAtHeight(200n), 'replace', 'acceptRisk')).rejects.toMatchObject({ code: 'STATE_LOCKED' });
  } finally {
    await running.close();
  }
});
