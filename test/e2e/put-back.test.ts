import { cpSync, lstatSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { must } from '../../src/shared/invariant.js';
import { AskedCluster } from '../support/asked-cluster.js';
import { cleanupAfterEach, type Cleanup } from '../support/cleanup.js';
import type { HekateProcess } from '../support/hekate-cluster.js';
import { newRunFolder } from '../support/run-folder.js';

// A host that is put back to an old copy has forgotten what it signed. In 2 of 3 one such host is enough for a second block,
// unless somebody remembers: it waits until it has heard the others, and links show it the newest signature.
const cleanup = cleanupAfterEach();
const HEIGHT = 50n;

interface Row {
  readonly writes: number;
  /** Below the home of cosigner 1. */
  readonly folder?: 'state' | '.';
  readonly links?: 'go on' | 'restart' | 'restart without what they kept';
  /** What becomes of the run-time folder of cosigner 1. */
  readonly runFolder?: 'kept' | 'gone' | 'another one in between';
  /** Between the signature and the end of cosigner 1. */
  readonly afterMs?: number;
}

class Scene {
  private constructor(
    readonly at: AskedCluster,
    readonly runFolders: Map<string, string>,
    readonly first: HekateProcess,
    readonly second: HekateProcess,
    readonly third: HekateProcess,
  ) {}

  static async start(cleanup: Cleanup): Promise<Scene> {
    const runFolders = new Map<string, string>();
    const env = (name: string): Record<string, string> => {
      const folder = runFolders.get(name) ?? newRunFolder(cleanup);
      runFolders.set(name, folder);
      return { RUNTIME_DIRECTORY: folder };
    };
    const at = await AskedCluster.start(cleanup, { name: 'back', links: 2, env });
    const [first, second, third] = [0, 1, 2].map((i) => must(at.cluster.cosigners[i], 'three'));
    return new Scene(at, runFolders, must(first, 'one'), must(second, 'two'), must(third, 'three'));
  }

  /**
   * Cosigners 1 and 2 sign a block that 3 does not hear of; then 1 is put back to before, 2 stops and 3 goes on. Resolves with
   * the place.
   */
  async forget({
    writes,
    folder = 'state',
    links = 'restart',
    runFolder = 'kept',
    afterMs = 1_000,
  }: Row): Promise<number> {
    const { at, first, second, third } = this;
    await at.signed({ step: 'Precommit', height: HEIGHT - 1n });
    process.kill(third.pid, 'SIGSTOP');
    if (runFolder === 'another one in between') await this.startInOther(first);
    const [home, copy] = [join(first.home, folder), at.folder.file('copy')];
    const save = (): void => cpSync(home, copy, { recursive: true, filter: (path) => !lstatSync(path).isSocket() });
    for (let round = 0; round < writes - 1; round++) {
      if (round === 0) save();
      await at.signedAtLast({ step: 'Precommit', height: HEIGHT, round, block: 'nil' });
    }
    if (writes === 1) save();
    await at.signedAtLast({ step: 'Precommit', height: HEIGHT, round: writes, block: 'A' });
    await delay(afterMs);

    await first.crash();
    rmSync(home, { recursive: true });
    cpSync(copy, home, { recursive: true });
    if (runFolder === 'gone') rmSync(must(this.runFolders.get(first.name), 'it has one'), { recursive: true });
    process.kill(second.pid, 'SIGSTOP');
    process.kill(third.pid, 'SIGCONT');
    if (links !== 'go on') {
      for (const link of at.cluster.links) await link.crash();
      for (const link of at.cluster.links) {
        if (links !== 'restart')
          rmSync(join(link.home, 'chains', at.chainId, 'newest-signature.json'), { force: true });
        await link.start();
      }
    }
    const waits = this.waits();
    await first.start();
    expect(this.waits()).toBe(waits + 1);
    await at.node.connected(20_000);
    return writes;
  }

  /** Times that cosigner 1 has begun to wait. */
  waits(): number {
    return this.first.events().filter(({ event }) => event === 'waits until it has heard the others').length;
  }

  /** A start by hand in between, with another run-time folder; the usual one is used again later. */
  async startInOther(cosigner: HekateProcess): Promise<void> {
    const usual = must(this.runFolders.get(cosigner.name), 'it has one');
    await cosigner.crash();
    this.runFolders.delete(cosigner.name);
    await cosigner.start();
    process.kill(this.third.pid, 'SIGCONT');
    await this.at.cluster.untilNoneWaits();
    process.kill(this.third.pid, 'SIGSTOP');
    this.runFolders.set(cosigner.name, usual);
  }

  async neverSigns(round: number): Promise<void> {
    for (let times = 0; times < 3; times++) {
      const answer = await this.at.ask({ step: 'Precommit', height: HEIGHT, round, block: 'B' }).catch(() => undefined);
      expect(answer?.kind).not.toBe('signed');
      await delay(300);
    }
  }
}

describe('cosigner 1 is put back: no second block, and with all three back they sign on', () => {
  it.each<[name: string, row: Row]>([
    ['its state by one write', { writes: 1 }],
    ['its state by two writes, the links go on', { writes: 2, links: 'go on' }],
    ['its state by a hundred writes', { writes: 100 }],
    ['its whole home', { writes: 4, folder: '.' }],
    ['at once', { writes: 1, links: 'go on', afterMs: 0 }],
    ['and nobody else remembers', { writes: 1, links: 'restart without what they kept' }],
    [
      'by four writes, its run-time folder gone',
      { writes: 4, links: 'restart without what they kept', runFolder: 'gone' },
    ],
    [
      'its whole home, its run-time folder gone, at once',
      { writes: 2, folder: '.', links: 'restart without what they kept', runFolder: 'gone', afterMs: 0 },
    ],
    [
      'after a start by hand with another run-time folder',
      { writes: 1, links: 'restart without what they kept', runFolder: 'another one in between' },
    ],
  ])('%s', async (_name, row) => {
    const scene = await Scene.start(cleanup);
    const { at } = scene;
    const round = await scene.forget(row);
    await scene.neverSigns(round);
    process.kill(scene.second.pid, 'SIGCONT');
    await at.signedAtLast({ step: 'Precommit', height: HEIGHT + 1n });
    const again = await at.refused({ step: 'Precommit', height: HEIGHT, round, block: 'B' });
    expect(again.error).toMatch(/_REGRESSION|^DOUBLE_SIGN/);
  });
});

it('cosigner 1 is put back, and 2 is gone for good: one height is sat out, then it signs on', async () => {
  const scene = await Scene.start(cleanup);
  const { at, first, second } = scene;
  const round = await scene.forget({ writes: 1, links: 'restart without what they kept', runFolder: 'gone' });
  process.kill(second.pid, 'SIGCONT');
  await second.crash();
  await scene.neverSigns(round);
  const satOut = (): bigint | undefined => {
    const event = first.events().find((one) => one.event === 'signs on: this height was sat out');
    return event === undefined ? undefined : BigInt(String(event['height']));
  };
  // As a node asks, height after height.
  let height = HEIGHT;
  for (let signed = false; !signed;) {
    const answer = await at.ask({ step: 'Precommit', height, round: round + 1, block: 'B' }).catch(() => undefined);
    signed = answer?.kind === 'signed';
    if (!signed && first.events().some(({ event }) => event === SEEMS_GONE)) height++;
    expect(height).toBeLessThan(HEIGHT + 5n);
  }
  expect(height).toBe(HEIGHT + 1n);
  expect(satOut()).toBe(HEIGHT);
  await at.signed({ step: 'Precommit', height: height + 1n });
});

const SEEMS_GONE = 'one of the others seems gone: signs above this height, which is sat out';
