import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { must } from '../../src/shared/invariant.js';
import { Prng } from '../sim/prng.js';
import { AskedValidator } from '../chaos/asked-validator.js';
import { CHAOS_NODE, CometValidator } from '../chaos/comet-validator.js';
import { Ground, THRESHOLD, type Validator } from '../chaos/ground.js';
import { SignatureBook } from '../chaos/signature-book.js';
import type { VoteCounts } from '../chaos/vote-tally.js';
import { noWires } from '../chaos/wires.js';
import { Cleanup } from '../support/cleanup-tasks.js';
import { cometBinary } from '../support/comet-home.js';
import type { Bench, BenchContext } from './bench.js';
import { resultOf, type Figures, type Goal } from './result.js';

/** What a figure of one failover is of. */
interface Failover {
  /** From the fault to the signature that ended the longest time without one. */
  readonly nextMs: number;
  readonly counts: VoteCounts;
}

interface FailoverBench {
  readonly name: string;
  /** Who asks: a real node that makes a block every 200 ms, a node of ours every 50 ms, or four validators, ours on two nodes. */
  readonly node: 'real' | 'asked' | 'four';
  readonly times: number;
  readonly quickTimes: number;
  readonly goal: Goal;
  readonly mostMissed: number;
  /** One failover, to its end: what broke is whole again. `now` is called when the fault is about to strike. */
  readonly fail: (ground: Ground, now: () => void, random: Prng) => Promise<void>;
}

const SETTLED_VOTES = 9;

const BENCHES: readonly FailoverBench[] = [
  {
    ...{ name: 'failover/kill-leader', node: 'real', times: 30, quickTimes: 6, mostMissed: 1 },
    goal: within(700, 1_000),
    fail: async (ground, now) => {
      const leader = await ground.leader();
      now();
      await ground.kill(leader);
      await ground.leader();
      await delay(500);
      await leader.start();
    },
  },
  {
    ...{ name: 'failover/hand-over', node: 'real', times: 30, quickTimes: 6, mostMissed: 0 },
    goal: most(700),
    fail: async (ground, now) => {
      const leader = await ground.leader();
      now();
      await leader.stop();
      await leader.start();
    },
  },
  {
    ...{ name: 'failover/frozen-link', node: 'real', times: 10, quickTimes: 2, mostMissed: 1 },
    goal: most(2_000),
    fail: async (ground, now) => {
      const leader = await ground.leader();
      now();
      ground.freeze(leader);
      await delay(3_000);
    },
  },
  {
    ...{ name: 'failover/frozen-cosigner', node: 'asked', times: 20, quickTimes: 4, mostMissed: 0 },
    goal: most(500),
    fail: async (ground, now, random) => {
      now();
      ground.freeze(random.pick(ground.cluster.cosigners));
      await delay(4_000);
      ground.thaw();
    },
  },
  {
    ...{ name: 'failover/node-switch', node: 'four', times: 10, quickTimes: 2, mostMissed: 2 },
    goal: most(5_000),
    fail: async (ground, now) => {
      const served = ground.validator.servedNode();
      now();
      await ground.validator.crashNode(served);
      await delay(12_000);
      await ground.validator.startNode(served);
      await delay(3_000);
    },
  },
];

function most(ms: number): Goal {
  return { text: `max <= ${ms}`, met: ({ max }) => max <= ms };
}

function within(p50Ms: number, p99Ms: number): Goal {
  return { text: `p50 <= ${p50Ms}, p99 <= ${p99Ms}`, met: ({ p50, p99 }: Figures) => p50 <= p50Ms && p99 <= p99Ms };
}

function rowsOf(name: string): readonly string[] {
  return [name, `${name}/gap`, `${name}/late`, `${name}/missed`];
}

