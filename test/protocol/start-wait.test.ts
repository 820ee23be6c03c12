import { describe, expect, it } from 'vitest';
import { MemoryRunFolder } from '../support/memory-run-folder.js';
import { at, HEIGHT, Scene, SETTLED_MS } from './scene.js';

// The promises themselves, row by row, are in promise-table.test.ts.

it('the other host is gone for good: one height is sat out, and the next one is signed', async () => {
  const scene = await Scene.start(2, 3);
  const { cluster } = scene;
  const before = scene.copies();
  await scene.onlyThere([1, 2]);
  expect(await scene.sign(HEIGHT, 'A')).toBe('signed 500');
  for (const id of [1, 2]) cluster.killCosigner(id);
  scene.putBack(1, before, 'rebooted');
  await scene.newLink();
  await scene.onlyThere([1, 3]);
  for (let passedMs = 0; passedMs < 40_000; passedMs += 5_000) {
    expect(await scene.sign(HEIGHT, 'B')).not.toMatch(/^signed/);
    await cluster.clock.pass(1_000);
  }
  expect(await scene.sign(HEIGHT, 'B')).not.toMatch(/^signed/);
  expect(await scene.sign(HEIGHT + 1)).toBe('signed 500');
  expect(cluster.logged('signs on: this height was sat out')).toMatchObject([{ height: BigInt(HEIGHT) }]);
  expect(scene.waiting()).toEqual([]);
  expect(await scene.sign(HEIGHT, 'B')).not.toMatch(/^signed/);
});

it('one host dead, another rebooted: requests are answered, and say what is waited for', async () => {
  const scene = await Scene.start(2, 3);
  scene.cluster.killCosigner(1);
  scene.cluster.cosigner(1).runFolder.clear();
  await scene.onlyThere([1, 3]);
  await scene.cluster.clock.pass(SETTLED_MS);
  const outcome = await scene.cluster.ask('a', at(HEIGHT));
  expect(outcome).toMatchObject({ kind: 'refused', code: 'QUORUM_LOST' });
  expect(outcome).toHaveProperty('message', expect.stringContaining('1 still waits after a start'));
  expect(scene.cluster.link('a').situation().chains[0]?.unable).toContainEqual({
    ...{ cosigner: 1, code: 'WAITING' },
    why: 'waiting: heard 1 of 2 others (2 is not within reach)',
  });
});

it('all processes are restarted, and no host: nobody waits at all', async () => {
  const scene = await Scene.start(3, 5);
  const { cluster, all } = scene;
  for (const id of all) cluster.killCosigner(id);
  const waits = cluster.logged('waits until it has heard the others').length;
  await scene.onlyThere(all);
  expect(cluster.logged('waits until it has heard the others')).toHaveLength(waits);
  expect(scene.waiting()).toEqual([]);
  expect(await scene.sign(HEIGHT)).toBe('signed 500');
});

describe('the run-time folder', () => {
  it('two of them in turn: what an earlier start left in the other one is gone', async () => {
    const scene = await Scene.start(2, 3);
    const { cluster } = scene;
    const host = cluster.cosigner(1);
    const first = host.runFolder;
    const before = scene.copies();
    cluster.killCosigner(1);
    // A start by hand with another folder, of the same host.
    const second = new MemoryRunFolder('/run/other', first.files);
    host.runFolder = second;
    await scene.onlyThere(scene.all);
    await cluster.clock.pass(SETTLED_MS);
    expect([...first.files.keys()]).toEqual([expect.stringMatching(/^\/run\/other\//)]);
    await scene.onlyThere([1, 2]);
    expect(await scene.sign(HEIGHT, 'A')).toBe('signed 500');
    for (const id of [1, 2]) cluster.killCosigner(id);
    scene.putBack(1, before, 'its disk alone');
    host.runFolder = first;
    await scene.newLink();
    await scene.onlyThere([1, 3]);
    await cluster.clock.pass(SETTLED_MS);
    expect(scene.waiting()).toEqual([1]);
    expect(await scene.sign(HEIGHT, 'B')).not.toMatch(/^signed/);
  });

  it('that cannot be written any more: nothing is left in it, and the next start waits', async () => {
    const scene = await Scene.start(2, 3);
    const { runFolder } = scene.cluster.cosigner(1);
    runFolder.fails = { write: 'EROFS' };
    await scene.onlyThere([1, 2]);
    expect(await scene.sign(HEIGHT)).toBe('signed 500');
    expect(runFolder.files.size).toBe(0);
    expect(scene.cluster.logged('the next start of this cosigner will wait for the others')).toHaveLength(1);
    runFolder.fails = {};
    expect(await scene.sign(HEIGHT + 1)).toBe('signed 500');
    expect(runFolder.files.size).toBe(0);
    scene.cluster.killCosigner(1);
    await scene.onlyThere([1, 3]);
    await scene.cluster.clock.pass(SETTLED_MS);
    expect(scene.waiting()).toEqual([1]);
  });

  it('that can neither be written nor emptied: no share leaves', async () => {
    const scene = await Scene.start(2, 3);
    scene.cluster.cosigner(1).runFolder.fails = { write: 'EROFS', remove: 'EROFS' };
    await scene.onlyThere([1, 2]);
    expect(await scene.sign(HEIGHT)).toBe('QUORUM_LOST');
    expect(scene.cluster.cosigner(1).process?.report()[0]?.halted).toBe('STATE_WRITE_FAILED');
    await scene.onlyThere([1, 2, 3]);
    await scene.cluster.clock.pass(500);
    expect(await scene.sign(HEIGHT)).toBe('signed 500');
  });
});
