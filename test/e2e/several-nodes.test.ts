import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { AskedCluster } from '../support/asked-cluster.js';
import { AskingNode, type SignAnswer } from '../support/asking-node.js';
import { cleanupAfterEach } from '../support/cleanup.js';
import { eventually } from '../support/eventually.js';
import { runHekate, type HekateRun } from '../support/run-hekate.js';

const cleanup = cleanupAfterEach();
const LOST_MS = 1_500;
const STILL_MS = 3_000;

interface Two {
  readonly at: AskedCluster;
  readonly first: AskingNode;
  readonly second: AskingNode;
  readonly ask: (node: AskingNode, height: bigint) => Promise<SignAnswer>;
}

/** A cluster whose chain has two nodes, of which the first is served. */
async function twoNodes(name: string): Promise<Two> {
  const second = await AskingNode.listen('tcp', `${name}-1`);
  cleanup.add(() => second.close());
  const at = await AskedCluster.start(cleanup, {
    name,
    links: 1,
    prepare: (cluster) => {
      for (const { home } of cluster.links) {
        const file = join(home, 'sentry-link.toml');
        const text = readFileSync(file, 'utf8')
          .replace(/^nodes = \[(.*)\]$/m, `nodes = [$1, "${second.address}"]`)
          .replace(/^# node_lost_ms = \d+/m, `node_lost_ms = ${LOST_MS}`)
          .replace(/^# node_still_ms = \d+/m, `node_still_ms = ${STILL_MS}`);
        writeFileSync(file, text);
      }
    },
  });
  await second.connected(10_000);
  const ask = (node: AskingNode, height: bigint): Promise<SignAnswer> =>
    node.vote(at.vote({ step: 'Prevote', height }));
  await at.signed({ step: 'Prevote', height: 1n });
  return { at, first: at.node, second, ask };
}

/** Which nodes are served, as `hekate status` has it. */
async function served({ at }: Two): Promise<readonly (readonly [address: string, because: string])[]> {
  const { stdout } = await runHekate(['status', at.cluster.links[0]!.home, '--json']);
  const [one] = JSON.parse(stdout) as [{ status: { nodes: { address: string; served: boolean; because: string }[] } }];
  return one.status.nodes.flatMap((node) => (node.served ? [[node.address, node.because] as const] : []));
}

const events = ({ at }: Two, event: string): readonly unknown[] =>
  at.cluster.links[0]!.events().flatMap(({ event: is, ...fields }) => (is === event ? [fields['node']] : []));

describe('a chain with two nodes', () => {
  it('one that only pings gives its place to one that goes on, and each change is told once', async () => {
    const two = await twoNodes('nodes-still');
    const { first, second, ask } = two;
    const refused: string[] = [];
    let height = 2n;
    await eventually('the second one is served', 10_000, async () => {
      await first.ping();
      const answer = await ask(second, ++height);
      if (answer.kind === 'signed') return true;
      refused.push(answer.error);
      await delay(100);
      return undefined;
    });
    expect(new Set(refused)).toEqual(new Set([`NODE_NOT_SERVED: ${first.address} is served: it asked first`]));
    expect(refused.length).toBeGreaterThan(1);
    expect(await second.publicKey()).toEqual(await first.publicKey());
    for (let i = 0n; i < 3n; i++)
      expect(await ask(first, height + i)).toMatchObject({
        error: `NODE_NOT_SERVED: ${second.address} is served: ${first.address} stood still`,
      });
    expect(await served(two)).toEqual([[second.address, `${first.address} stood still`]]);
    expect(events(two, 'node served')).toEqual([first.address, second.address]);
    expect(events(two, 'not the node that is served')).toEqual([second.address, first.address]);
  });

  it('one that blinks keeps its place, one that is gone loses it', async () => {
    const two = await twoNodes('nodes-flap');
    const { first, second, ask } = two;
    for (let height = 2n; height < 5n; height++) {
      first.drop();
      expect(await ask(second, height)).toMatchObject({ kind: 'refused' });
      await first.connected(10_000);
      expect(await ask(first, height)).toMatchObject({ kind: 'signed' });
    }
    expect(await served(two)).toEqual([[first.address, 'it asked first']]);
    await first.close();
    await eventually('the second one is served', 10_000, async () => {
      const answer = await ask(second, 5n);
      return answer.kind === 'signed' ? true : void (await delay(100));
    });
    expect(await served(two)).toEqual([[second.address, `${first.address} was lost`]]);
  });

  it('hekate node use takes one from the next height on, and refuses what it does not know', async () => {
    const two = await twoNodes('nodes-use');
    const { at, first, second, ask } = two;
    const home = at.cluster.links[0]!.home;
    const use = (...args: readonly string[]): Promise<HekateRun> => runHekate(['node', 'use', ...args]);
    const refusals: readonly (readonly [what: string, args: readonly string[], code: RegExp])[] = [
      ['unknown', ['10.9.9.9', home], /^NODE_UNKNOWN: no node is named "10\.9\.9\.9": tcp:.*, tcp:.*\. Fix: name one/],
      ['two of that host', ['127.0.0.1', home], /^NODE_UNKNOWN: several nodes are named/],
      ['another chain', [second.address, home, '--chain', 'other'], /^NODE_UNKNOWN: .* no chain of that id/],
      ['a cosigner', [second.address, at.cluster.cosigners[0]!.home], /^NOT_RUNNING: no sentry-link runs/],
      ['no node', [], /^USAGE: /],
    ];
    for (const [what, args, code] of refusals) {
      const run = await use(...args);
      expect(run.stderr, what).toMatch(code);
      expect(run.code, what).not.toBe(0);
    }
    expect(await served(two)).toEqual([[first.address, 'it asked first']]);

    expect(await use(second.address, home)).toMatchObject({
      code: 0,
      stdout: `${at.chainId}: ${second.address} is served in place of ${first.address}, from the next height on\n`,
    });
    expect(await ask(second, 1n)).toMatchObject({
      error: expect.stringMatching(
        `^NODE_NOT_SERVED: ${first.address} finishes this height, ${second.address} is served from the next one on: `,
      ) as string,
    });
    expect(await ask(second, 2n)).toMatchObject({ kind: 'signed' });
    expect(await ask(first, 2n)).toMatchObject({
      error: `NODE_NOT_SERVED: ${second.address} is served: it was chosen with \`hekate node use\``,
    });
    const back = await use(first.address.replace('tcp://', ''), at.cluster.folder, '--json');
    expect(JSON.parse(back.stdout)).toEqual([{ chainId: at.chainId, node: first.address, before: second.address }]);
    expect(await ask(first, 3n)).toMatchObject({ kind: 'signed' });
  });
});
