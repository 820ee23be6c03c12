import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SIT_OUT_AFTER_MS, StartWait } from '../../src/shared/watermark/start-wait.js';
import { told } from './cluster.js';
import { at, HEIGHT, Scene, SETTLED_MS } from './scene.js';

// The table under "How much may be gone" in docs/failover.md: each number is what the rules make of n and t, and each is tried
// with production code, with so many gone and with one more.

interface Shape {
  readonly name: string;
  readonly t: number;
  readonly n: number;
}

const SHAPES: readonly Shape[] = [
  { name: '2-of-3', t: 2, n: 3 },
  { name: '3-of-5', t: 3, n: 5 },
  { name: '5-of-9', t: 5, n: 9 },
];
const LINKS = ['a', 'b', 'c'];

type Row = readonly [name: string, most: (shape: Shape) => number];

const DOWN: Row = ['cosigners down, votes are signed on (n-t)', ({ t, n }) => n - t];
const UNREACHED: Row = ['cosigners that the leader alone does not reach, and it leads on (n-t)', ({ t, n }) => n - t];
const LINKS_DOWN: Row = ['sentry-links down, of three', () => LINKS.length - 1];
const REBOOT: Row = ['cosigners rebooted at once while the others sign on (n-t)', ({ t, n }) => n - t];
const DEAD: Row = ['dead, and a rebooted one still comes back by itself (t-2)', mostDead];
const ALL_BACK: Row = ['dead after a power loss of all, and the others go on by themselves', mostDeadOfAll];
const SAT_OUT: Row = ['the same, after 30 s and a height that is sat out (n-t)', ({ t, n }) => n - t];
const PUT_BACK: Row = ['put back to an old state at once, no block is signed twice (t-1)', ({ t }) => t - 1];

const TABLE: readonly Row[] = [DOWN, UNREACHED, LINKS_DOWN, REBOOT, DEAD, ALL_BACK, SAT_OUT, PUT_BACK];

/** By the rule itself: so many of the others may be missing, and a wait is over all the same. -1: none may. */
function most(shape: Shape, othersWait: boolean): number {
  const others = Array.from({ length: shape.n - 1 }, (_, i) => i + 2);
  const goesOn = (dead: number): boolean => {
    const wait = new StartWait({ threshold: shape.t, others, sitsOut: true }, 0, (length) => new Uint8Array(length));
    for (const id of others.slice(dead)) wait.hear(id, othersWait);
    return wait.over;
  };
  return others.findIndex((_id, dead) => !goesOn(dead)) - 1;
}

function mostDead(shape: Shape): number {
  return most(shape, false);
}

function mostDeadOfAll(shape: Shape): number {
  return most(shape, true);
}

it('docs/failover.md has this very table', () => {
  const text = readFileSync(join(import.meta.dirname, '../../docs/failover.md'), 'utf8');
  const [, section = ''] = text.split('\n## How much may be gone\n');
  const lines = section.split('\n## ')[0]?.split('\n') ?? [];
  const cells = lines.filter((line) => line.startsWith('|')).map((line) => line.split('|').slice(1, -1));
  const [head, , ...rows] = cells.map((row) => row.map((cell) => cell.trim()));
  expect(head).toEqual(['', ...SHAPES.map(({ name }) => name)]);
  expect(rows).toEqual(TABLE.map(([name, number]) => [name, ...SHAPES.map((shape) => String(number(shape)))]));
});

/** So many, and one more; where no more are left there is nothing to try. */
const cells = ([, number]: Row): readonly (readonly [name: string, most: number, shape: Shape])[] =>
  SHAPES.map((shape) => [shape.name, number(shape), shape]);

/** These are rebooted: off at once, and on again. */
async function reboot(scene: Scene, ids: readonly number[]): Promise<void> {
  for (const id of ids) {
    scene.cluster.killCosigner(id);
    scene.cluster.cosigner(id).runFolder.clear();
  }
  for (const id of ids) await scene.cluster.startCosigner(id);
}

describe(DOWN[0], () => {
  it.each(cells(DOWN))('%s: %i', async (_name, down, { t, n }) => {
    const scene = await Scene.start(t, n);
    await scene.onlyThere(scene.all.slice(down));
    expect(await scene.sign(HEIGHT)).toBe('signed 500');
    await scene.onlyThere(scene.all.slice(down + 1));
    expect(await scene.sign(HEIGHT + 1)).toBe('QUORUM_LOST');
  });
});

describe(UNREACHED[0], () => {
  it.each(cells(UNREACHED))('%s: %i, and with one more another leads', async (_name, unreached, { t, n }) => {
    const { cluster, all } = await Scene.start(t, n);
    cluster.addLink('b');
    await cluster.clock.pass(SETTLED_MS);
    await cluster.onlyAlive('a', all.slice(unreached));
    await cluster.clock.pass(SETTLED_MS);
    expect(told(await cluster.ask('a', at(HEIGHT)))).toBe('signed 500');
    await cluster.onlyAlive('a', all.slice(unreached + 1));
    await cluster.clock.pass(SETTLED_MS);
    expect(told(await cluster.ask('a', at(HEIGHT + 1)))).toBe('NOT_LEADER');
    expect(told(await cluster.ask('b', at(HEIGHT + 1)))).toBe('signed 500');
  });
});

describe(LINKS_DOWN[0], () => {
  it.each(cells(LINKS_DOWN))('%s: %i', async (_name, down, { t, n }) => {
    const { cluster } = await Scene.start(t, n);
    for (const link of LINKS.slice(1)) cluster.addLink(link);
    await cluster.clock.pass(SETTLED_MS);
    for (const link of LINKS.slice(0, down)) {
      cluster.killLink(link);
      await cluster.clock.pass(SETTLED_MS);
    }
    const [last = ''] = LINKS.slice(down);
    expect(told(await cluster.ask(last, at(HEIGHT)))).toBe('signed 500');
    expect(LINKS.filter((link) => cluster.hasLink(link))).toEqual([last]);
  });
});

