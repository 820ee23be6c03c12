import { closeSync, ftruncateSync, mkdirSync, openSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { AskedCluster } from '../support/asked-cluster.js';
import { cleanupAfterEach } from '../support/cleanup.js';
import { HekateCluster } from '../support/hekate-cluster.js';
import { TestFolder } from '../support/project.js';
import { runHekate } from '../support/run-hekate.js';
import { fillDisk, needsMount, putOnSmallDisk } from '../support/tmpfs.js';
import { writeValidatorKey } from '../support/validator-key.js';
import { wrongClock } from '../support/wrong-clock.js';

const cleanup = cleanupAfterEach();

it('a full disk stops nobody while old pages can be overwritten; a write that fails means no signature', async (context) => {
  const folder = new TestFolder('mount');
  cleanup.add(() => folder.remove());
  needsMount(context, folder.path);
  let state = '';
  const at = await AskedCluster.start(cleanup, {
    name: 'disk',
    prepare: ({ cosigners }) => {
      state = join(cosigners[0]?.home ?? '', 'state');
      putOnSmallDisk(state, cleanup);
    },
  });
  const [first, , third] = at.cluster.cosigners;
  await third?.crash();
  await at.signedAtLast({ step: 'Prevote', height: 1n });
  fillDisk(state);
  await at.signed({ step: 'Prevote', height: 2n });
  await at.signed({ step: 'Precommit', height: 2n });

  // A file system that writes every change to a new place has none left: the same as holes in the file on a full disk.
  await third?.start();
  punchHoles(join(state, `${at.chainId}.watermark`));
  fillDisk(state);
  for (let height = 3n; height < 8n; height++) await at.signedAtLast({ step: 'Prevote', height });
  await third?.crash();
  const answer = await at.ask({ step: 'Precommit', height: 8n });
  expect(answer).toMatchObject({ kind: 'refused', error: expect.stringContaining('STATE_WRITE_FAILED') as unknown });
  expect(first?.running).toBe(true);
  await third?.start();
  await at.signedAtLast({ step: 'Precommit', height: 8n });

  const errors = first?.events().filter(({ level }) => level === 'error') ?? [];
  expect(errors).toHaveLength(1);
  expect(errors[0]).toMatchObject({ code: 'STATE_WRITE_FAILED', chain: at.chainId });
  // It does not come back by itself either: what the disk holds is unknown.
  await first?.crash();
  await expect(first?.start()).rejects.toThrow(/STATE_(CORRUPT|WRITE_FAILED): /);
});

it('a state is not made on a full disk; with room on it, it is, and a cosigner runs on it', async (context) => {
  const folder = new TestFolder('full');
  cleanup.add(() => folder.remove());
  needsMount(context, folder.path);
  const { keyFile } = writeValidatorKey(folder.path);
  const nodeAddress = `unix://${folder.file('node.sock')}`;
  const cluster = await HekateCluster.create({ folder: folder.path, chainId: 'full-1', nodeAddress, keyFile });
  const [cosigner] = cluster.cosigners;
  const home = cosigner?.home ?? '';
  const state = join(home, 'state');
  rmSync(state, { recursive: true });
  mkdirSync(state, { mode: 0o700 });
  putOnSmallDisk(state, cleanup);
  fillDisk(state);
  const init = ['state', 'init', home, '--chain-id', 'full-1', '--height', '7'];
  const refused = await runHekate(init);
  expect(refused.stderr).toMatch(
    /^STATE_WRITE_FAILED: .*ENOSPC.*\. Fix: check the disk \(full, .*run the command again\n$/,
  );
  expect(refused.code).toBe(1);
  for (const name of readdirSync(state)) rmSync(join(state, name));
  expect(await runHekate(init)).toMatchObject({ code: 0 });
  await cosigner?.start();
  expect(await cosigner?.stop()).toBe(0);
});

it('wall clocks that are hours off, and step while votes are signed, change nothing', async () => {
  const folder = new TestFolder('clock');
  cleanup.add(() => folder.remove());
  const clocks = new Map(['cosigner-1', 'sentry-link-1'].map((name) => [name, wrongClock(folder.path, name)]));
  const step = (hours: number): void => {
    for (const clock of clocks.values()) clock.step(hours);
  };
  step(-1);
  const at = await AskedCluster.start(cleanup, {
    name: 'clock',
    links: 1,
    cosigners: 2,
    env: (name) => clocks.get(name)?.env ?? {},
  });
  let height = 0n;
  for (const hours of [-1, 2, -10_000, 100_000, 0]) {
    step(hours);
    for (let i = 0; i < 20; i++) await at.signed({ step: 'Prevote', height: ++height });
  }
  const [cosigner] = at.cluster.cosigners;
  const [link] = at.cluster.links;
  // The fault was real: their logs carry the wrong hours.
  const times = link?.events().map(({ time }) => Date.parse(String(time)) - Date.now()) ?? [];
  const hoursOff = new Set(times.map((ms) => Math.round(ms / 3_600_000)));
  expect([...hoursOff].sort((a, b) => a - b)).toEqual([-10_000, -1, 0, 2, 100_000]);
  // A connection may be lost on a machine that stands still, but not with each step.
  const lost = [link, cosigner]
    .flatMap((process) => process?.events() ?? [])
    .filter(({ event }) => / lost$/.test(event));
  expect(lost.length).toBeLessThan(2);
});

function punchHoles(file: string): void {
  const fd = openSync(file, 'r+');
  ftruncateSync(fd, 0);
  ftruncateSync(fd, 8192);
  closeSync(fd);
}
