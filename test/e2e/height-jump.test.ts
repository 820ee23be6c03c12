import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { AskedCluster } from '../support/asked-cluster.js';
import { cleanupAfterEach } from '../support/cleanup.js';
import { moveAway } from '../support/far-away.js';

// Invariant: heights that jump are suspicious, and a wrong node cannot burn the key, nor a part of the cluster.
const cleanup = cleanupAfterEach();
const START = 4_000_000n;
const MOST = 100_000n;

it('the first height may be any, a later one at most 100,000 up', async () => {
  const at = await AskedCluster.start(cleanup, { name: 'jump' });
  await at.signed({ step: 'Prevote', height: START });
  await at.signed({ step: 'Precommit', height: START });

  const tooHigh = START + MOST + 1n;
  for (let times = 0; times < 3; times++) {
    const { error } = await at.refused({ step: 'Prevote', height: tooHigh, round: times });
    expect(error).toMatch(/^HEIGHT_JUMP: /);
    expect(error).toContain(`height ${tooHigh}, round ${times}, prevote`);
    expect(error).toContain(`the watermark is height ${START}, round 0, precommit`);
  }
  await at.refused({ step: 'Prevote', height: 2n ** 63n - 1n });
  // The two that signed did not go along. The third one takes any first height, if one of them was slow to refuse and it was asked.
  const heights = (await at.watermarks()).map((watermark) => watermark.split('/')[0]);
  expect(heights.filter((height) => height === `${START}`)).toHaveLength(2);

  await at.signed({ step: 'Prevote', height: START + MOST });
  await at.signed({ step: 'Precommit', height: START + MOST });
});

it('a cosigner that is far away does not fall so far behind that it refuses when it is needed', async () => {
  const at = await AskedCluster.start(cleanup, {
    name: 'laggard',
    prepare: (cluster) => moveAway(cluster, 3, 15, cleanup),
  });
  // Two weeks of blocks in jumps, with pauses in which the link hears how far each cosigner is.
  let height = START;
  const [first] = at.cluster.cosigners;
  await first?.crash();
  await at.signedAtLast({ step: 'Prevote', height });
  await first?.start();
  for (let i = 0; i < 10; i++) {
    height += MOST / 5n;
    await delay(300);
    await at.signed({ step: 'Prevote', height });
  }
  await first?.crash();
  await at.signedAtLast({ step: 'Precommit', height });
  for (const watermark of (await at.watermarks()).slice(1)) expect(watermark).toBe(`${height}/0/3`);
});
