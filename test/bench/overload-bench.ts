import { setTimeout as delay } from 'node:timers/promises';
import type { PrivvalResponse } from '../../src/shared/privval/response.js';
import { checkBallot } from '../../src/dev/model-node/ballot-check.js';
import type { Bench } from './bench.js';
import { withCluster } from './cluster.js';
import type { NodeSide } from './node-side.js';
import { resultOf } from './result.js';
import { OtherLoad } from './usage.js';
import { Ballots } from './voter.js';

/** As many as a chain may have. */
const NODES = 16;
/** One being signed, four waiting: what a connection may have on the way before it is ended. */
const ON_THE_WAY = 5;
const TIMES = 10;

interface Tally {
  asked: number;
  signed: number;
  refused: number;
  unanswered: number;
  wrong: number;
  readonly latencies: number[];
}

/** Ten times of what one chain can do, asked by 16 nodes at once: each request is answered, signed or refused. */
export const overload: Bench = {
  names: ['overload', 'overload/signed'],
  run: ({ effort, folder, add }) =>
    withCluster({ folder, name: 'overload', threshold: 2, cosigners: 3, nodes: NODES }, async (bench) => {
      const { voter, nodes, publicKey } = bench;
      await voter.votes(effort.warmUp);
      const from = performance.now();
      const alone = (await voter.until(from + 2_000)).length / ((performance.now() - from) / 1000);
      voter.check();

      const load = new OtherLoad(bench.pids);
      const ballots = new Ballots(voter.chainId);
      // Above everything that was asked before.
      ballots.skipTo(50_000n);
      const tally: Tally = { asked: 0, signed: 0, refused: 0, unanswered: 0, wrong: 0, latencies: [] };
      const start = performance.now();
      const checks: (() => void)[] = [];
      const answers: Promise<void>[] = [];
      let wanted = 0;
      while (performance.now() - start < effort.seconds * 1000) {
        wanted = Math.floor(((performance.now() - start) / 1000) * alone * TIMES);
        for (const node of nodes) {
          while (node.outstanding < ON_THE_WAY && tally.asked < wanted)
            answers.push(ask(node, ballots, publicKey, tally, checks));
        }
        await delay(1);
      }
      await Promise.all(answers);
      for (const check of checks) check();
      const { asked, signed, refused, unanswered, wrong, latencies } = tally;
      const seconds = (performance.now() - start) / 1000;
      const lost = nodes.reduce((sum, node) => sum + node.lost, 0);
      add(
        resultOf({
          ...{ name: 'overload', unit: 'ms', samples: latencies },
          goal: { text: 'all answered', met: () => unanswered === 0 && wrong === 0 && lost === 0 && signed > 0 },
          note:
            `one chain did ${alone.toFixed(0)}/s; ${(wanted / seconds).toFixed(0)}/s wanted, ${(asked / seconds).toFixed(0)}/s asked ` +
            `(${NODES} nodes, ${ON_THE_WAY} on the way each): ${signed} signed, ${refused} refused, ${unanswered} unanswered, ` +
            `${wrong} wrong signatures, ${lost} connections lost. ${load.note}`,
        }),
      );
      add(resultOf({ name: 'overload/signed', unit: 'votes/s', samples: [signed / seconds] }));
      // It goes on as before.
      await bench.cluster.leader();
    }),
};

async function ask(
  node: NodeSide,
  ballots: Ballots,
  publicKey: Uint8Array,
  tally: Tally,
  checks: (() => void)[],
): Promise<void> {
  const ballot = ballots.next();
  tally.asked++;
  const from = performance.now();
  const response: PrivvalResponse | undefined = await node.ask(ballot.request);
  if (response === undefined) {
    tally.unanswered++;
    return;
  }
  tally.latencies.push(performance.now() - from);
  if (response.kind === 'refused') tally.refused++;
  else
    checks.push(() => {
      if (checkBallot(ballot, response, publicKey, '0.37').kind === 'signed') tally.signed++;
      else tally.wrong++;
    });
}
