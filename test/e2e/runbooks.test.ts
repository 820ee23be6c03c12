import { verify } from 'node:crypto';
import { cpSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AskingNode } from '../support/asking-node.js';
import { cleanupAfterAll } from '../support/cleanup.js';
import { eventually } from '../support/eventually.js';
import { freePorts } from '../support/ports.js';
import { TestFolder } from '../support/project.js';
import { ed25519PublicKey } from '../support/public-key.js';
import { RunbookHost, Runbooks } from '../support/runbook.js';
import { runHekate } from '../support/run-hekate.js';
import { writeValidatorKey } from '../support/validator-key.js';
import { PREVOTE, voteSignBytes, type TestVote } from '../support/vote-bytes.js';

// docs/runbooks.md, as an operator types it: three hosts are three folders, scp is a copy between them.
const CHAIN = 'mychain-1';
const cleanup = cleanupAfterAll();
const page = new Runbooks('docs/runbooks.md');
let [oldNode, newNode]: AskingNode[] = [];
let node: AskingNode;
let height = 100n;
let key: ReturnType<typeof ed25519PublicKey>;
let ports: readonly number[];
let [first, second, old, fresh, restored]: RunbookHost[] = [];

const vote = (): TestVote => ({
  ...{ type: PREVOTE, height, round: 0, chainId: CHAIN, skipExtensionSigning: false },
  blockId: { hash: new Uint8Array(32).fill(7), partsTotal: 1, partsHash: new Uint8Array(32).fill(8) },
  timestamp: { seconds: 1_790_000_000n, nanos: 1 },
});

/** The next height is signed, as soon as there is a leader. */
async function signs(): Promise<void> {
  height++;
  await eventually(`height ${height} is signed`, 20_000, async () => {
    const answer = await node.vote(vote());
    if (answer.kind === 'refused') throw new Error(answer.error);
    return verify(null, voteSignBytes({ ...vote(), timestamp: answer.timestamp }), key, answer.signature);
  });
}

interface LinkAt {
  readonly host: RunbookHost;
  readonly link: string;
}

/** What leads comes last. */
async function leaderLast(links: readonly LinkAt[]): Promise<readonly LinkAt[]> {
  const [, leader] = /(sentry-link-\d) leads/.exec(await first!.type('hekate leader show .')) ?? [];
  expect(leader).toBeDefined();
  return [...links].sort((a, b) => Number(a.link === leader) - Number(b.link === leader));
}

beforeAll(async () => {
  const root = new TestFolder('books');
  cleanup.add(() => root.remove());
  [oldNode, newNode] = [await AskingNode.listen('tcp', CHAIN), await AskingNode.listen('tcp', CHAIN)];
  for (const one of [oldNode, newNode]) cleanup.add(() => one.close());
  node = oldNode;
  const { keyFile, publicKey } = writeValidatorKey(root.path);
  key = ed25519PublicKey(publicKey);
  ports = await freePorts(4);
  const cosigners = ports.slice(0, 3).map((port) => `127.0.0.1:${port}`);
  const made = await runHekate([
    ...['init', root.file('cluster'), '--chain-id', CHAIN, '--node', node.address, '--threshold', '2'],
    ...['--cosigner', ...cosigners, '--key', keyFile, '--height', String(height)],
  ]);
  expect(made).toMatchObject({ code: 0 });
  const names = ['host-1', 'host-2', 'old-host', 'new-host', 'other-host'];
  const hosts = names.map((name) => new RunbookHost(root.path, name, cleanup));
  [first, second, old, fresh, restored] = hosts;
  for (const [i, host] of hosts.slice(0, 3).entries())
    for (const home of [`cosigner-${i + 1}`, `sentry-link-${i + 1}`])
      renameSync(root.file('cluster', home), join(host.folder, home));
  for (const [i, host] of hosts.slice(0, 3).entries())
    await host.type(`hekate cosigner start --home cosigner-${i + 1}`);
  for (const [i, host] of hosts.slice(0, 3).entries())
    await host.type(`hekate sentry-link start --home sentry-link-${i + 1}`);
  await node.connected(10_000);
  await signs();
}, 90_000);

