import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { HekateProcess } from '../support/hekate-cluster.js';
import type { Prng } from '../sim/prng.js';
import type { Ground } from './ground.js';
import type { GroundName } from './grounds.js';
import { ANY, type Goal, type Scenario } from './scenario.js';

/** Of the issue: killed -9 in mid-traffic, frozen, handed over as planned; and what may cost nothing at all. */
export const LEADER_KILLED: Goal = { gapMs: 1_000, lateOrMissed: 1, missed: 1 };
export const LEADER_FROZEN: Goal = { gapMs: 2_000, lateOrMissed: 1, missed: 1 };
const HANDED_OVER: Goal = { gapMs: 700, lateOrMissed: 0, missed: 0 };
/** Signing goes on as if nothing were; half a second is for machines that stand still for a moment. */
export const NOTHING: Goal = { gapMs: 500, lateOrMissed: 0, missed: 0 };
/** As long as the node or the way to it is away, and no vote is lost. */
export const NODE_AWAY: Goal = { missed: 0 };

type Process = 'cosigner' | 'leader' | 'standby';

async function choose(process: Process, ground: Ground, random: Prng): Promise<HekateProcess> {
  if (process === 'leader') return ground.leader();
  if (process === 'standby') return ground.standby();
  return random.pick(ground.cluster.cosigners);
}

const THE: Readonly<Record<Process, string>> = {
  cosigner: 'one of three cosigners',
  leader: 'the link that leads',
  standby: 'the link that stands by',
};

interface Row {
  readonly process: Process;
  readonly goal: Goal;
  readonly mayMiss: number;
}

/** What may become of each process, on each ground that has it. */
function killed(ground: GroundName, { process, goal, mayMiss }: Row, short: boolean): Scenario {
  return {
    ...{ name: `kill/${process}`, ground, goal, mayMiss, ...(short && { short: true }) },
    what: `kill -9 of ${THE[process]}, back after 0.3 to 2 s`,
    run: async ({ ground: at }, random) => {
      const one = await choose(process, at, random);
      await delay(random.between(0, 200));
      await at.kill(one);
      if (process === 'leader') await at.leader();
      await delay(random.between(300, 2_000));
      await one.start();
    },
  };
}

function frozen(ground: GroundName, { process, goal, mayMiss }: Row, short: boolean): Scenario {
  // A cosigner has no watcher. Nothing wakes a link but its watcher, which kills it.
  const isWatched = process !== 'cosigner';
  const mended = isWatched ? 'its watcher starts it again' : 'SIGCONT after 7 s';
  return {
    ...{ name: `freeze/${process}`, ground, goal, mayMiss, ...(short && { short: true }) },
    what: `SIGSTOP of ${THE[process]}; ${mended}`,
    run: async ({ ground: at }, random) => {
      const one = await choose(process, at, random);
      await delay(random.between(0, 200));
      at.freeze(one);
      if (isWatched) return delay(3_000);
      await delay(7_000);
      at.thaw();
    },
  };
}

function restarted(ground: GroundName, { process, goal, mayMiss }: Row, short: boolean): Scenario {
  return {
    ...{ name: `restart/${process}`, ground, goal, mayMiss, ...(short && { short: true }) },
    what: `SIGTERM of ${THE[process]}, started again at once`,
    run: async ({ ground: at }, random) => {
      const one = await choose(process, at, random);
      await delay(random.between(0, 200));
      await one.stop();
      await one.start();
    },
  };
}

const KILLED: readonly Row[] = [
  { process: 'cosigner', goal: NOTHING, mayMiss: 0 },
  { process: 'leader', goal: LEADER_KILLED, mayMiss: 1 },
  { process: 'standby', goal: NOTHING, mayMiss: 0 },
];
const FROZEN: readonly Row[] = [
  { process: 'cosigner', goal: NOTHING, mayMiss: 0 },
  { process: 'leader', goal: LEADER_FROZEN, mayMiss: 1 },
  { process: 'standby', goal: NOTHING, mayMiss: 0 },
];
const RESTARTED: readonly Row[] = [
  { process: 'cosigner', goal: NOTHING, mayMiss: 0 },
  { process: 'leader', goal: HANDED_OVER, mayMiss: 0 },
  { process: 'standby', goal: NOTHING, mayMiss: 0 },
];

