import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { checkCommits } from '../support/commit-check.js';
import { cometBinary, type CometVersion } from '../support/comet-home.js';
import { createSingleNode, type CometNode } from '../support/comet-node.js';
import { HekateCluster } from '../support/hekate-cluster.js';
import type { Bench, BenchContext } from './bench.js';
import { median, resultOf } from './result.js';
import { OtherLoad } from './usage.js';

const VERSIONS: readonly CometVersion[] = ['v0.37.2', 'v0.38.21'];
const NAME = 'node/blocks-per-second';
const WINDOW_MS = 1_000;
const CHECKED_BLOCKS = 20;

/** A real single validator at zero timeouts: its own FilePV, then hekate, then again; blocks a second and their ratio. */
export const realNode: Bench = {
  names: [NAME, ...VERSIONS.flatMap((version) => [`${NAME}/${version}/filepv`, `${NAME}/${version}/hekate`])],
  run: async (context) => {
    const ratios: number[] = [];
    const missing = VERSIONS.filter((version) => !existsSync(cometBinary(version)));
    for (const version of VERSIONS.filter((one) => !missing.includes(one))) {
      const own: number[] = [];
      const ours: number[] = [];
      const notes: string[] = [];
      for (let run = 0; run < (context.effort.quick ? 1 : 2); run++) {
        own.push(...(await blocksPerSecond(context, version, false, run, notes)));
        ours.push(...(await blocksPerSecond(context, version, true, run, notes)));
      }
      ratios.push(median(ours) / median(own));
      const note = [...new Set(notes)].join('; ');
      context.add(resultOf({ name: `${NAME}/${version}/filepv`, unit: 'blocks/s', samples: own }));
      context.add(resultOf({ name: `${NAME}/${version}/hekate`, unit: 'blocks/s', samples: ours, note }));
    }
    const list = ratios.map((ratio, i) => `${ratio.toFixed(2)} with ${VERSIONS[i] ?? ''}`).join(', ');
    const hint = missing.length === 0 ? '' : `; no ${missing.join(', ')}: 'node scripts/fetch-nodes.mjs' builds them`;
    context.add(
      resultOf({
        ...{ name: NAME, unit: 'of FilePV', samples: ratios, note: `${list}${hint}` },
        goal: { text: 'each >= 0.7', met: () => Math.min(...ratios) >= 0.7 },
      }),
    );
  },
};

/** Rates of each second, after a warm-up. */
async function blocksPerSecond(
  { effort, folder }: BenchContext,
  version: CometVersion,
  remote: boolean,
  run: number,
  notes: string[],
): Promise<readonly number[]> {
  const chainId = `bench-${version}`;
  const below = join(folder, `node-${version}-${remote ? 'hekate' : 'file'}-${run}`);
  mkdirSync(below, { recursive: true });
  const privval = remote ? 'tcp' : 'file';
  const node = await createSingleNode({ version, folder: below, chainId, privval, voteExtensions: false });
  let cluster: HekateCluster | undefined;
  try {
    if (remote) {
      const { privvalAddress: nodeAddress = '', key } = node;
      const keyFile = key?.keyFile ?? '';
      cluster = await HekateCluster.create({ folder: below, chainId, nodeAddress, keyFile, unwatched: true });
    }
    node.start();
    await cluster?.start();
    await node.waitForHeight(50, 60_000);
    await delay(effort.quick ? 2_000 : 4_000);
    // The node's own use of the machine belongs to the figure, so that only a rough word on the rest is possible.
    const rates = await watch(node, effort.seconds);
    await check(node, chainId);
    return rates;
  } finally {
    await node.stop();
    if (cluster !== undefined) {
      const load = new OtherLoad([]);
      await delay(500);
      if (load.cores > 0.3) notes.push(`others used ${load.cores.toFixed(2)} cores after a run`);
      await cluster.stop();
    }
  }
}

async function watch(node: CometNode, seconds: number): Promise<readonly number[]> {
  const rates: number[] = [];
  let [height, at] = [await node.rpc.height(), performance.now()];
  for (let window = 0; window < seconds; window++) {
    await delay(WINDOW_MS);
    const [nextHeight, nextAt] = [await node.rpc.height(), performance.now()];
    rates.push(((nextHeight - height) / (nextAt - at)) * 1000);
    [height, at] = [nextHeight, nextAt];
  }
  return rates;
}

/** Only a node whose blocks carry our signatures, all in round 0, has measured anything. */
async function check(node: CometNode, chainId: string): Promise<void> {
  const to = (await node.rpc.height()) - 2;
  const { rpc, publicKey, validator } = node;
  const range = { from: to - CHECKED_BLOCKS, to };
  const { problems } = await checkCommits({ rpc, chainId, address: validator.address, publicKey, ...range });
  if (problems.length > 0) throw new Error(problems.join('\n'));
}
