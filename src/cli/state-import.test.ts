import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { hekateText as hekate } from '../../test/support/cli-run.js';

const CHAIN = 'test-1';
const root = mkdtempSync(join(tmpdir(), 'hekate-import-'));
const [made, other, cluster, file] = ['made', 'other', 'cluster', 'watermark.json'].map((name) => join(root, name)) as [
  string,
  string,
  string,
  string,
];
const first = join(cluster, 'cosigner-1');
const second = join(cluster, 'cosigner-2');

const stateInit = (home: string, height: number): Promise<unknown> =>
  hekate('state', 'init', home, '--chain-id', CHAIN, '--height', `${height}`, '--replace');
const importInto = (home: string): ReturnType<typeof hekate> =>
  hekate('state', 'import', home, file, '--chain-id', CHAIN);
const placeOf = async (home: string): Promise<string> =>
  /watermark (.*)/.exec((await hekate('state', 'show', home)).text)?.[1] ?? '';
async function exportFrom(home: string): Promise<void> {
  const { code, text } = await hekate('state', 'export', home, '--chain-id', CHAIN);
  expect(code).toBe(0);
  writeFileSync(file, text);
}
const edit = (change: (json: Record<string, unknown>) => object): void =>
  writeFileSync(file, JSON.stringify(change(JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>)));

beforeAll(async () => {
  const shape = ['--threshold', '2', '--cosigner', '127.0.0.1:7001', '127.0.0.1:7002', '--links', '1'];
  for (const dir of [made, other])
    expect(await hekate('init', dir, '--chain-id', CHAIN, '--node', 'a:1', ...shape)).toMatchObject({ code: 0 });
});
afterAll(() => rmSync(root, { recursive: true }));
beforeEach(async () => {
  rmSync(cluster, { recursive: true, force: true });
  cpSync(made, cluster, { recursive: true });
  await stateInit(first, 500);
  await exportFrom(first);
});

test('what is exported says for which chain and key it is', () => {
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
    ...{ version: 1, chainId: CHAIN, height: '500', round: 2 ** 31 - 1, step: 3, signBytes: '' },
    groupPublicKey: expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/) as string,
  });
});

test.each<[name: string, prepare: () => unknown, outcome: string, place: string]>([
  ['raises a lower one', () => stateInit(second, 499), 'raised', 'all of height 500'],
  ['raises one that never signed', () => undefined, 'raised', 'all of height 500'],
  [
    'makes one where there is none',
    () => rmSync(join(second, 'state'), { recursive: true }),
    'created',
    'all of height 500',
  ],
  ['leaves the same as it is', () => stateInit(second, 500), 'unchanged', 'all of height 500'],
  [
    'takes a place within a height',
    () => edit((json) => ({ ...json, round: 2, step: 2 })),
    'raised',
    'height 500, round 2, prevote',
  ],
  [
    'takes what a newer hekate wrote besides',
    () => edit((json) => ({ ...json, life: 'x' })),
    'raised',
    'all of height 500',
  ],
])('an import %s', async (_name, prepare, outcome, place) => {
  await prepare();
  const { code, text } = await importInto(second);
  expect(text).toContain(`${CHAIN}: watermark ${outcome}: it refuses`);
  expect(code).toBe(0);
  expect(await placeOf(second)).toBe(place);
  // One that is made anew may be older than what was signed.
  expect(text.includes('this cosigner can now help to sign twice')).toBe(outcome === 'created');
});

test.each<[name: string, prepare: () => unknown, told: RegExp]>([
  ['would lower', () => stateInit(second, 501), /^REPLACE_REFUSED: .*all of height 501/],
  [
    'is of another chain',
    () => edit((json) => ({ ...json, chainId: 'x-1' })),
    /^STATE_IMPORT_INVALID: .*for chain "x-1"/,
  ],
  [
    'is of another key',
    async () => {
      await stateInit(join(other, 'cosigner-1'), 900);
      await exportFrom(join(other, 'cosigner-1'));
    },
    /^STATE_IMPORT_INVALID: .*of another key/,
  ],
  ['is of a newer version', () => edit((json) => ({ ...json, version: 2 })), /^STATE_IMPORT_INVALID: .*not what/],
  ['has a height that is no height', () => edit((json) => ({ ...json, height: '-1' })), /^STATE_IMPORT_INVALID/],
  ['has a height beyond int64', () => edit((json) => ({ ...json, height: '9'.repeat(19) })), /^STATE_IMPORT_INVALID/],
  ['has a step that is none', () => edit((json) => ({ ...json, step: 4 })), /^STATE_IMPORT_INVALID/],
  [
    'is a priv_validator_state.json',
    () => writeFileSync(file, '{"height":"7","round":0,"step":3}'),
    /^STATE_IMPORT_INVALID/,
  ],
  ['is no JSON', () => writeFileSync(file, 'x'), /^STATE_IMPORT_INVALID/],
  ['refuses nothing', () => edit((json) => ({ ...json, height: '0', round: 0, step: 0 })), /^WATERMARK_START_UNSURE/],
  ['is not there', () => rmSync(file), /^USAGE: .*cannot be read/],
])('an import that %s is refused, and changes nothing', async (_name, prepare, told) => {
  await prepare();
  const before = await placeOf(second);
  const { code, text } = await importInto(second);
  expect(text).toMatch(told);
  expect(text).toContain('Fix: ');
  expect(code).not.toBe(0);
  expect(await placeOf(second)).toBe(before);
});
