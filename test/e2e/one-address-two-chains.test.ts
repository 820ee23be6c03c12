import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { cleanupAfterEach } from '../support/cleanup.js';
import { cometBinary, needsNode, writeGenesis } from '../support/comet-home.js';
import { createSingleNode } from '../support/comet-node.js';
import { checkCommits } from '../support/commit-check.js';
import { HekateCluster } from '../support/hekate-cluster.js';
import { tailOf } from '../support/processes.js';
import { TestFolder } from '../support/project.js';
import { runHekate } from '../support/run-hekate.js';

const VERSION = 'v0.38.21';
const BLOCKS = 20;
const cleanup = cleanupAfterEach();

it('a node that comes back with another chain id is signed for at once, by the same processes', async (context) => {
  needsNode(context, VERSION);
  const folder = new TestFolder('e2e');
  cleanup.add(() => folder.remove());
  const before = { version: VERSION, chainId: 'fork-1', voteExtensions: false } as const;
  const node = await createSingleNode({ ...before, folder: folder.path, privval: 'tcp' });
  const { privvalAddress: nodeAddress = '', key, rpc, publicKey, validator } = node;
  const keyFile = key?.keyFile ?? '';
  const cluster = await HekateCluster.create({ folder: folder.path, chainId: before.chainId, nodeAddress, keyFile });
  cleanup.add(() => cluster.stop());
  cleanup.add(() => node.stop());
  cleanup.whenFailed(() => {
    for (const { logFile } of cluster.processes) console.error(`--- ${logFile}\n${tailOf(logFile, 15)}`);
  });
  const added = ['--chain-id', 'fork-2', '--node', nodeAddress, '--key', keyFile, '--never-signed'];
  expect(await runHekate(['init', cluster.folder, ...added])).toMatchObject({ code: 0 });

  const signs = async (chainId: string): Promise<void> => {
    node.start();
    await node.waitForHeight(BLOCKS + 1, 60_000);
    const report = await checkCommits({ rpc, chainId, address: validator.address, publicKey, from: 1, to: BLOCKS });
    expect(report).toEqual({ checked: BLOCKS, problems: [] });
  };
  await cluster.start();
  await signs('fork-1');
  await node.stop();
  await promisify(execFile)(cometBinary(VERSION), ['unsafe-reset-all', '--home', node.home]);
  writeGenesis(node.home, { ...before, chainId: 'fork-2', validators: [validator] });
  await signs('fork-2');

  const lines = (await cluster.leader()).events().map(({ event, chain }) => `${String(chain)}: ${event}`);
  expect(lines.filter((line) => line.includes('refused'))).toEqual([]);
  expect(lines.filter((line) => line.endsWith(': connected to the node'))[0]).toMatch(/^fork-1, fork-2: /);
});