/** All processes of the cluster end at once; the quorum is gone until they are back. */
function allDown(name: string, what: string, end: (ground: Ground) => Promise<void>): Scenario {
  return {
    ...{ name, ground: 'asked', what, goal: { missed: ANY }, mayMiss: ANY },
    run: async ({ ground }, random) => {
      await end(ground);
      await delay(random.between(300, 1_500));
      await Promise.all(ground.cluster.processes.map((process) => process.start()));
    },
  };
}

/** Asks for a second block at the newest place again and again while something goes on. */
async function temptFor(ground: Ground, ms: number): Promise<void> {
  for (const until = performance.now() + ms; performance.now() < until;) {
    await ground.validator.tempt();
    await delay(150);
  }
}

const ALONE: readonly Scenario[] = [
  {
    ...{ name: 'kill/watcher', ground: 'asked', goal: HANDED_OVER, mayMiss: 0, short: true },
    what: 'kill -9 of the watcher of the link that leads: the link ends in order; started again after 1 s',
    run: async ({ ground }, random) => {
      const leader = await ground.leader();
      await delay(random.between(0, 200));
      await ground.killWatcher(leader);
      await delay(1_000);
      await leader.start();
    },
  },
  {
    ...{ name: 'freeze/watcher', ground: 'asked', goal: NOTHING, mayMiss: 0 },
    what: 'SIGSTOP of the watcher of the link that leads, SIGCONT after 3 s: no beat was heard meanwhile',
    run: async ({ ground }) => {
      ground.freezeWatcher(await ground.leader());
      await delay(3_000);
      ground.thaw();
      await delay(1_500);
    },
  },
  {
    ...{ name: 'kill/two-cosigners', ground: 'asked', goal: { missed: ANY }, mayMiss: ANY, faults: 2 },
    what: 'kill -9 of two cosigners, back after 1 s: no quorum meanwhile',
    run: async ({ ground }, random) => {
      const spared = random.pick(ground.cluster.cosigners);
      const two = ground.cluster.cosigners.filter((one) => one !== spared);
      await Promise.all(two.map((one) => ground.kill(one)));
      await delay(1_000);
      await Promise.all(two.map((one) => one.start()));
    },
  },
  {
    ...{ name: 'kill/leader-and-cosigner', ground: 'asked', goal: LEADER_KILLED, mayMiss: 1, faults: 2 },
    what: 'kill -9 of the link that leads and of a cosigner at once, back after 1 s',
    run: async ({ ground }, random) => {
      const pair = [await ground.leader(), random.pick(ground.cluster.cosigners)];
      await Promise.all(pair.map((one) => ground.kill(one)));
      await ground.leader();
      await delay(1_000);
      await Promise.all(pair.map((one) => one.start()));
    },
  },
  allDown('kill/all', 'kill -9 of cosigners and links at once, run-time folders kept', async (ground) => {
    await Promise.all(ground.cluster.processes.map((process) => ground.kill(process)));
  }),
  allDown('reboot/all', 'all hosts reboot at once: kill -9, run-time folders gone', async (ground) => {
    await Promise.all(ground.cluster.processes.map((process) => ground.loseHost(process)));
    for (const process of ground.cluster.processes) ground.loseRunFolder(process);
  }),
  {
    ...{ name: 'reboot/cosigner', ground: 'asked', goal: NOTHING, mayMiss: 0, short: true },
    what: 'a cosigner’s host reboots: kill -9, run-time folder gone, back after 0.5 to 2 s; it waits for the others',
    run: async ({ ground }, random) => {
      const one = random.pick(ground.cluster.cosigners);
      await ground.loseHost(one);
      ground.loseRunFolder(one);
      await delay(random.between(500, 2_000));
      await one.start();
      await temptFor(ground, 500);
    },
  },
  {
    ...{ name: 'reboot/leader', ground: 'asked', goal: LEADER_KILLED, mayMiss: 1 },
    what: 'the leading link’s host reboots: kill -9, run-time folder gone, back after 1 s',
    run: async ({ ground }) => {
      const one = await ground.leader();
      await ground.loseHost(one);
      ground.loseRunFolder(one);
      await ground.leader();
      await delay(1_000);
      await one.start();
    },
  },
  {
    ...{ name: 'put-back/cosigner', ground: 'asked', goal: NOTHING, mayMiss: 0, short: true },
    what: 'a cosigner’s state is put back by 1 to 3 s of votes, its run-time folder kept or gone; a second block is asked for',
    run: async ({ ground }, random) => {
      const one = random.pick(ground.cluster.cosigners);
      const [state, copy] = [join(one.home, 'state'), join(one.home, 'state.copy')];
      cpSync(state, copy, { recursive: true });
      await delay(random.between(1_000, 3_000));
      await ground.kill(one);
      rmSync(state, { recursive: true });
      cpSync(copy, state, { recursive: true });
      rmSync(copy, { recursive: true });
      if (random.chance(0.5)) ground.loseRunFolder(one);
      await one.start();
      await temptFor(ground, 1_500);
    },
  },
  {
    ...{ name: 'put-back/cosigner-alone', ground: 'asked', goal: { missed: ANY }, mayMiss: ANY, faults: 2 },
    what: 'a cosigner’s state is put back while another one is frozen: with the third alone it must not sign again',
    run: async ({ ground }, random) => {
      const [one, other] = random.chance(0.5) ? ([0, 1] as const) : ([1, 2] as const);
      const back = ground.cluster.cosigners[one]!;
      const [state, copy] = [join(back.home, 'state'), join(back.home, 'state.copy')];
      cpSync(state, copy, { recursive: true });
      await delay(1_000);
      ground.freeze(ground.cluster.cosigners[other]!);
      await ground.kill(back);
      rmSync(state, { recursive: true });
      cpSync(copy, state, { recursive: true });
      rmSync(copy, { recursive: true });
      ground.loseRunFolder(back);
      await back.start();
      await temptFor(ground, 2_000);
      ground.thaw();
    },
  },
  {
    ...{ name: 'kill/node', ground: 'asked', goal: NODE_AWAY, mayMiss: 0, short: true },
    what: 'the node’s process ends and is back after 0.5 to 2 s; it asks the same with a newer timestamp',
    run: async ({ ground }, random) => {
      await ground.validator.crashNode();
      await delay(random.between(500, 2_000));
      await ground.validator.startNode();
    },
  },
  {
    ...{ name: 'kill/leader-and-node', ground: 'asked', goal: { missed: 1 }, mayMiss: 1, faults: 2 },
    what: 'kill -9 of the link that leads while the node restarts: the next leader meets a newer timestamp',
    run: async ({ ground }) => {
      const leader = await ground.leader();
      await Promise.all([ground.kill(leader), ground.validator.crashNode()]);
      await ground.validator.startNode();
      await ground.leader();
      await delay(500);
      await leader.start();
    },
  },
  {
    ...{ name: 'kill/node', ground: 'real', goal: NODE_AWAY, mayMiss: 0, short: true },
    what: 'kill -9 of the node, started again after 1 s',
    run: async ({ ground }) => {
      await ground.validator.crashNode();
      await delay(1_000);
      await ground.validator.startNode();
    },
  },
  {
    ...{ name: 'freeze/node', ground: 'real', goal: NODE_AWAY, mayMiss: 0 },
    what: 'SIGSTOP of the node for 4 s',
    run: async ({ ground }) => {
      ground.validator.freezeNode();
      await delay(4_000);
      ground.validator.thawNodes();
    },
  },
];

export const PROCESS_SCENARIOS: readonly Scenario[] = [
  ...KILLED.map((row) => killed('asked', row, true)),
  ...FROZEN.map((row) => frozen('asked', row, row.process !== 'standby')),
  ...RESTARTED.map((row) => restarted('asked', row, row.process !== 'standby')),
  ...ALONE,
  ...KILLED.map((row) => killed('real', row, row.process === 'leader')),
  ...FROZEN.map((row) => frozen('real', row, false)),
  ...RESTARTED.map((row) => restarted('real', row, row.process === 'leader')),
];
