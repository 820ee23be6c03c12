import { setTimeout as delay } from 'node:timers/promises';
import type { Prng } from '../sim/prng.js';
import type { Ground } from './ground.js';
import { ANY, type Goal, type Scenario } from './scenario.js';
import { LEADER_FROZEN, LEADER_KILLED, NODE_AWAY, NOTHING } from './process-scenarios.js';
import type { Wire } from './wires.js';

/** Between which ends. */
type Where = 'leader-cosigner' | 'leader-cosigners' | 'standby-cosigners' | 'leader-node' | 'all';

const BETWEEN: Readonly<Record<Where, string>> = {
  'leader-cosigner': 'between the leading link and one cosigner',
  'leader-cosigners': 'between the leading link and all cosigners',
  'standby-cosigners': 'between the standby and all cosigners',
  'leader-node': 'between the leading link and the node',
  all: 'everywhere',
};

async function wiresAt(where: Where, ground: Ground, random: Prng): Promise<readonly Wire[]> {
  switch (where) {
    case 'leader-cosigner':
      return [ground.wire(await ground.leader(), random.pick(ground.cluster.cosigners).name)];
    case 'leader-cosigners':
      return ground.wiresToCosigners(await ground.leader());
    case 'standby-cosigners':
      return ground.wiresToCosigners(await ground.standby());
    case 'leader-node':
      return ground.wiresToNodes(await ground.leader());
    case 'all':
      return ground.cluster.links.flatMap((link) => [...ground.wiresToCosigners(link), ...ground.wiresToNodes(link)]);
  }
}

interface Row {
  readonly name: string;
  readonly where: Where;
  readonly how: string;
  readonly seconds: number;
  readonly goal: Goal;
  readonly mayMiss: number;
  readonly short?: true;
  /** Once nothing has been broken for a while: a stream that has lasted is dialled again at once when it is lost. */
  readonly lasted?: true;
  readonly hurt: (wire: Wire) => Promise<void>;
}

const LINK_CUT_OFF = { goal: LEADER_FROZEN, mayMiss: 1 };
const FREE = { goal: NOTHING, mayMiss: 0 };
const AWAY = { goal: NODE_AWAY, mayMiss: 0 };
const silent = (wire: Wire): Promise<void> => wire.silence('both');
const deaf = (wire: Wire): Promise<void> => wire.silence('to the link');
const dumb = (wire: Wire): Promise<void> => wire.silence('from the link');

/** Longer than what sentry-link/cosigners/redial-delay.ts takes for lasting. */
const LASTED_MS = 10_500;