describe(REBOOT[0], () => {
  it.each(cells(REBOOT))('%s: %i', async (_name, rebooted, { t, n }) => {
    const scene = await Scene.start(t, n);
    const { cluster, all } = scene;
    const off = all.slice(0, rebooted);
    for (const id of off) {
      cluster.killCosigner(id);
      cluster.cosigner(id).runFolder.clear();
    }
    expect(await scene.sign(HEIGHT)).toBe('signed 500');
    for (const id of off) await cluster.startCosigner(id);
    await cluster.clock.pass(SETTLED_MS);
    expect(scene.waiting()).toEqual([]);
    expect(await scene.sign(HEIGHT + 1)).toBe('signed 500');
    // With one more there are too few while they are off.
    for (const id of all.slice(0, rebooted + 1)) cluster.killCosigner(id);
    expect(await scene.sign(HEIGHT + 2)).toBe('QUORUM_LOST');
  });

  it.each(cells(REBOOT))('%s, %i: one that waits counts as one that is down', async (_name, down, { t, n }) => {
    const scene = await Scene.start(t, n);
    const { cluster, all } = scene;
    // The last that may be down is on again, and hears nobody.
    await scene.onlyThere(all.slice(down));
    cluster.killCosigner(n);
    cluster.cosigner(n).runFolder.clear();
    for (const id of all.slice(down, -1)) cluster.killCosigner(id);
    await cluster.startCosigner(n);
    await cluster.clock.pass(SETTLED_MS);
    expect(scene.waiting()).toEqual([n]);
    expect(await scene.sign(HEIGHT)).toBe('QUORUM_LOST');
  });
});

describe(DEAD[0], () => {
  const sides = cells(DEAD).flatMap(([name, number, shape]) => [
    [name, number, false, shape] as const,
    [name, number + 1, true, shape] as const,
  ]);
  it.each(sides)('%s, %i dead: it still waits after 3 s: %s', async (_name, dead, waits, { t, n }) => {
    const scene = await Scene.start(t, n);
    await scene.onlyThere(scene.all.slice(0, n - dead));
    await reboot(scene, [1]);
    await scene.cluster.clock.pass(SETTLED_MS);
    expect(scene.waiting()).toEqual(waits ? [1] : []);
  });

  it.each(
    SHAPES.flatMap(({ name, t, n }) => Array.from({ length: t - 1 }, (_, dead) => [name, dead, { t, n }] as const)),
  )('%s, %i dead: of the others as many may be rebooted at once as make it t-1', async (_name, dead, { t, n }) => {
    const scene = await Scene.start(t, n);
    await scene.onlyThere(scene.all.slice(0, n - dead));
    await reboot(scene, scene.all.slice(0, t - 1 - dead));
    await scene.cluster.clock.pass(SETTLED_MS);
    expect(scene.waiting()).toEqual([]);
    expect(await scene.sign(HEIGHT)).toBe('signed 500');
    if (dead === 0) return;
    await reboot(scene, scene.all.slice(0, t - dead));
    await scene.cluster.clock.pass(SETTLED_MS);
    expect(scene.waiting().length).toBeGreaterThan(0);
  });
});

describe(ALL_BACK[0], () => {
  it.each(cells(ALL_BACK))('%s: %i', async (_name, dead, { t, n }) => {
    for (const [gone, waits] of [
      [dead, false],
      [dead + 1, true],
    ] as const) {
      const scene = await Scene.start(t, n);
      scene.powerLoss();
      await scene.onlyThere(scene.all.slice(gone));
      await scene.cluster.clock.pass(SETTLED_MS);
      expect(scene.waiting()).toEqual(waits ? scene.all.slice(gone) : []);
      expect(await scene.sign(HEIGHT)).toBe(waits ? 'QUORUM_LOST' : 'signed 500');
    }
  });
});

describe(SAT_OUT[0], () => {
  it.each(cells(SAT_OUT))('%s: %i', async (_name, dead, { t, n }) => {
    for (const [gone, goesOn] of [
      [dead, true],
      [dead + 1, false],
    ] as const) {
      const scene = await Scene.start(t, n);
      scene.powerLoss();
      await scene.onlyThere(scene.all.slice(gone));
      await scene.cluster.clock.pass(SIT_OUT_AFTER_MS + SETTLED_MS);
      expect(await scene.sign(HEIGHT)).not.toMatch(/^signed/);
      expect((await scene.sign(HEIGHT + 1)) === 'signed 500').toBe(goesOn);
    }
  });
});

describe(PUT_BACK[0], () => {
  it.each(cells(PUT_BACK))('%s: %i, and one more is not promised', async (_name, putBack, { t, n }) => {
    for (const [forgetful, blocks] of [
      [putBack, ['A']],
      [putBack + 1, ['A', 'B']],
    ] as const) {
      const scene = await Scene.start(t, n);
      const { cluster, all } = scene;
      const before = scene.copies();
      await scene.onlyThere(all.slice(0, t));
      expect(await scene.sign(HEIGHT, 'A')).toBe('signed 500');
      for (const id of all.slice(0, t)) cluster.killCosigner(id);
      for (const id of all.slice(0, forgetful)) scene.putBack(id, before, 'rebooted');
      await scene.newLink();
      await scene.onlyThere(all);
      await cluster.clock.pass(SETTLED_MS);
      await scene.sign(HEIGHT, 'B');
      expect(scene.blocks.at(HEIGHT)).toEqual(blocks);
      expect(await scene.sign(HEIGHT + 1)).toBe('signed 500');
    }
  });
});
