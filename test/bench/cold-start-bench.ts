import type { Bench } from './bench.js';
import { BenchCluster } from './cluster.js';
import { resultOf, type Goal } from './result.js';

const READY_GOAL: Goal = { text: 'p50 < 1000', met: ({ p50 }) => p50 < 1000 };

/** From the start of a stopped cluster to its first signature at the node, and of each process to "ready". */
export const coldStart: Bench = {
  names: ['cold-start', 'cold-start/cosigner', 'cold-start/sentry-link'],
  run: async ({ effort, folder, add }) => {
    const bench = await BenchCluster.create({ folder, name: 'cold-start', threshold: 2, cosigners: 3 });
    const { cluster, voter } = bench;
    const alone = { cosigner: [] as number[], link: [] as number[] };
    const together: number[] = [];
    try {
      for (let i = 0; i < (effort.quick ? 1 : 3); i++) {
        for (const process of cluster.cosigners) alone.cosigner.push(await timed(() => process.start()));
        for (const process of cluster.links) alone.link.push(await timed(() => process.start()));
        await cluster.stop();
      }
      for (let i = 0; i < (effort.quick ? 2 : 5); i++) {
        together.push(
          await timed(async () => {
            void cluster.start();
            await voter.node.connected(20_000, 2);
            await voter.votes(1);
          }),
        );
        await cluster.stop();
      }
    } finally {
      await bench.stop();
    }
    add(
      resultOf({
        ...{ name: 'cold-start', unit: 'ms', samples: together },
        note: 'all five processes at once, to the first signature; a cosigner that starts holds the lease down for 1000 ms',
      }),
    );
    add(resultOf({ name: 'cold-start/cosigner', unit: 'ms', samples: alone.cosigner, goal: READY_GOAL }));
    add(resultOf({ name: 'cold-start/sentry-link', unit: 'ms', samples: alone.link, goal: READY_GOAL }));
  },
};

async function timed(task: () => Promise<void>): Promise<number> {
  const from = performance.now();
  await task();
  return performance.now() - from;
}
