import { setTimeout as delay } from 'node:timers/promises';
import { must } from '../../src/shared/invariant.js';
import type { Ground } from './ground.js';
import type { Scenario } from './scenario.js';

/**
 * The served node is lost: the second one takes over. `node_lost_ms` is 3 s, and the network may be waiting for a proposal of ours
 * then, for three more (timeout_propose). The goal is for blocks of a chain; here two are made a second.
 */
const SWITCHED = { ground: 'four', goal: { gapMs: 5_000, missed: 2 }, mayMiss: 6 } as const;
/**
 * Its connection is there, and it stands still: `node_still_ms` is 5 s, and the other node must have been ahead for half of that,
 * which it is not while the height waits for the proposal of the one that froze. Then the same may come on top.
 */
const STOOD_STILL = { ground: 'four', goal: { gapMs: 12_000, missed: 8 }, mayMiss: 8 } as const;
/** A commit waits half a second for late precommits, and no longer: what is in time for a goal may be too late for that. */
const TOO_LATE_FOR_A_COMMIT = { gapMs: 1_500, missed: 0 };
const FREE = { ground: 'four', goal: { missed: 0 }, mayMiss: 0 } as const;

function otherNode(ground: Ground): number {
  return must(
    ground.validator.ports.map((_, i) => i).find((i) => i !== ground.validator.servedNode()),
    'there are two nodes',
  );
}

const ROWS: readonly Scenario[] = [
  {
    ...{ name: 'kill/served-node', ...SWITCHED },
    what: 'kill -9 of the node that is served; started again after 12 s',
    run: async ({ ground }) => {
      const served = ground.validator.servedNode();
      await ground.validator.crashNode(served);
      await delay(12_000);
      await ground.validator.startNode(served);
      await delay(3_000);
    },
  },
  {
    ...{ name: 'kill/other-node', ...FREE },
    what: 'kill -9 of the node that is not served; started again after 2 s',
    run: async ({ ground }) => {
      const other = otherNode(ground);
      await ground.validator.crashNode(other);
      await delay(2_000);
      await ground.validator.startNode(other);
      await delay(3_000);
    },
  },
  {
    ...{ name: 'freeze/served-node', ...STOOD_STILL },
    what: 'SIGSTOP of the node that is served, SIGCONT after 15 s',
    run: async ({ ground }) => {
      ground.validator.freezeNode(ground.validator.servedNode());
      await delay(15_000);
      ground.validator.thawNodes();
      await delay(3_000);
    },
  },
  {
    ...{ name: 'partition/served-node', ...STOOD_STILL },
    what: 'silence between all links and the node that is served, for 12 s; it goes on in its network',
    run: async ({ ground }) => {
      const served = ground.validator.servedNode();
      const wires = ground.cluster.links.map((link) => must(ground.wiresToNodes(link)[served], 'a wire to each node'));
      await Promise.all(wires.map((wire) => wire.silence('both')));
      await delay(12_000);
      for (const wire of wires) await wire.heal();
      await delay(3_000);
    },
  },
  {
    ...{ name: 'kill/leader', ground: 'four', goal: { ...TOO_LATE_FOR_A_COMMIT, missed: 1 }, mayMiss: 2 },
    what: 'kill -9 of the link that leads, back after 1 s',
    run: async ({ ground }) => {
      const leader = await ground.leader();
      await ground.kill(leader);
      await ground.leader();
      await delay(1_000);
      await leader.start();
      await delay(3_000);
    },
  },
  {
    ...{ name: 'restart/leader', ground: 'four', goal: TOO_LATE_FOR_A_COMMIT, mayMiss: 1 },
    what: 'SIGTERM of the link that leads, started again at once',
    run: async ({ ground }) => {
      const leader = await ground.leader();
      await leader.stop();
      await leader.start();
      await delay(3_000);
    },
  },
];

/** One validator of four on two nodes: what its own failover is for. */
export const NODE_SCENARIOS: readonly Scenario[] = [...ROWS];
