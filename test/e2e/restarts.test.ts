import { describe, expect, it } from 'vitest';
import { cleanupAfterEach } from '../support/cleanup.js';
import { needsNode, type CometVersion } from '../support/comet-home.js';
import { checkCommits } from '../support/commit-check.js';
import type { HekateProcess } from '../support/hekate-cluster.js';
import { startSignedNode, type SignedNode } from '../support/signed-node.js';

const VERSION: CometVersion = 'v0.38.21';
const CHAIN_ID = 'restarts-1';
const MORE_BLOCKS = 30;
const cleanup = cleanupAfterEach();

async function restart(...processes: readonly HekateProcess[]): Promise<void> {
  await Promise.all(processes.map((process) => process.crash()));
  await Promise.all(processes.map((process) => process.start()));
}

interface Fault {
  readonly name: string;
  readonly run: (at: SignedNode) => Promise<unknown>;
}

const FAULTS: readonly Fault[] = [
  {
    name: 'the node stops and starts',
    run: async ({ node }) => {
      await node.stop();
      node.start();
    },
  },
  {
    name: 'the node crashes and starts',
    run: async ({ node }) => {
      await node.crash();
      node.start();
    },
  },
  { name: 'a cosigner crashes and starts', run: ({ cluster }) => restart(...cluster.cosigners.slice(0, 1)) },
  {
    name: 'one cosigner after the other crashes and starts',
    run: async ({ cluster }) => {
      for (const cosigner of cluster.cosigners) await restart(cosigner);
    },
  },
  {
    name: 'the leading link crashes, the other takes over, the first comes back',
    run: async ({ cluster, node }) => {
      const leader = await cluster.leader();
      await leader.crash();
      const next = await cluster.leader();
      expect(next.name).not.toBe(leader.name);
      await node.waitForHeight((await node.rpc.height()) + 1, 30_000);
      await leader.start();
    },
  },
  {
    name: 'the leading link stops and resigns',
    run: async ({ cluster }) => {
      const leader = await cluster.leader();
      expect(await leader.stop()).toBe(0);
      await leader.start();
    },
  },
  { name: 'all three cosigners crash at once and start', run: ({ cluster }) => restart(...cluster.cosigners) },
  { name: 'cosigners and links all crash at once and start', run: ({ cluster }) => restart(...cluster.processes) },
];

describe('after a restart blocks go on, and no height, round and step is signed for a second block', () => {
  it.for(FAULTS)('$name', async ({ run }, context) => {
    needsNode(context, VERSION);
    const signed = await startSignedNode(cleanup, {
      version: VERSION,
      chainId: CHAIN_ID,
      privval: 'recorded',
      voteExtensions: true,
    });
    const { node, recorder } = signed;
    await node.waitForHeight(20, 30_000);
    await run(signed);
    // A node that restarted answers its RPC again a moment later.
    const before = await node.waitForHeight(20, 30_000);
    const height = await node.waitForHeight(before + MORE_BLOCKS, 60_000);
    expect(recorder?.conflicts()).toEqual([]);
    const { rpc, publicKey, validator } = node;
    const { address } = validator;
    const to = height - 1;
    const report = await checkCommits({
      rpc,
      chainId: CHAIN_ID,
      address,
      publicKey,
      from: 1,
      to,
      laterRounds: 'allowed',
    });
    expect(report).toEqual({ checked: to, problems: [] });
  });
});
