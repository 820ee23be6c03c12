import { cpSync, lstatSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { must } from '../../src/shared/invariant.js';
import { AskedCluster } from '../support/asked-cluster.js';
import { cleanupAfterEach } from '../support/cleanup.js';

// A host that is put back to an old copy has forgotten what it signed. In 2 of 3 one such host is enough for a second block,
// unless somebody remembers: links keep the newest signature, and show it to every cosigner before it signs.
const cleanup = cleanupAfterEach();
const HEIGHT = 50n;
const A = { step: 'Precommit', height: HEIGHT, block: 'A' } as const;
const B = { ...A, block: 'B' } as const;

interface Row {
  readonly writes: number;
  /** Below the home of cosigner 1. */
  readonly folder: string;
  readonly links: 'go on' | 'restart';
}

it.each<[name: string, row: Row]>([
  ['its state by one write', { writes: 1, folder: 'state', links: 'restart' }],
  ['its state by two writes, the links go on', { writes: 2, folder: 'state', links: 'go on' }],
  ['its state by a hundred writes', { writes: 100, folder: 'state', links: 'restart' }],
  ['its whole home', { writes: 4, folder: '.', links: 'restart' }],
])('cosigner 1 is put back, %s: no second block', async (_name, { writes, folder, links }) => {
  const at = await AskedCluster.start(cleanup, { name: 'back', links: 2 });
  const [first, second, third] = at.cluster.cosigners.map((one) => must(one, 'three'));
  if (first === undefined || second === undefined || third === undefined) throw new Error('three cosigners');
  await at.signed({ step: 'Precommit', height: HEIGHT - 1n });
  process.kill(third.pid, 'SIGSTOP');
  const [home, copy] = [join(first.home, folder), at.folder.file('copy')];
  const save = (): void => cpSync(home, copy, { recursive: true, filter: (path) => !lstatSync(path).isSocket() });
  for (let round = 0; round < writes - 1; round++) {
    if (round === 0) save();
    await at.signedAtLast({ step: 'Precommit', height: HEIGHT, round, block: 'nil' });
  }
  if (writes === 1) save();
  const place = { round: writes };
  await at.signedAtLast({ ...A, ...place });
  await delay(1_000);

  await first.crash();
  rmSync(home, { recursive: true });
  cpSync(copy, home, { recursive: true });
  process.kill(second.pid, 'SIGSTOP');
  process.kill(third.pid, 'SIGCONT');
  if (links === 'restart') {
    for (const link of at.cluster.links) await link.crash();
    for (const link of at.cluster.links) await link.start();
  }
  await first.start();
  await at.node.connected(15_000);
  for (let times = 0; times < 5; times++) {
    const answer = await at.ask({ ...B, ...place }).catch(() => undefined);
    expect(answer?.kind).not.toBe('signed');
    await delay(300);
  }

  process.kill(second.pid, 'SIGCONT');
  await at.signedAtLast({ step: 'Precommit', height: HEIGHT + 1n });
  expect((await at.refused({ ...B, ...place })).error).toMatch(/_REGRESSION|^DOUBLE_SIGN/);
});
