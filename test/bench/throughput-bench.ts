import { setTimeout as delay } from 'node:timers/promises';
import type { HekateProcess } from '../support/hekate-cluster.js';
import type { Bench, BenchContext } from './bench.js';
import { withCluster, type BenchCluster } from './cluster.js';
import { median, resultOf, type Goal } from './result.js';
import { OtherLoad, residentMb, sumCpuMs } from './usage.js';

const WINDOW_MS = 1_000;
const MEMORY_GOAL: Goal = { text: 'max <= 90', met: ({ max }) => max <= 90 };
/** Growth over the run that would fill a host some day; what is left of it is noise of the garbage collector. */
const FLAT_MB = 5;

/** Back to back on one chain: votes a second, what they cost in CPU, and whether memory stays flat meanwhile. */
export const oneChain: Bench = {
  names: [
    ...['throughput/2of3/one-chain', 'throughput/2of3/one-chain/latency', 'cpu/2of3', 'cpu/2of3/idle'],
    ...['rss', 'rss/cosigner-1', 'rss/cosigner-2', 'rss/cosigner-3', 'rss/sentry-link-1', 'rss/sentry-link-2'],
    'rss/growth',
  ],
  run: (context) =>
    withCluster({ folder: context.folder, name: 'one-chain', threshold: 2, cosigners: 3 }, async (bench) => {
      const { effort, add } = context;
      await bench.voter.votes(effort.warmUp);
      await idle(context, bench);
      const load = new OtherLoad(bench.pids);
      // Memory needs the long run; rate and CPU are of the same votes.
      const seconds = effort.quick ? effort.seconds : 6 * effort.seconds;
      const { rates, cpu, memory, latencies } = await measure(bench, seconds);
      const note = load.note;
      add(
        resultOf({
          ...{ name: 'throughput/2of3/one-chain', unit: 'votes/s', samples: rates, note },
          goal: { text: '>= 700', met: ({ p50 }) => p50 >= 700 },
        }),
      );
      add(resultOf({ name: 'throughput/2of3/one-chain/latency', unit: 'ms', samples: latencies }));
      add(
        resultOf({
          ...{ name: 'cpu/2of3', unit: 'ms/vote', samples: cpu, note: 'all cosigners and links, back to back' },
          goal: { text: 'p50 <= 2', met: ({ p50 }) => p50 <= 2 },
        }),
      );
      addMemory(context, memory);
    }),
};

/** 64 chains on one cluster, each with its own node that asks back to back. */
export const manyChains: Bench = {
  names: ['', '/latency', '/cpu', '/rss'].map((figure) => `throughput/2of3/64-chains${figure}`),
  run: ({ effort, folder, add }) =>
    withCluster({ folder, name: 'many', threshold: 2, cosigners: 3, chains: 64 }, async (bench) => {
      await Promise.all(bench.voters.map((voter) => voter.votes(Math.ceil(effort.warmUp / 32))));
      const load = new OtherLoad(bench.pids);
      const { rates, cpu, latencies, memory } = await measure(bench, effort.seconds);
      add(
        resultOf({
          ...{ name: 'throughput/2of3/64-chains', unit: 'votes/s', samples: rates, note: load.note },
          goal: { text: '>= 1000', met: ({ p50 }) => p50 >= 1000 },
        }),
      );
      add(resultOf({ name: 'throughput/2of3/64-chains/latency', unit: 'ms', samples: latencies }));
      add(resultOf({ name: 'throughput/2of3/64-chains/cpu', unit: 'ms/vote', samples: cpu }));
      const most = [...memory.values()].map((samples) => Math.max(...samples));
      add(resultOf({ name: 'throughput/2of3/64-chains/rss', unit: 'MB', samples: most, goal: MEMORY_GOAL }));
    }),
};

/** CPU of a cluster that is asked nothing: heartbeats and pings. */
async function idle({ effort, add }: BenchContext, bench: BenchCluster): Promise<void> {
  const seconds = effort.quick ? 2 : 5;
  const before = sumCpuMs(bench.pids);
  await delay(seconds * 1000);
  const perSecond = (sumCpuMs(bench.pids) - before) / seconds;
  add(resultOf({ name: 'cpu/2of3/idle', unit: 'ms/s', samples: [perSecond], note: 'three cosigners, two links' }));
}

interface Throughput {
  /** Votes a second, CPU per vote: one sample each second. */
  readonly rates: readonly number[];
  readonly cpu: readonly number[];
  readonly latencies: readonly number[];
  /** MB over time, by process. */
  readonly memory: ReadonlyMap<HekateProcess, number[]>;
}

async function measure({ voters, cluster, pids }: BenchCluster, seconds: number): Promise<Throughput> {
  const until = performance.now() + seconds * WINDOW_MS;
  const rates: number[] = [];
  const cpu: number[] = [];
  const memory = new Map(cluster.processes.map((process) => [process, [] as number[]]));
  let done = 0;
  const asking = voters.map(async (voter) => {
    const samples: number[] = [];
    while (performance.now() < until) {
      samples.push(await voter.vote());
      done++;
    }
    return samples;
  });
  for (let window = 0; window < seconds; window++) {
    const [from, doneBefore, cpuBefore] = [performance.now(), done, sumCpuMs(pids)];
    await delay(WINDOW_MS - 1);
    const votes = done - doneBefore;
    rates.push((votes / (performance.now() - from)) * 1000);
    cpu.push((sumCpuMs(pids) - cpuBefore) / votes);
    for (const [process, samples] of memory) samples.push(residentMb(process.pid));
  }
  const latencies = (await Promise.all(asking)).flat();
  for (const voter of voters) voter.check();
  return { rates, cpu, latencies, memory };
}

function addMemory({ add }: BenchContext, memory: Throughput['memory']): void {
  const all = [...memory.values()].flat();
  add(resultOf({ name: 'rss', unit: 'MB', samples: all, goal: MEMORY_GOAL, note: 'every process, every second' }));
  const growth: number[] = [];
  for (const [process, samples] of memory) {
    const part = Math.ceil(samples.length / 3);
    const [first, last] = [median(samples.slice(0, part)), median(samples.slice(-part))];
    growth.push(last - first);
    const note = `${first.toFixed(1)} in the first third of the run, ${last.toFixed(1)} in the last`;
    add(resultOf({ name: `rss/${process.name}`, unit: 'MB', samples, note }));
  }
  const goal = { text: `max <= ${FLAT_MB}`, met: ({ max }: { max: number }) => max <= FLAT_MB };
  add(resultOf({ name: 'rss/growth', unit: 'MB', samples: growth, goal }));
}