const ROWS: readonly Row[] = [
  {
    name: 'partition/one-cosigner',
    where: 'leader-cosigner',
    how: 'silence both ways',
    seconds: 4,
    ...FREE,
    short: true,
    hurt: silent,
  },
  {
    name: 'partition/one-cosigner-to',
    where: 'leader-cosigner',
    how: 'silence towards the link',
    seconds: 4,
    ...FREE,
    hurt: deaf,
  },
  {
    name: 'partition/one-cosigner-from',
    where: 'leader-cosigner',
    how: 'silence towards the cosigner',
    seconds: 4,
    ...FREE,
    hurt: dumb,
  },
  {
    name: 'partition/leader',
    where: 'leader-cosigners',
    how: 'silence both ways',
    seconds: 6,
    ...LINK_CUT_OFF,
    hurt: silent,
  },
  {
    name: 'partition/leader-to',
    where: 'leader-cosigners',
    how: 'silence towards the link',
    seconds: 6,
    ...LINK_CUT_OFF,
    hurt: deaf,
  },
  {
    name: 'partition/leader-from',
    where: 'leader-cosigners',
    how: 'silence towards the cosigners',
    seconds: 6,
    ...LINK_CUT_OFF,
    hurt: dumb,
  },
  {
    name: 'partition/standby',
    where: 'standby-cosigners',
    how: 'silence both ways',
    seconds: 3,
    ...FREE,
    hurt: silent,
  },
  {
    name: 'partition/all',
    where: 'all',
    how: 'silence both ways',
    seconds: 3,
    goal: { missed: ANY },
    mayMiss: ANY,
    hurt: silent,
  },
  { name: 'half-open/node', where: 'leader-node', how: 'silence both ways', seconds: 7, ...AWAY, hurt: silent },
  { name: 'half-open/node-to', where: 'leader-node', how: 'silence towards the link', seconds: 7, ...AWAY, hurt: deaf },
  {
    name: 'half-open/node-from',
    where: 'leader-node',
    how: 'silence towards the node',
    seconds: 7,
    ...AWAY,
    hurt: dumb,
  },
  {
    name: 'latency/one-cosigner',
    where: 'leader-cosigner',
    how: '100 ms each way',
    seconds: 3,
    ...FREE,
    short: true,
    hurt: (wire) => wire.delay(100),
  },
  {
    name: 'latency/cosigners',
    where: 'leader-cosigners',
    how: '60 ms each way',
    seconds: 3,
    ...FREE,
    hurt: (wire) => wire.delay(60),
  },
  {
    name: 'latency/node',
    where: 'leader-node',
    how: '100 ms each way',
    seconds: 3,
    ...FREE,
    hurt: (wire) => wire.delay(100),
  },
  {
    name: 'jitter/cosigners',
    where: 'leader-cosigners',
    how: '50 ms give or take 50',
    seconds: 3,
    ...FREE,
    hurt: (wire) => wire.delay(50, 50),
  },
  {
    name: 'jitter/all',
    where: 'all',
    how: '30 ms give or take 30',
    seconds: 3,
    ...FREE,
    hurt: (wire) => wire.delay(30, 30),
  },
  {
    name: 'bandwidth/one-cosigner',
    where: 'leader-cosigner',
    how: '2 KB/s',
    seconds: 4,
    ...FREE,
    hurt: (wire) => wire.narrow(2),
  },
  {
    name: 'bandwidth/cosigners',
    where: 'leader-cosigners',
    how: '64 KB/s',
    seconds: 3,
    ...FREE,
    hurt: (wire) => wire.narrow(64),
  },
  {
    name: 'reset/one-cosigner',
    where: 'leader-cosigner',
    how: 'RST, also for new connections',
    seconds: 1,
    ...FREE,
    short: true,
    hurt: (wire) => wire.reset(),
  },
  {
    name: 'reset/cosigners',
    where: 'leader-cosigners',
    how: 'RST, also for new connections',
    seconds: 1,
    goal: LEADER_KILLED,
    mayMiss: 1,
    hurt: (wire) => wire.reset(),
  },
  {
    name: 'reset/node',
    where: 'leader-node',
    how: 'RST, also for new connections',
    seconds: 0.5,
    ...AWAY,
    short: true,
    hurt: (wire) => wire.reset(),
  },
  {
    name: 'cut/cosigners',
    where: 'leader-cosigners',
    how: 'FIN, new connections refused',
    seconds: 4,
    ...LINK_CUT_OFF,
    lasted: true,
    hurt: (wire) => wire.cut(),
  },
  {
    name: 'cut/node',
    where: 'leader-node',
    how: 'FIN, new connections refused',
    seconds: 1,
    ...AWAY,
    hurt: (wire) => wire.cut(),
  },
];

function scenarioOf(row: Row, ground: 'asked' | 'real'): Scenario {
  const { name, where, how, seconds, goal, mayMiss, lasted = false, hurt } = row;
  return {
    ...{ name, ground, goal, mayMiss, ...(row.short && ground === 'asked' && { short: true }) },
    what: `${how} ${BETWEEN[where]}, for ${seconds} s${lasted ? '; the streams have lasted for 10 s' : ''}`,
    run: async ({ ground: at }, random) => {
      if (lasted) await delay(LASTED_MS);
      const wires = await wiresAt(where, at, random);
      await delay(random.between(0, 200));
      await Promise.all(wires.map(hurt));
      await delay(seconds * 1_000);
      for (const wire of wires) await wire.heal();
    },
  };
}

const FLAPPING: Scenario = {
  ...{ name: 'flap/one-cosigner', ground: 'asked', ...FREE, faults: 5 },
  what: 'the wire between the leading link and one cosigner is cut and whole again, five times in 3 s',
  run: async ({ ground }, random) => {
    const [wire] = await wiresAt('leader-cosigner', ground, random);
    for (let i = 0; i < 5; i++) {
      await wire?.cut();
      await delay(random.between(50, 400));
      await wire?.heal();
      await delay(random.between(50, 400));
    }
  },
};

const HALF_OPEN: Scenario = {
  ...{ name: 'half-open/node-restarted', ground: 'asked', ...AWAY, faults: 2 },
  what: 'silence between the leading link and the node, which restarts meanwhile: the link holds a connection of nobody, for 3 s',
  run: async ({ ground }) => {
    const wires = ground.wiresToNodes(await ground.leader());
    await Promise.all(wires.map((wire) => wire.silence('both')));
    await ground.validator.crashNode();
    await ground.validator.startNode();
    await delay(3_000);
    for (const wire of wires) await wire.heal();
  },
};

const ON_REAL_NODES: ReadonlySet<string> = new Set([
  ...['partition/leader', 'half-open/node', 'reset/node', 'latency/node', 'jitter/all', 'cut/node'],
]);

export const NETWORK_SCENARIOS: readonly Scenario[] = [
  ...ROWS.map((row) => scenarioOf(row, 'asked')),
  FLAPPING,
  HALF_OPEN,
  ...ROWS.filter(({ name }) => ON_REAL_NODES.has(name)).map((row) => scenarioOf(row, 'real')),
];
