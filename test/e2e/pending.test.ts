import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { AskedCluster } from '../support/asked-cluster.js';
import { cleanupAfterEach } from '../support/cleanup.js';

const cleanup = cleanupAfterEach();
/** What the node's own deadline of 5 s leaves (CometBFT privval/signer_endpoint.go). */
const ANSWERED_WITHIN_MS = 4500;

it('ping and public key are answered while a signature waits for a quorum', async () => {
  const at = await AskedCluster.start(cleanup, { name: 'pending' });
  await at.signed({ step: 'Prevote', height: 1n });
  const [first, second] = at.cluster.cosigners;
  await Promise.all([first?.crash(), second?.crash()]);

  let pending = true;
  const vote = at.ask({ step: 'Prevote', height: 2n }, ANSWERED_WITHIN_MS).finally(() => (pending = false));
  let answeredMeanwhile = 0;
  while (pending) {
    await at.node.ping();
    expect(await at.node.publicKey()).toEqual(at.publicKey);
    if (pending) answeredMeanwhile++;
    await delay(100);
  }
  expect(await vote).toMatchObject({ kind: 'refused', error: expect.stringMatching(/^QUORUM_LOST: /) as unknown });
  expect(answeredMeanwhile).toBeGreaterThan(0);

  // A vote that waits when a cosigner comes back is signed: no new request, no new connection.
  const waiting = at.ask({ step: 'Prevote', height: 3n }, ANSWERED_WITHIN_MS);
  await second?.start();
  const answer = await waiting;
  if (answer.kind === 'refused') expect(answer.error).toMatch(/^QUORUM_LOST: /);
  await at.signedAtLast({ step: 'Precommit', height: 3n });
  expect(at.node.dropped).toBe(0);
});
