import { beforeEach, describe, expect, it } from 'vitest';
import { must } from '../../src/shared/invariant.js';
import type { Proof } from '../../src/shared/watermark/proof.js';
import { FAILED, STUCK, type Fate } from '../support/memory-disk.js';
import { Cluster, told } from './cluster.js';
import { RawLink } from './raw-link.js';
import { vote } from './votes.js';

const PLACE = [7, 0, 3] as const;
const A = vote({ at: PLACE });
const B = vote({ at: PLACE, block: 'B' });

describe('signatures that are shown to those who took no part', () => {
  let cluster: Cluster;
  beforeEach(async () => {
    cluster = await Cluster.start({ threshold: 2, count: 3 });
  });
  const heights = (): number[] => cluster.cosigners.map((cosigner) => Number(cosigner.durable().height));
  const signs = async (asked = A): Promise<string> => told(await cluster.ask('a', asked));
  const shown = (): Proof => must(cluster.proofOf('a'), 'a signature was made');

  it('the third knows what the others signed, a moment later', async () => {
    await cluster.onlyAlive('a', [1, 2, 3]);
    expect(await signs()).toBe('signed 500');
    await cluster.clock.pass(5);
    expect(heights()).toEqual([7, 7, 7]);
  });

  it('and refuses another block there, from any link', async () => {
    expect(await signs()).toBe('signed 500');
    await cluster.clock.pass(5);
    expect(await new RawLink(cluster).ask([3], B)).toMatchObject([{ code: 'DOUBLE_SIGN' }]);
    expect(await new RawLink(cluster).ask([3], A)).toMatchObject([{ kind: 'signed' }]);
  });

  it.each<[name: string, whoPutBack: readonly number[], restartLink: boolean]>([
    ['one that signed', [1], false],
    ['one that signed, the link restarted', [1], true],
    ['both that signed, the link restarted', [1, 2], true],
  ])('hosts put back whole to before a signature: %s', async (_name, ids, restartLink) => {
    await cluster.onlyAlive('a', [1, 2]);
    expect(await signs(vote({ at: [6, 0, 3] }))).toBe('signed 500');
    await cluster.clock.pass(1_000);
    const backups = ids.map((id) => structuredClone(cluster.cosigner(id).disk.files));
    expect(await signs()).toBe('signed 500');
    await cluster.clock.pass(1_000);
    if (restartLink) cluster.killLink('a');
    for (const [i, id] of ids.entries()) {
      if (!restartLink) cluster.wire('a', id).drop();
      cluster.killCosigner(id);
      for (const [path, contents] of must(backups[i], 'one each')) cluster.cosigner(id).disk.files.set(path, contents);
      await cluster.startCosigner(id);
    }
    if (restartLink) {
      cluster.addLink('a');
      await cluster.clock.pass(2_500);
    }
    await cluster.onlyAlive('a', [1, 3]);
    expect(await signs(B)).not.toMatch(/^signed/);
    await cluster.onlyAlive('a', [1, 2, 3]);
    expect(await signs(B)).not.toMatch(/^signed/);
    expect(await signs(vote({ at: [8, 0, 3] }))).toBe('signed 500');
  });

  it('at a place where it gave a share for another block, neither is signed any more, and both are named', async () => {
    const raw = new RawLink(cluster);
    expect(await raw.ask([3], B)).toMatchObject([{ kind: 'signed' }]);
    await cluster.onlyAlive('a', [1, 2]);
    expect(await signs()).toBe('signed 500');
    await cluster.onlyAlive('a', [1, 2, 3]);
    await cluster.clock.pass(50);
    expect(cluster.cosigner(3).durable()).toMatchObject({ height: 7n, step: 3, signBytes: undefined });
    for (const asked of [A, B]) expect(await raw.ask([3], asked)).toMatchObject([{ code: 'DOUBLE_SIGN' }]);
    const [event] = cluster.logged('another block is signed than the one that this cosigner gave a share for');
    expect(event).toMatchObject({
      code: 'DOUBLE_SIGN',
      reason: expect.stringMatching(/block 4141414141.* is signed, and .* gave a share for block 4242424242/) as string,
    });
  });

  it.each<[name: string, change: (proof: Proof) => Proof]>([
    ['of another vote', (proof) => ({ ...proof, signBytes: B.signBytes.bytes })],
    ['of another key', (proof) => ({ ...proof, groupPublicKey: new Uint8Array(32).fill(9) })],
    ['of garbage', (proof) => ({ ...proof, signBytes: new Uint8Array(90).fill(7) })],
    ['with a signature of zeros', (proof) => ({ ...proof, signature: new Uint8Array(64) })],
  ])(
    'what is no signature changes nothing, is told once, and nothing more is believed on that stream: %s',
    async (_name, change) => {
      await cluster.onlyAlive('a', [1, 2]);
      expect(await signs()).toBe('signed 500');
      await cluster.clock.pass(5);
      const liar = must(cluster.cosigner(3).process, 'it runs').open('liar', () => undefined);
      for (const proof of [change(shown()), change(shown()), shown()]) {
        liar.receive({ kind: 'proof', proof });
        await cluster.clock.pass(5);
      }
      expect(heights()).toEqual([7, 7, 0]);
      expect(cluster.logged('a link shows what is no signature')).toMatchObject([
        { code: 'PROOF_INVALID', link: 'liar' },
      ]);
      expect(cluster.faults).toEqual([]);
    },
  );

  it('of many that are shown while the disk hangs, the last one is learned; the queue stays open for requests', async () => {
    await cluster.onlyAlive('a', [1, 2]);
    const proofs: Proof[] = [];
    for (let height = 7; height < 47; height++) {
      expect(await signs(vote({ at: [height, 0, 3] }))).toBe('signed 500');
      await cluster.clock.pass(1_000);
      proofs.push(shown());
    }
    const { disk, process } = cluster.cosigner(3);
    const [usual, link] = [disk.fates, must(process, 'it runs').open('b', () => undefined)];
    let release: () => void = () => undefined;
    const hung = new Promise<Fate>((resolve) => (release = () => resolve({})));
    disk.fates = () => hung;
    for (const proof of proofs) link.receive({ kind: 'proof', proof });
    await cluster.clock.pass(50);
    disk.fates = usual;
    release();
    await cluster.clock.pass(50);
    expect(cluster.cosigner(3).durable().height).toBe(46n);
  });

  it('a write that fails stops the chain there, as one for a share does', async () => {
    cluster.cosigner(3).disk.fates = FAILED;
    expect(await signs()).toBe('signed 500');
    await cluster.clock.pass(5);
    expect(cluster.cosigner(3).process?.report()[0]?.halted).toBe('STATE_WRITE_FAILED');
    expect(cluster.logged('state could not be written: this chain signs nothing')).toHaveLength(1);
  });

  it('a write that never ends holds up nobody else', async () => {
    cluster.cosigner(3).disk.fates = STUCK;
    for (const height of [7, 8, 9]) expect(await signs(vote({ at: [height, 0, 3] }))).toBe('signed 500');
  });
});