it('Restart or upgrade', async () => {
  const title = 'Restart or upgrade';
  expect(await first!.type(page.take(title, 1))).toMatch(/3 of 3 cosigners can sign[^]*sentry-link-\d leads/);
  const links = [first!, second!, old!].map((host, i) => ({ host, link: `sentry-link-${i + 1}`, number: i + 1 }));
  const order = (await leaderLast(links)).map(({ link }) => links.find((one) => one.link === link)!);
  for (const { host, number, link } of order) {
    await host.stop(`cosigner-${number}`, link);
    await host.type(page.take(title, 2), { 'cosigner-1': `cosigner-${number}`, 'sentry-link-1': link });
    expect(await host.type(page.take(title, 3))).toMatch(/^hekate \d+\.\d+\.\d+, commit /m);
    await signs();
  }
}, 120_000);

it('Replace a host', async () => {
  const title = 'Replace a host';
  await old!.stop('cosigner-3', 'sentry-link-3');
  await old!.type(page.take(title, 1));
  await signs();
  // What the page says of it: without its state it signs nothing.
  const again = await runHekate(['cosigner', 'start', '--home', join(old!.folder, 'cosigner-3')]);
  expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('STATE_MISSING') as unknown });

  await fresh!.type(page.take(title, 2), { '10.0.1.9:7001': `127.0.0.1:${ports[3]}` });
  const moved = { '10.0.1.3:7001': `127.0.0.1:${ports[2]}`, '10.0.1.9:7001': `127.0.0.1:${ports[3]}` };
  await fresh!.type(page.take(title, 3), moved);
  for (const { host, link } of await leaderLast([
    { host: first!, link: 'sentry-link-1' },
    { host: second!, link: 'sentry-link-2' },
  ])) {
    await host.stop(link);
    await host.type(page.take(title, 3), moved);
    await signs();
  }
  expect(await fresh!.type(page.take(title, 4))).toMatch(/3 of 3 cosigners can sign/);
  await old!.type(page.take(title, 5));
  await signsWithoutSecond();
}, 120_000);

it('Restore a cosigner', async () => {
  const title = 'Restore a cosigner';
  const home = join(fresh!.folder, 'cosigner-3');
  const backup = { recursive: true, filter: (path: string) => !path.endsWith('/state') && !path.endsWith('.sock') };
  await fresh!.crash('cosigner-3');
  await signs();
  cpSync(home, join(restored!.folder, 'cosigner-3'), backup);
  rmSync(home, { recursive: true });

  await restored!.type(page.take(title, 1), { '4069467': String(height + 1n) });
  expect(await restored!.type(page.take(title, 2))).toMatch(`mychain-1: watermark all of height ${height + 1n}`);
  height++;
  await signsWithoutSecond();
}, 120_000);

it('Move a node', async () => {
  const title = 'Move a node';
  const both = { 'tcp://10.0.0.5:26659': oldNode!.address, 'tcp://10.0.0.6:26659': newNode!.address };
  const links = [
    { host: first!, link: 'sentry-link-1' },
    { host: second!, link: 'sentry-link-2' },
    { host: fresh!, link: 'sentry-link-3' },
  ];
  for (const { host, link } of await leaderLast(links)) {
    await host.stop(link);
    await host.type(page.take(title, 1), both);
    await signs();
  }
  await newNode!.connected(10_000);
  expect(await newNode!.publicKey()).toHaveLength(32);
  expect(await newNode!.vote(vote())).toMatchObject({ error: expect.stringContaining('NODE_NOT_SERVED') as unknown });
  await first!.type(page.take(title, 2));
  const leader = (await leaderLast(links)).at(-1)!;
  await leader.host.type(page.take(title, 3), { 'tcp://10.0.0.6:26659': newNode!.address });
  await oldNode!.close();
  node = newNode!;
  await signs();
  for (const { host, link } of await leaderLast(links)) {
    await host.stop(link);
    await host.type(page.take(title, 4), { 'tcp://10.0.0.6:26659': newNode!.address });
    await signs();
  }
  const status = await first!.type(page.take(title, 5));
  expect(status).toContain(newNode!.address);
  expect(status).not.toContain(oldNode!.address);
}, 120_000);

/** Cosigner 3 is needed then. */
async function signsWithoutSecond(): Promise<void> {
  await second!.stop('cosigner-2');
  await signs();
  await second!.type('hekate cosigner start --home cosigner-2');
}

afterAll(() => expect(page.left).toEqual([]));
