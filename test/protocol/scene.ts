import { expect } from 'vitest';
import { COSIGNER_PARTS } from '../../cosigner/assembly.js';
import { must } from '../../src/shared/invariant.js';
import type { VoteToSign } from '../../sentry-link/vote-to-sign.js';
import { forgetful } from '../sim/parts.js';
import { Cluster, told } from './cluster.js';
import { LyingLink } from './lying-link.js';
import { SignedBlocks } from './signed-blocks.js';
import { vote } from './votes.js';

export const HEIGHT = 7;
/** Past the end of what a wait may take by itself, and well before a height is sat out. */
export const SETTLED_MS = 3_000;

export const at = (height: number, block?: string): VoteToSign =>
  vote({ at: [height, 0, 3], ...(block !== undefined && { block }) });

/** What a host had at some time. */
export interface HostCopy {
  readonly disk: ReadonlyMap<string, Uint8Array>;
  /** The run-time folder, which is memory. */
  readonly run: ReadonlyMap<string, Uint8Array>;
}

/** What becomes of a host whose disk is put back: its run-time folder is lost, stays, or is put back as well. */
export type Putting = 'rebooted' | 'its disk alone' | 'with its memory';

/** A cluster of which every cosigner has signed up to the height before, and what its disks hold then. */
export class Scene {
  readonly blocks: SignedBlocks;

  private constructor(
    readonly cluster: Cluster,
    readonly threshold: number,
    readonly count: number,
  ) {
    this.blocks = new SignedBlocks(cluster.key);
    for (const one of cluster.cosigners) one.shareSeen = (request, reply) => this.blocks.note(one.id, request, reply);
  }

  static async start(threshold: number, count: number): Promise<Scene> {
    const scene = new Scene(await Cluster.start({ threshold, count }), threshold, count);
    expect(await scene.sign(HEIGHT - 1)).toBe('signed 500');
    await scene.cluster.clock.pass(1_000);
    return scene;
  }

  get all(): readonly number[] {
    return this.cluster.cosigners.map(({ id }) => id);
  }

  /** What the honest link answers to its node. */
  async sign(height: number, block?: string): Promise<string> {
    return told(await this.cluster.ask('a', at(height, block)));
  }

  copies(): ReadonlyMap<number, HostCopy> {
    return new Map(
      this.cluster.cosigners.map(({ id, disk, runFolder }) => [
        id,
        { disk: structuredClone(disk.files), run: structuredClone(runFolder.files) },
      ]),
    );
  }

  waiting(): readonly number[] {
    return this.cluster.cosigners
      .filter(({ process }) => process?.report()[0]?.waiting !== undefined)
      .map(({ id }) => id);
  }

  /** Only these are there, for every link; the others are dead. */
  async onlyThere(ids: readonly number[]): Promise<void> {
    for (const id of this.all) if (!ids.includes(id)) this.cluster.killCosigner(id);
    for (const id of ids) await this.cluster.startCosigner(id);
  }

  /** Every host is off, and what was in its memory is gone. */
  powerLoss(): void {
    for (const { id, runFolder } of this.cluster.cosigners) {
      this.cluster.killCosigner(id);
      runFolder.clear();
    }
  }

  /** Links that know nothing of what was signed. */
  async newLink(): Promise<void> {
    this.noLink();
    this.cluster.addLink('a');
    await this.cluster.clock.pass(2_500);
  }

  /** No honest link is left, nor what it has kept. */
  noLink(): void {
    if (this.cluster.hasLink('a')) this.cluster.killLink('a');
    this.cluster.loseProofs();
  }

  lyingLink(name = 'a'): LyingLink {
    return new LyingLink(this.cluster, this.blocks, name);
  }

  /** The disk of a dead host gets what it had in `from`. */
  putBack(id: number, from: ReadonlyMap<number, HostCopy>, how: Putting): void {
    const { disk, runFolder } = this.cluster.cosigner(id);
    const copy = must(from.get(id), 'a copy of each');
    for (const [path, contents] of copy.disk) disk.files.set(path, contents.slice());
    if (how === 'its disk alone') return;
    runFolder.clear();
    if (how === 'with its memory') for (const [path, contents] of copy.run) runFolder.files.set(path, contents.slice());
  }

  /** Somebody has this cosigner: it signs whatever it is asked, and says to those that wait that it never signed. */
  async takeOver(ids: readonly number[]): Promise<void> {
    for (const id of ids) {
      this.cluster.killCosigner(id);
      this.cluster.cosigner(id).parts = { ...COSIGNER_PARTS, openWatermark: forgetful };
    }
    for (const id of ids) await this.cluster.startCosigner(id);
    await this.cluster.clock.pass(SETTLED_MS);
    expect(this.waiting()).toEqual([]);
  }
}