/** What it takes until the node has its next signature, one failover after the other on the same cluster. */
export const failoverBenches: readonly Bench[] = BENCHES.map((bench) => ({
  names: rowsOf(bench.name),
  run: async (context) => {
    if (bench.node !== 'asked' && !existsSync(cometBinary(CHAOS_NODE)))
      throw new Error(`no CometBFT ${CHAOS_NODE} in .cache/bin: 'node scripts/fetch-nodes.mjs' builds it`);
    const cleanup = new Cleanup();
    try {
      add(bench, context, await failOver(bench, context, cleanup));
    } finally {
      await cleanup.run(false);
    }
  },
}));

async function failOver(
  { name, node, times, quickTimes, fail }: FailoverBench,
  { effort, folder: parent, say }: BenchContext,
  cleanup: Cleanup,
): Promise<readonly Failover[]> {
  const folder = join(parent, name.replaceAll('/', '-'));
  mkdirSync(folder, { recursive: true });
  const book = new SignatureBook(THRESHOLD);
  const validator = await validatorFor(node, folder, book);
  const ground = await Ground.start({ folder, book, validator, cleanup, wires: noWires() });
  const random = new Prng(1);
  const done: Failover[] = [];
  const count = effort.quick ? quickTimes : times;
  for (let i = 0; i < count; i++) {
    await delay(random.between(0, 400));
    validator.beginCount();
    let struckMs = performance.now();
    await fail(ground, () => (struckMs = performance.now()), random);
    await ground.settle(SETTLED_VOTES);
    if (node === 'four') await delay(1_500);
    const counts = await validator.counts();
    const { fromMs, toMs } = validator.longestGap();
    const nextMs = toMs - Math.max(fromMs, struckMs);
    done.push({ nextMs, counts });
    say(`  ${name} ${i + 1} of ${count}: ${nextMs.toFixed(0)} ms, ${counts.late} late, ${counts.missed} missed`);
  }
  await ground.evidence.look();
  const [double] = [...book.doubles().map(({ place }) => place), ...(await validator.evidence())];
  if (double !== undefined) throw new Error(`two signatures for one place: ${double}`);
  return done;
}

function validatorFor(node: FailoverBench['node'], folder: string, book: SignatureBook): Promise<Validator> {
  const chainId = `failover-${node}-1`;
  if (node === 'asked') return AskedValidator.create(folder, chainId, book);
  const network = node === 'four' ? { validators: 4, twins: 1, timeoutCommit: '500ms' } : { timeoutCommit: '200ms' };
  return CometValidator.create({ folder, chainId, book, ...network });
}

function add(bench: FailoverBench, { add: show }: BenchContext, done: readonly Failover[]): void {
  const [next, gap, late, missed] = rowsOf(bench.name).map((row) => ({ name: row }));
  const sum = (of: (counts: VoteCounts) => number): number => done.reduce((all, { counts }) => all + of(counts), 0);
  const total = `${sum(({ asked }) => asked)} asked, ${sum(({ lost }) => lost)} requests lost with a connection`;
  show(
    resultOf({
      ...{ ...must(next, 'a row'), unit: 'ms', samples: done.map(({ nextMs }) => nextMs), goal: bench.goal },
      note: `from the fault to the next signature at the node, ${done.length} times; ${total}`,
    }),
  );
  show(
    resultOf({
      ...{ ...must(gap, 'a row'), unit: 'ms', samples: done.map(({ counts }) => counts.longestGapMs) },
      note: 'from the signature before the fault',
    }),
  );
  show(
    resultOf({
      ...{ ...must(late, 'a row'), unit: 'votes', samples: done.map(({ counts }) => counts.late) },
      note: `${sum((counts) => counts.late)} in all: answered more than 1 s after they were first asked`,
    }),
  );
  show(
    resultOf({
      ...{ ...must(missed, 'a row'), unit: 'votes', samples: done.map(({ counts }) => counts.missed) },
      goal: { text: `max <= ${bench.mostMissed}`, met: ({ max }) => max <= bench.mostMissed },
      note: `${sum((counts) => counts.missed)} in all`,
    }),
  );
}
