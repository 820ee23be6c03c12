import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { must } from '../../src/shared/invariant.js';
import { AskedCluster } from '../support/asked-cluster.js';
import { cleanupAfterEach } from '../support/cleanup.js';
import type { HekateProcess } from '../support/hekate-cluster.js';
import { Middle } from '../support/middle.js';

const cleanup = cleanupAfterEach();

/** Puts a middle of its own before each cosigner that a link dials. */
async function middlesFor(link: HekateProcess, ports: readonly number[]): Promise<readonly Middle[]> {
  const middles = await Promise.all(ports.map((port) => Middle.listen(port)));
  cleanup.add(() => Promise.all(middles.map((middle) => middle.close())));
  const file = join(link.home, 'sentry-link.toml');
  const text = ports.reduce(
    (before, port, index) => before.replace(`127.0.0.1:${port}"`, `127.0.0.1:${middles[index]?.port}"`),
    readFileSync(file, 'utf8'),
  );
  writeFileSync(file, text);
  return middles;
}

// A firewall that says "refused" looks like processes that do not run. The leader has the node's only connection.
it.each([
  { refusing: [0, 1], what: 'two', reason: /^another sentry-link leads in term \d|^no quorum: 1 of 3 / },
  { refusing: [0, 1, 2], what: 'all', reason: /^no quorum: 0 of 3 cosigners within reach/ },
])(
  'the ports of $what of three living cosigners refuse the leader: the other link signs',
  async ({ refusing, reason }) => {
    const middles = new Map<HekateProcess, readonly Middle[]>();
    const at = await AskedCluster.start(cleanup, {
      name: 'refusing-ports',
      prepare: async ({ links, ports }) => {
        for (const link of links) middles.set(link, await middlesFor(link, ports));
      },
    });
    await at.signed({ step: 'Precommit', height: 1n });
    const leader = await at.cluster.leader();
    await Promise.all(refusing.map((index) => must(middles.get(leader)?.[index], 'a middle').close()));
    await at.signedAtLast({ step: 'Precommit', height: 2n }, 20_000);
    const told = leader.events().filter(({ event }) => event === 'lease lost');
    expect(told).toMatchObject([{ reason: expect.stringMatching(reason) as unknown }]);
    expect(await at.cluster.leader()).not.toBe(leader);
    for (let height = 3n; height < 8n; height++) await at.signed({ step: 'Precommit', height });
  },
);
