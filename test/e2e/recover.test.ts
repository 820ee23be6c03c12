import { rmSync } from 'node:fs';
import { beforeAll, expect, it } from 'vitest';
import { must } from '../../src/shared/invariant.js';
import { AskedCluster } from '../support/asked-cluster.js';
import { cleanupAfterAll } from '../support/cleanup.js';
import { eventually } from '../support/eventually.js';
import type { HekateProcess } from '../support/hekate-cluster.js';
import { newRunFolder } from '../support/run-folder.js';
import { runHekate } from '../support/run-hekate.js';

// Two of three, one host gone for good and the other rebooted: an operator who does not want to wait for a height to be sat out.
const cleanup = cleanupAfterAll();
let at: AskedCluster;
let first: HekateProcess;

const recover = (height: number): ReturnType<typeof runHekate> =>
  runHekate(['state', 'recover', first.home, '--chain-id', at.chainId, '--height', `${height}`]);
const status = async (): Promise<string> => (await runHekate(['status', first.home])).stdout;

beforeAll(async () => {
  const runFolder = newRunFolder(cleanup);
  const env = (name: string): Record<string, string> => (name === 'cosigner-1' ? { RUNTIME_DIRECTORY: runFolder } : {});
  at = await AskedCluster.start(cleanup, { name: 'recover', links: 1, env });
  first = must(at.cluster.cosigners[0], 'cosigner 1');
  await at.signed({ step: 'Precommit', height: 20n });
  await must(at.cluster.cosigners[2], 'cosigner 3').crash();
  await first.crash();
  rmSync(runFolder, { recursive: true });
});

it('of a cosigner that does not run: its watermark is raised, and never lowered', async () => {
  const raised = await recover(21);
  expect(raised).toMatchObject({ code: 0 });
  expect(raised.stdout).toMatch(/raised; the watermark is all of height 21\n {2}its next start waits/);
  expect((await recover(20)).stdout).toMatch(/unchanged; the watermark is all of height 21/);
});

it('it waits, says for whom, and is recovered while it runs', async () => {
  await first.start();
  const says = await eventually('it has heard one of the others', 20_000, async () => {
    const text = await status();
    return text.includes('heard 1 of 2 others') ? text : undefined;
  });
  expect(says).toMatch(/problem: WAITING: chain recover-1: waiting: heard 1 of 2 others \(3 is not within reach\)/);
  expect((await at.refused({ step: 'Precommit', height: 22n })).error).toMatch(
    /QUORUM_LOST.*1 still waits after a start/,
  );

  const done = await recover(22);
  expect(done.stdout).toMatch(/waits no longer; the watermark is all of height 22\n.*not within reach: cosigners 3\n/);
  expect((await at.refused({ step: 'Precommit', height: 22n })).error).toMatch(/DOUBLE_SIGN|_REGRESSION/);
  await at.signedAtLast({ step: 'Precommit', height: 23n });
  expect(await status()).not.toContain('problem');
});

it.each<[name: string, args: readonly string[], code: string]>([
  ['once it waits no longer', ['--chain-id', 'recover-1', '--height', '23'], 'NOT_WAITING'],
  ['of a chain that it does not have', ['--chain-id', 'other-1', '--height', '23'], 'USAGE'],
  ['at no height', ['--chain-id', 'recover-1', '--height', 'x'], 'USAGE'],
])('%s it is refused', async (_name, args, code) => {
  const run = await runHekate(['state', 'recover', first.home, ...args]);
  expect(run.code).not.toBe(0);
  expect(run.stderr).toContain(code);
});
