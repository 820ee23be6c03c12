import { expect, it } from 'vitest';
import { MAX_EXTENSION_BYTES } from '../../src/shared/coordination/limits.js';
import { must } from '../../src/shared/invariant.js';
import { AskedCluster } from '../support/asked-cluster.js';
import { AskingNode, type SignAnswer } from '../support/asking-node.js';
import { cleanupAfterEach } from '../support/cleanup.js';
import { eventually } from '../support/eventually.js';
import { runHekate } from '../support/run-hekate.js';

const cleanup = cleanupAfterEach();
const CHAINS = ['big-1', 'big-2', 'big-3', 'big-4', 'big-5', 'big-6'];

it('a cosigner that hangs while large votes of many chains are asked for: PEER_QUEUE_FULL, and signed once it goes on', async () => {
  const nodes = new Map<string, AskingNode>();
  const at = await AskedCluster.start(cleanup, {
    ...{ name: 'queue', cosigners: 2, threshold: 2, links: 1 },
    prepare: async ({ folder }) => {
      for (const chainId of CHAINS) {
        const node = await AskingNode.listen('tcp', chainId);
        cleanup.add(() => node.close());
        nodes.set(chainId, node);
        expect(await runHekate(['init', folder, '--chain-id', chainId, '--node', node.address])).toMatchObject({
          code: 0,
        });
      }
    },
  });
  const [link, cosigner] = [must(at.cluster.links[0], 'a link'), must(at.cluster.cosigners[0], 'a cosigner')];
  const askAll = (height: bigint, extension: Uint8Array): Promise<SignAnswer[]> =>
    Promise.all(
      [...nodes].map(([chainId, node]) => node.vote(at.vote({ step: 'Precommit', height, chainId, extension }))),
    );
  const signedByAll = (height: bigint): Promise<true> =>
    eventually(`all sign at ${height}`, 20_000, async () => {
      const answers = await askAll(height, Uint8Array.of(1));
      return answers.every(({ kind }) => kind === 'signed') || undefined;
    });
  await signedByAll(1n);

  const told = await eventually('the link says PEER_QUEUE_FULL', 60_000, async (): Promise<unknown> => {
    // On a machine that is slow the link may give it up for its silence first.
    process.kill(cosigner.pid, 'SIGSTOP');
    await askAll(2n, new Uint8Array(MAX_EXTENSION_BYTES)).catch(() => undefined);
    process.kill(cosigner.pid, 'SIGCONT');
    return link.events().find(({ code }) => code === 'PEER_QUEUE_FULL');
  });
  expect(told).toMatchObject({
    cosigner: 'cosigner-1',
    fix: expect.stringMatching(/^check that the cosigner/) as string,
  });
  await signedByAll(3n);
});
