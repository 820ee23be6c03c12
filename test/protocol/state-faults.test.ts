import { beforeEach, describe, expect, it } from 'vitest';
import type { CosignerMessage } from '../../src/shared/coordination/messages.js';
import { DONE, FAILED, STUCK } from '../support/memory-disk.js';
import { Cluster, DEADLINE_MS, told } from './cluster.js';
import { RawLink } from './raw-link.js';
import { vote } from './votes.js';

describe('state and identity that cannot be trusted', () => {
  let cluster: Cluster;
  beforeEach(async () => {
    cluster = await Cluster.start({ threshold: 2, count: 3 });
  });
  const sign = async (height: number): Promise<string> => told(await cluster.ask('a', vote({ at: [height, 0, 3] })));
  const halted = (id: number): unknown => cluster.cosigner(id).process?.report()[0]?.halted;

  it('a write fails: no share, that cosigner is halted until it starts anew, the others go on', async () => {
    expect(await sign(7)).toBe('signed 500');
    cluster.cosigner(1).disk.fates = FAILED;
    expect(await sign(8)).toBe('signed 500');
    expect(halted(1)).toBe('STATE_WRITE_FAILED');
    expect(cluster.cosigner(1).durable().height).toBe(7n);
    // The disk works again, but what it holds is not known any more.
    cluster.cosigner(1).disk.fates = DONE;
    expect(await new RawLink(cluster).ask([1], vote({ at: [9, 0, 3] }))).toMatchObject([
      { code: 'STATE_WRITE_FAILED' },
    ]);
    await cluster.clock.pass(500);
    const asked = cluster.wire('a', 1).requests.length;
    expect(await sign(9)).toBe('signed 500');
    expect(cluster.wire('a', 1).requests).toHaveLength(asked);
    cluster.killCosigner(1);
    await cluster.startCosigner(1);
    await cluster.onlyAlive('a', [1, 2]);
    expect(await sign(10)).toBe('signed 500');
  });

  it('writes fail on two of three: refused, and nothing is signed', async () => {
    for (const id of [1, 2]) cluster.cosigner(id).disk.fates = FAILED;
    expect(await sign(7)).toBe('STATE_WRITE_FAILED');
    expect(cluster.cosigners.map(({ id }) => halted(id))).toEqual([
      'STATE_WRITE_FAILED',
      'STATE_WRITE_FAILED',
      undefined,
    ]);
  });

  it('a write never ends: no share leaves, the vote is signed by the others', async () => {
    cluster.cosigner(1).disk.fates = STUCK;
    expect(await sign(7)).toBe('signed 500');
    expect(await sign(8)).toBe('signed 500');
    expect(cluster.cosigner(1).durable().height).toBe(0n);
    await cluster.onlyAlive('a', [1, 3]);
    expect(await sign(9)).toBe('QUORUM_LOST');
    expect(cluster.cosigner(1).durable().height).toBe(0n);
  });

  it('a power cut during the write: the vote may be stored or not, the next answer follows the rules', async () => {
    cluster.cosigner(1).disk.fates = STUCK;
    const answer = cluster.asking('a', vote({ at: [7, 0, 3] }));
    await cluster.clock.pass(5);
    cluster.killCosigner(1);
    cluster.cosigner(1).disk.fates = DONE;
    await cluster.clock.pass(200);
    expect(told(await answer)).toBe('signed 500');
    await cluster.startCosigner(1);
    expect(told(await cluster.ask('a', vote({ at: [7, 0, 3], block: 'B' })))).toBe('DOUBLE_SIGN');
  });

  it('a state restored from a backup with its mark: known by its run-time record, it counts from what the others say', async () => {
    expect(await sign(7)).toBe('signed 500');
    const { disk } = cluster.cosigner(1);
    const backup = structuredClone(disk.files);
    for (let height = 8; height < 20; height++) await sign(height);
    await cluster.clock.pass(1_000);
    cluster.killCosigner(1);
    for (const [path, contents] of backup) disk.files.set(path, contents);
    for (const { id } of cluster.cosigners) if (id !== 1) cluster.wire('a', id).drop();
    await cluster.startCosigner(1);
    expect(cluster.logged('the state is an older copy: it counts from what it had reached, and waits')).toMatchObject([
      { code: 'STATE_ROLLED_BACK' },
    ]);
    expect(await new RawLink(cluster).ask([1], vote({ at: [30, 0, 3] }))).toMatchObject([{ code: 'WAITING' }]);
    await cluster.onlyAlive('a', [1, 2, 3]);
    await cluster.clock.pass(1_000);
    expect(cluster.cosigner(1).process?.report()[0]?.waiting).toBeUndefined();
    expect(await new RawLink(cluster).ask([1], vote({ at: [19, 0, 3], block: 'B' }))).toMatchObject([
      { code: 'DOUBLE_SIGN' },
    ]);
    expect(await sign(20)).toBe('signed 500');
  });

  it('a share of another key: left alone, the others sign', async () => {
    const wrongKey = (message: CosignerMessage): CosignerMessage =>
      message.kind === 'cosignerHello' || message.kind === 'heartbeatReply'
        ? { ...message, chains: message.chains.map((chain) => ({ ...chain, groupPublicKey: new Uint8Array(32) })) }
        : message;
    cluster.wire('a', 1).drop();
    cluster.wire('a', 1).tamper = wrongKey;
    await cluster.onlyAlive('a', [1, 2, 3]);
    expect(cluster.logged('cosigner does not sign for this chain')).toMatchObject([
      { code: 'GROUP_MISMATCH', cosigner: 'cosigner-1', chain: 'test-1' },
    ]);
    for (let height = 7; height < 10; height++) expect(await sign(height)).toBe('signed 500');
    expect(cluster.wire('a', 1).requests).toHaveLength(0);
    await cluster.onlyAlive('a', [1, 2]);
    expect(await sign(10)).toBe('QUORUM_LOST');
  });

  it('the home of another cosigner behind a pinned certificate: left alone, and said so', async () => {
    cluster.wire('a', 1).drop();
    cluster.wire('a', 1).tamper = (message) => (message.kind === 'cosignerHello' ? { ...message, id: 2 } : message);
    await cluster.onlyAlive('a', [1, 2, 3]);
    await cluster.clock.pass(1_000);
    expect(cluster.logged('cosigner does not sign for this chain')).toMatchObject([
      { code: 'GROUP_MISMATCH', cosigner: 'cosigner-1' },
    ]);
    expect(await sign(7)).toBe('signed 500');
    expect(cluster.wire('a', 1).requests).toHaveLength(0);
  });

  it('refusals of fewer than may be missing do not stop a vote; of more they do, at once', async () => {
    await new RawLink(cluster).ask([1], vote({ at: [9, 0, 3], block: 'B' }));
    expect(await sign(9)).toBe('signed 500');
    await new RawLink(cluster).ask([2], vote({ at: [12, 0, 3] }));
    const before = cluster.clock.nowMs();
    // 1 is at 9 for another block, 2 is at 12, 3 alone may sign.
    expect(await sign(9)).toBe('DOUBLE_SIGN');
    expect(cluster.clock.nowMs() - before).toBeLessThan(DEADLINE_MS / 2);
  });
});
