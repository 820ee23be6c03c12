import type { Bench } from './bench.js';
import { withCluster } from './cluster.js';
import { wireRoundTrips } from './delay-proxies.js';
import { resultOf, type Goal } from './result.js';
import { OtherLoad } from './usage.js';

interface VoteBench {
  readonly name: string;
  readonly threshold: number;
  readonly cosigners: number;
  readonly delayMs?: number;
  readonly goal?: (p50Of2of3: number) => Goal;
}

const FAST: Goal = { text: 'p50 < 1, p99 < 3', met: ({ p50, p99 }) => p50 < 1 && p99 < 3 };
const LONG_WIRE: Goal = { text: 'p50 <= 22', met: ({ p50 }) => p50 <= 22 };

const BENCHES: readonly VoteBench[] = [
  { name: 'vote/2of3/loopback', threshold: 2, cosigners: 3, goal: () => FAST },
  { name: 'vote/2of3/rtt20ms', threshold: 2, cosigners: 3, delayMs: 10, goal: () => LONG_WIRE },
  { name: 'vote/3of5/loopback', threshold: 3, cosigners: 5 },
  { name: 'vote/5of9/loopback', threshold: 5, cosigners: 9 },
  { name: 'vote/7of13/loopback', threshold: 7, cosigners: 13, goal: threefold },
];

function threefold(p50Of2of3: number): Goal {
  const limit = 3 * p50Of2of3;
  return { text: `p50 <= ${limit.toFixed(2)} (3 x 2of3)`, met: ({ p50 }) => p50 <= limit };
}

/** From 2-of-3 over loopback, which is measured first. */
let p50Of2of3 = NaN;

/** One vote every so often, as a busy chain has them: between two votes everything falls asleep. */
const PACE_MS = 10;

function rowsOf({ name, delayMs }: VoteBench): readonly string[] {
  const rows = [name, `${name}/prevote`, `${name}/precommit`];
  if (delayMs !== undefined) rows.push(`${name}/wire`);
  if (name === 'vote/2of3/loopback') rows.push(`${name}/paced`);
  return rows;
}

/** Latency of a vote at the node's side, back to back as other signers are measured, and once more at a pace. */
export const voteBenches: readonly Bench[] = BENCHES.map((bench) => ({
  names: rowsOf(bench),
  run: async ({ effort, folder, add }) => {
    const { name, threshold, cosigners, delayMs } = bench;
    const shape = { threshold, cosigners, ...(delayMs !== undefined && { delayMs }) };
    const count = delayMs === undefined ? effort.votes : Math.ceil(effort.votes / 4);
    const warmUp = delayMs === undefined ? effort.warmUp : Math.ceil(effort.warmUp / 10);
    await withCluster({ folder, name: name.replaceAll('/', '-'), ...shape }, async ({ voter, allPids }) => {
      await voter.votes(warmUp);
      const load = new OtherLoad(allPids);
      const samples = await voter.backToBack(count);
      const prevotes = samples.filter((_, i) => i % 2 === 0);
      const precommits = samples.filter((_, i) => i % 2 === 1);
      const all = resultOf({ name, unit: 'ms', samples, note: load.note });
      if (name === 'vote/2of3/loopback') p50Of2of3 = all.p50;
      const goal =
        bench.goal === undefined || (bench.goal === threefold && isNaN(p50Of2of3)) ? undefined : bench.goal(p50Of2of3);
      add(resultOf({ name, unit: 'ms', samples, note: load.note, ...(goal && { goal }) }));
      add(resultOf({ name: `${name}/prevote`, unit: 'ms', samples: prevotes }));
      add(
        resultOf({ name: `${name}/precommit`, unit: 'ms', samples: precommits, note: 'with an extension signature' }),
      );
      if (delayMs !== undefined) {
        const wire = await wireRoundTrips(delayMs, Math.ceil(count / 2));
        add(
          resultOf({
            name: `${name}/wire`,
            unit: 'ms',
            samples: wire,
            note: 'the simulated wire by itself, with an echo',
          }),
        );
      }
      if (name !== 'vote/2of3/loopback') return;
      const paced = await voter.paced(effort.votes, PACE_MS);
      add(resultOf({ name: `${name}/paced`, unit: 'ms', samples: paced, note: `one every ${PACE_MS} ms` }));
    });
  },
}));
