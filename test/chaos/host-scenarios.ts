import { setTimeout as delay } from 'node:timers/promises';
import { must } from '../../src/shared/invariant.js';
import type { HekateProcess } from '../support/hekate-cluster.js';
import type { Prng } from '../sim/prng.js';
import type { Ground } from './ground.js';
import type { Hosts } from './grounds.js';
import { LEADER_KILLED, NOTHING } from './process-scenarios.js';
import type { Scenario } from './scenario.js';

const FREE = { ground: 'hosts', goal: NOTHING, mayMiss: 0 } as const;
/** Years, days, and an hour. */
const HOURS = [-17_520, -72, -1, 1, 72, 17_520] as const;

/** A reset that is taken back at once reaches nobody. */
const RESET_MS = 200;

interface Hurt {
  readonly ground: Ground;
  readonly hosts: Hosts;
  readonly random: Prng;
}

function onHosts(row: Omit<Scenario, 'run'>, run: (hurt: Hurt) => Promise<void>): Scenario {
  return {
    ...row,
    run: async ({ ground, hosts }, random) => run({ ground, hosts: must(hosts, 'this ground has hosts'), random }),
  };
}

function named(ground: Ground, name: string): HekateProcess {
  return must(
    ground.cluster.processes.find((process) => process.name === name),
    'a process of the cluster',
  );
}

/** The reader of a process's log stops for a while. */
function stalled(name: string, process: string, leads: boolean): Scenario {
  const what = `${leads ? 'the leading link' : 'a cosigner'}’s log goes into a pipe whose reader stops for 6 s`;
  return onHosts({ name, what, ...FREE, ...(leads && { short: true }) }, async ({ ground, hosts }) => {
    if (leads) await ground.leadBy(named(ground, process));
    const pipe = must(hosts.pipes.get(process), 'its log goes into a pipe');
    ground.later(() => pipe.resume());
    pipe.stall();
    await delay(6_000);
    pipe.resume();
  });
}

/** The disk under a process's log is full for a while. */
function fullLog(name: string, process: string, leads: boolean): Scenario {
  const what = `the disk under ${leads ? 'the leading link' : 'a cosigner'}’s log is full for 4 s`;
  return onHosts({ name, what, ...FREE, ...(leads && { short: true }) }, async ({ ground, hosts }) => {
    hosts.logDisk.empty();
    if (leads) await ground.leadBy(named(ground, process));
    ground.later(() => hosts.logDisk.empty());
    hosts.logDisk.fill();
    await delay(4_000);
    hosts.logDisk.empty();
  });
}

export const HOST_SCENARIOS: readonly Scenario[] = [
  onHosts(
    { name: 'disk-full/state', what: 'the disk under a cosigner’s state is full for 3 s', ...FREE, short: true },
    async ({ ground, hosts }) => {
      ground.later(() => hosts.state.empty());
      hosts.state.fill();
      await delay(3_000);
      hosts.state.empty();
    },
  ),
  onHosts(
    {
      ...{ name: 'disk-full/restart', ...FREE, faults: 2 },
      what: 'the disk under a cosigner’s state is full while the cosigner is killed and started',
    },
    async ({ ground, hosts }) => {
      const cosigner = named(ground, 'cosigner-1');
      ground.later(() => hosts.state.empty());
      hosts.state.fill();
      await ground.kill(cosigner);
      await cosigner.start().catch(() => undefined);
      await delay(1_000);
      hosts.state.empty();
    },
  ),
  onHosts(
    {
      ...{ name: 'disk-read-only/state', ...FREE, faults: 2 },
      what: 'a cosigner is killed, and its state’s disk is read-only when it starts again; writable after 2 s',
    },
    async ({ ground, hosts }) => {
      const cosigner = named(ground, 'cosigner-1');
      await ground.kill(cosigner);
      ground.later(() => hosts.state.writable());
      hosts.state.readOnly();
      await cosigner.start().catch(() => undefined);
      await delay(2_000);
      if (cosigner.running) await ground.kill(cosigner);
      hosts.state.writable();
    },
  ),
  fullLog('disk-full/log-cosigner', 'cosigner-2', false),
  fullLog('disk-full/log-leader', 'sentry-link-2', true),
  stalled('log-stalled/cosigner', 'cosigner-1', false),
  stalled('log-stalled/leader', 'sentry-link-1', true),
  onHosts(
    {
      ...{ name: 'dns-dead/node', ground: 'hosts', goal: { gapMs: 2_000, missed: 0 }, mayMiss: 0, faults: 2 },
      what: 'no name can be looked up for 5 s, and the node’s connection is reset meanwhile',
    },
    async ({ ground, hosts }) => {
      const wires = ground.wiresToNodes(await ground.leader());
      ground.later(() => hosts.dns.revive());
      hosts.dns.die();
      await Promise.all(wires.map((wire) => wire.reset()));
      await delay(RESET_MS);
      for (const wire of wires) await wire.heal();
      await delay(5_000);
      hosts.dns.revive();
    },
  ),
  onHosts(
    {
      ...{ name: 'dns-dead/cosigner', ...FREE, faults: 2 },
      what: 'no name can be looked up for 5 s, and a cosigner’s connection to the leading link is reset meanwhile',
    },
    async ({ ground, hosts, random }) => {
      const wire = ground.wire(await ground.leader(), random.pick(ground.cluster.cosigners).name);
      ground.later(() => hosts.dns.revive());
      hosts.dns.die();
      await wire.reset();
      await delay(RESET_MS);
      await wire.heal();
      await delay(5_000);
      hosts.dns.revive();
    },
  ),
  onHosts(
    {
      ...{ name: 'dns-dead/leader-killed', ground: 'hosts', goal: LEADER_KILLED, mayMiss: 1, faults: 2 },
      what: 'no name can be looked up for 5 s, and the leading link is killed meanwhile: the standby has to dial the node',
    },
    async ({ ground, hosts }) => {
      // One that has never led has never dialled the node.
      const standby = await ground.standby();
      await standby.stop();
      await standby.start();
      await delay(1_000);
      const leader = await ground.leader();
      ground.later(() => hosts.dns.revive());
      hosts.dns.die();
      await ground.kill(leader);
      await delay(5_000);
      hosts.dns.revive();
      await leader.start();
    },
  ),
  onHosts(
    {
      ...{ name: 'clock/jumps', ...FREE, faults: 4, short: true },
      what: 'the wall clocks of a cosigner and of a link jump by an hour to two years, there and back, four times',
    },
    async ({ ground, hosts, random }) => {
      const right = (): void => {
        for (const clock of hosts.clocks) clock.step(0);
      };
      ground.later(right);
      for (let i = 0; i < 4; i++) {
        for (const clock of hosts.clocks) clock.step(random.pick(HOURS));
        await delay(600);
      }
      right();
    },
  ),
  onHosts(
    {
      ...{ name: 'clock/wrong-at-start', ...FREE, faults: 2 },
      what: 'a cosigner is killed and starts again with a wall clock that is off by an hour to two years',
    },
    async ({ ground, hosts, random }) => {
      const cosigner = named(ground, 'cosigner-3');
      ground.later(() => {
        for (const clock of hosts.clocks) clock.step(0);
      });
      for (const clock of hosts.clocks) clock.step(random.pick(HOURS));
      await ground.kill(cosigner);
      await cosigner.start();
      await delay(1_500);
    },
  ),
];
