import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { AskedCluster } from '../support/asked-cluster.js';
import { cleanupAfterEach } from '../support/cleanup.js';
import { eventually } from '../support/eventually.js';
import { moveAway } from '../support/far-away.js';
import { runHekate } from '../support/run-hekate.js';

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
  // None of those that signed went along, nor the third, to which the signature was shown.
  const heights = (await at.watermarks()).map((watermark) => watermark.split('/')[0]);
  expect(heights).toEqual([`${START}`, `${START}`, `${START}`]);

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

it('heights in steps are signed at a pace, over restarts too', async () => {
  const at = await AskedCluster.start(cleanup, { name: 'pace', cosigners: 2, links: 1, maxHeightsPerSecond: 0.1 });
  for (const height of [START, START + 500n, START + 990n]) await at.signed({ step: 'Prevote', height });
  const tooFast = { step: 'Prevote', height: START + 1_900n } as const;
  const { error } = await at.refused(tooFast);
  expect(error).toMatch(/^HEIGHT_PACE: .* is 910 heights up, and 0\.1 per second leave \d+ now/);
  for (const cosigner of at.cluster.cosigners) {
    await cosigner.crash();
    await cosigner.start();
  }
  await eventually('it is refused for its heights', 15_000, async () =>
    /^HEIGHT_PACE: /.test((await at.refused(tooFast)).error) ? true : undefined,
  );
  await at.signedAtLast({ step: 'Prevote', height: START + 1_000n });
});

it('a mark that an operator set takes no first height that is far above it', async () => {
  const at = await AskedCluster.start(cleanup, {
    ...{ name: 'floor', cosigners: 2, links: 1 },
    prepare: async ({ cosigners }) => {
      for (const { home } of cosigners) {
        const args = ['state', 'init', home, '--chain-id', 'floor-1', '--replace', '--height', `${START}`];
        expect(await runHekate(args)).toMatchObject({ code: 0 });
      }
    },
  });
  expect((await at.refused({ step: 'Prevote', height: START + MOST + 1n })).error).toMatch(/^HEIGHT_JUMP: /);
  await at.signed({ step: 'Prevote', height: START + MOST });
});
