import { expect, it } from 'vitest';
import { AskedCluster } from '../support/asked-cluster.js';
import { cleanupAfterEach } from '../support/cleanup.js';
import { needsNode, type CometVersion } from '../support/comet-home.js';
import { checkCommits } from '../support/commit-check.js';
import { startSignedNode } from '../support/signed-node.js';

const VERSION: CometVersion = 'v0.38.21';
const CHAIN_ID = 'degraded-1';
/** What the node's own deadline of 5 s leaves (privval/signer_endpoint.go). */
const REFUSED_WITHIN_MS = 4500;
const cleanup = cleanupAfterEach();

it.for([1, 2, 3])('without cosigner %i no vote is missed', async (id, context) => {
  needsNode(context, VERSION);
  const { node, cluster, recorder } = await startSignedNode(cleanup, {
    version: VERSION,
    chainId: CHAIN_ID,
    privval: 'recorded',
    voteExtensions: true,
  });
  await node.waitForHeight(20, 30_000);
  await cluster.cosigners[id - 1]?.crash();
  const at = await node.rpc.height();
  await node.waitForHeight(at + 100, 60_000);
  await cluster.cosigners[id - 1]?.start();
  const to = at + 200;
  await node.waitForHeight(to + 1, 60_000);
  const { rpc, publicKey, validator } = node;
  const report = await checkCommits({ rpc, chainId: CHAIN_ID, address: validator.address, publicKey, from: 1, to });
  expect(report).toEqual({ checked: to, problems: [] });
  expect(recorder?.with('refused')).toEqual([]);
  expect(recorder?.with('lost')).toEqual([]);
  expect(recorder?.connections).toBe(1);
});

it('without two cosigners requests are refused in time on the same connection, and signing goes on when one is back', async () => {
  const at = await AskedCluster.start(cleanup, { name: 'degraded' });
  const [first, second] = at.cluster.cosigners;
  await at.signed({ step: 'Prevote', height: 1n });
  await at.signed({ step: 'Precommit', height: 1n });

  await Promise.all([first?.crash(), second?.crash()]);
  for (const step of ['Prevote', 'Precommit'] as const) {
    // Throws when there is no answer in time.
    const answer = await at.ask({ step, height: 2n }, REFUSED_WITHIN_MS);
    expect(answer).toMatchObject({ kind: 'refused', error: expect.stringMatching(/^QUORUM_LOST: /) as unknown });
    await at.node.ping();
    expect(await at.node.publicKey()).toEqual(at.publicKey);
  }

  await second?.start();
  await at.signedAtLast({ step: 'Precommit', height: 2n });
  for (let height = 3n; height < 20n; height++) {
    await at.signed({ step: 'Prevote', height });
    await at.signed({ step: 'Precommit', height });
  }
  expect(at.unexplainedDrops()).toBe(0);
});
