import { expect } from 'vitest';
import type { Carried, SignRequest } from '../../src/shared/coordination/messages.js';
import type { WaitAnswer } from '../../src/shared/watermark/wait-messages.js';
import type { LyingLink } from './lying-link.js';
import { at, HEIGHT, Scene, SETTLED_MS, type HostCopy } from './scene.js';

interface Cast {
  readonly scene: Scene;
  /** It carries everything but what is for or from the one that remembers. */
  readonly link: LyingLink;
  /** It carries nothing. */
  readonly other: LyingLink;
  readonly forgetful: readonly number[];
  readonly remembers: number;
}

/** All links lie, all but one of the signers of block A have forgotten it, and that one remembers. */
export class LyingScene {
  readonly scene: Scene;
  readonly link: LyingLink;
  readonly other: LyingLink;
  readonly forgetful: readonly number[];
  readonly remembers: number;

  private constructor(
    { scene, link, other, forgetful, remembers }: Cast,
    /** For block A. */
    readonly first: SignRequest,
    /** What the one that remembers has answered to them in an earlier wait, by asker. */
    readonly old: ReadonlyMap<number, WaitAnswer>,
  ) {
    [this.scene, this.link, this.other] = [scene, link, other];
    [this.forgetful, this.remembers] = [forgetful, remembers];
  }

  /** `asked` for A: all of its signers, or those alone that are about to forget it. */
  static async start(threshold: number, count: number, asked: 'all' | 'forgetful'): Promise<LyingScene> {
    const scene = await Scene.start(threshold, count);
    scene.noLink();
    const cast = {
      ...{ scene, link: scene.lyingLink('a'), other: scene.lyingLink('b') },
      ...{ forgetful: scene.all.slice(0, threshold - 1), remembers: threshold },
    };
    const { link, other, forgetful, remembers } = cast;
    const before = scene.copies();
    const old = new Map<number, WaitAnswer>();
    link.carry = (said) => {
      if (said.kind === 'waitAnswer' && said.answerer === remembers) old.set(said.asker, said);
      return [said];
    };
    await reboot(cast);
    for (const one of [link, other]) await one.meet();
    await scene.cluster.clock.pass(1_500);
    expect(scene.waiting()).toEqual([]);
    expect([...old.keys()]).toEqual(forgetful);

    const signers = [...forgetful, remembers];
    const first = await link.ask(signers, at(HEIGHT, 'A'), asked === 'all' ? signers : forgetful);
    expect(scene.blocks.at(HEIGHT)).toEqual(asked === 'all' ? ['A'] : []);
    const others = scene.all.filter((id) => id !== remembers);
    link.carry = (said) => (isAmong(others, said) ? [said] : []);
    other.carry = () => [];
    await reboot(cast, before);
    return new LyingScene(cast, first, old);
  }

  /** The forgetful and one that never heard of A: enough for another block. */
  get second(): readonly number[] {
    return [...this.forgetful, this.stranger];
  }

  get stranger(): number {
    return this.remembers + 1;
  }

  /** Those that were rebooted are within reach of both links again: first of the one that is to forge. */
  async lie(): Promise<void> {
    for (const link of [this.other, this.link]) await link.meet();
    await this.scene.cluster.clock.pass(SETTLED_MS);
  }

  /** The links that lie are cut off: one block has a signature and no other gets one, and the next height is signed. */
  async end(signed: 'A' | 'B'): Promise<void> {
    const { scene } = this;
    for (const link of [this.link, this.other]) link.close();
    await scene.newLink();
    await scene.cluster.clock.pass(SETTLED_MS);
    expect(scene.waiting()).toEqual([]);
    expect(await scene.sign(HEIGHT, signed === 'A' ? 'B' : 'A')).not.toMatch(/^signed/);
    expect(await scene.sign(HEIGHT + 1)).toBe('signed 500');
    expect(scene.blocks.at(HEIGHT)).toEqual([signed]);
    expect(scene.cluster.faults).toEqual([]);
  }
}

/** The hosts of the forgetful, whose disks get what they held once. */
async function reboot({ scene, forgetful }: Cast, from?: ReadonlyMap<number, HostCopy>): Promise<void> {
  for (const id of forgetful) {
    scene.cluster.killCosigner(id);
    if (from !== undefined) scene.putBack(id, from, 'rebooted');
    scene.cluster.cosigner(id).runFolder.clear();
  }
  for (const id of forgetful) await scene.cluster.startCosigner(id);
}

/** Between two of these. */
export function isAmong(some: readonly number[], said: Carried): boolean {
  return some.includes(said.asker) && some.includes(said.kind === 'waitQuestion' ? said.asked : said.answerer);
}
