import { describe, expect, it } from 'vitest';
import { SignBytes, withTimestamp } from '../../src/shared/privval/sign-bytes.js';
import { fromHex } from '../../src/shared/bytes.js';
import type { CosignerMessage, NonceCommitment, SignedReply } from '../../src/shared/coordination/messages.js';
import { toPoint } from '../../src/shared/frost/group.js';
import { toSignatureShare, type SignerShare } from '../../src/shared/frost/signature-share.js';
import { Cluster, told } from './cluster.js';
import { RawLink } from './raw-link.js';
import type { ClusterWire } from './cluster-wire.js';
import { vote } from './votes.js';

const BAD = 2;
const NEXT = vote({ at: [8, 0, 3], extension: 'of the application' });
const flipped = (bytes: Uint8Array, at = 0): Uint8Array => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));
/** An encoding of a point that is none of this round. */
const OTHER_POINT = toPoint(Uint8Array.of(0x58, ...new Uint8Array(31).fill(0x66)));
const OTHER_SHARE = toSignatureShare(OTHER_POINT);
const L = Buffer.from('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010', 'hex');

const TAMPERINGS: readonly [name: string, how: (share: SignerShare) => SignerShare][] = [
  ['a share with one bit changed', (one) => ({ ...one, share: toSignatureShare(flipped(one.share)) })],
  ['a share of zero', (one) => ({ ...one, share: toSignatureShare(new Uint8Array(32)) })],
  ['a share that is no scalar', (one) => ({ ...one, share: toSignatureShare(new Uint8Array(32).fill(0xff)) })],
  ['a share of exactly L', (one) => ({ ...one, share: toSignatureShare(new Uint8Array(L)) })],
  ['another group commitment', (one) => ({ ...one, groupCommitment: OTHER_POINT })],
  ['no point as group commitment', (one) => ({ ...one, groupCommitment: toPoint(flipped(one.groupCommitment)) })],
  ['both changed', ({ share }) => ({ groupCommitment: OTHER_POINT, share: toSignatureShare(flipped(share)) })],
];

function tamperSigned(how: (reply: SignedReply) => SignedReply): (message: CosignerMessage) => CosignerMessage {
  return (message) => (message.kind === 'signed' ? how(message) : message);
}

async function withBad(how: (reply: SignedReply) => SignedReply): Promise<Cluster> {
  const cluster = await Cluster.start({ threshold: 2, count: 3 });
  cluster.wire('a', BAD).tamper = tamperSigned(how);
  return cluster;
}

function leftOut(cluster: Cluster): unknown[] {
  return cluster.logged('cosigner left out').map(({ cosigner }) => Number(String(cosigner).replace('cosigner-', '')));
}

describe('a bad answer names its cosigner, and the vote is signed without it', () => {
  it.each(TAMPERINGS)('%s', async (_name, how) => {
    const cluster = await withBad((reply) => ({ ...reply, vote: how(reply.vote) }));
    expect(told(await cluster.ask('a', NEXT))).toBe('signed 500');
    expect(leftOut(cluster)).toEqual([BAD]);
    const asked = cluster.wire('a', BAD).requests.length;
    expect(told(await cluster.ask('a', vote({ at: [9, 0, 1] })))).toBe('signed 500');
    expect(cluster.wire('a', BAD).requests).toHaveLength(asked);
  });

  it.each(TAMPERINGS)('%s, in the extension alone', async (_name, how) => {
    const cluster = await withBad((reply) => ({ ...reply, extension: reply.extension && how(reply.extension) }));
    expect(told(await cluster.ask('a', NEXT))).toBe('signed 500');
    expect(leftOut(cluster)).toEqual([BAD]);
  });

  it.each<[name: string, how: (reply: SignedReply) => SignedReply]>([
    ['no extension', (reply) => ({ ...reply, extension: undefined })],
    ['vote and extension swapped', (reply) => ({ ...reply, vote: reply.extension!, extension: reply.vote })],
    ['the vote twice', (reply) => ({ ...reply, extension: reply.vote })],
  ])('%s', async (_name, how) => {
    const cluster = await withBad(how);
    expect(told(await cluster.ask('a', NEXT))).toBe('signed 500');
    expect(leftOut(cluster)).toEqual([BAD]);
  });

  it('the share of an earlier request', async () => {
    let earlier: SignedReply | undefined;
    const cluster = await withBad((reply) => ({ ...reply, vote: (earlier ??= reply).vote }));
    expect(told(await cluster.ask('a', vote({ at: [8, 0, 1] })))).toBe('signed 500');
    expect(told(await cluster.ask('a', vote({ at: [8, 0, 2] })))).toBe('signed 500');
    expect(leftOut(cluster)).toEqual([BAD]);
  });

  it('two of five at once', async () => {
    const cluster = await Cluster.start({ threshold: 3, count: 5 });
    for (const id of [1, 3])
      cluster.wire('a', id).tamper = tamperSigned((reply) => ({
        ...reply,
        vote: { ...reply.vote, share: OTHER_SHARE },
      }));
    expect(told(await cluster.ask('a', NEXT))).toBe('signed 500');
    expect(leftOut(cluster)).toEqual([1, 3]);
  });

  it('is tried again after a minute', async () => {
    let good = false;
    const cluster = await withBad((reply) =>
      good ? reply : { ...reply, vote: { ...reply.vote, share: OTHER_SHARE } },
    );
    await cluster.ask('a', NEXT);
    good = true;
    await cluster.clock.pass(61_000);
    await cluster.onlyAlive('a', [BAD, 3]);
    expect(told(await cluster.ask('a', vote({ at: [9, 0, 1] })))).toBe('signed 500');
  });

  it('with too few good ones left there is no signature', async () => {
    const cluster = await withBad((reply) => ({ ...reply, vote: { ...reply.vote, share: OTHER_SHARE } }));
    cluster.wire('a', 1).tamper = tamperSigned((reply) => ({ ...reply, extension: undefined }));
    const before = cluster.clock.nowMs();
    expect(told(await cluster.ask('a', NEXT))).toBe('QUORUM_LOST');
    // Two of three have shown that they cannot: nothing is left to wait for.
    expect(cluster.clock.nowMs() - before).toBeLessThan(1_000);
  });
});

describe('a cosigner that lies about what it stored', () => {
  /** Instead of its shares. `ask` counts from 1. */
  async function withLiar(stored: (asked: Uint8Array, ask: number) => Uint8Array): Promise<[Cluster, ClusterWire]> {
    const cluster = await Cluster.start({ threshold: 2, count: 3 });
    const wire = cluster.wire('a', BAD);
    wire.tamper = (message) => {
      if (message.kind !== 'signed' && message.kind !== 'stored') return message;
      const asked = wire.requests.find(({ id }) => id === message.id)!;
      return { kind: 'stored', id: message.id, signBytes: stored(asked.signBytes, wire.requests.length) };
    };
    return [cluster, wire];
  }
  const later = (bytes: Uint8Array, nanos: number): Uint8Array =>
    SignBytes.encode(withTimestamp(SignBytes.parse(bytes).says, { seconds: 1_700_000_000n, nanos })).bytes;

  type Lie = (asked: Uint8Array, ask: number) => Uint8Array;
  it.each<[name: string, stored: Lie, expected: RegExp]>([
    ['another block, earlier', () => vote({ at: [8, 0, 3], block: 'B', nanos: 100 }).signBytes.bytes, /^signed 500$/],
    ['another block, later', () => vote({ at: [8, 0, 3], block: 'B', nanos: 900 }).signBytes.bytes, /^signed 500$/],
    ['nil, later', () => vote({ at: [8, 0, 3], block: 'nil', nanos: 900 }).signBytes.bytes, /^signed 500$/],
    ['another height', () => vote({ at: [9, 0, 3], nanos: 900 }).signBytes.bytes, /^signed 500$/],
    ['another step', () => vote({ at: [8, 0, 2], nanos: 900 }).signBytes.bytes, /^signed 500$/],
    ['another chain', () => vote({ at: [8, 0, 3], chainId: 'test-2', nanos: 9 }).signBytes.bytes, /^signed 500$/],
    ['garbage', () => Uint8Array.of(1, 2, 3), /^signed 500$/],
    ['the very bytes that it was asked for', (asked) => asked, /^signed 500$/],
    ['always the same older time', (asked) => later(asked, 100), /^signed (100|500)$/],
    ['always the same newer time', (asked) => later(asked, 900), /^signed (500|900)$/],
    ['ever newer times', (asked, ask) => later(asked, 1_000 + ask), /^signed (500|10\d\d)$/],
    ['ever older times', (asked, ask) => later(asked, 400 - ask), /^signed (500|39\d)$/],
  ])('%s', async (_name, stored, expected) => {
    const [cluster, wire] = await withLiar(stored);
    expect(told(await cluster.ask('a', NEXT))).toMatch(expected);
    expect(wire.requests.length).toBeLessThan(10);
    expect(leftOut(cluster)).toEqual([BAD]);
    expect(cluster.faults).toEqual([]);
  });
});

describe('stored bytes that are newer than what is asked for', () => {
  const at = (seconds: bigint, nanos = 500) => {
    const asked = vote({ at: [8, 0, 3], nanos: 500 });
    const signBytes = SignBytes.encode(
      withTimestamp(asked.signBytes.says, { seconds: 1_700_000_000n + seconds, nanos }),
    );
    return { signBytes, extension: undefined };
  };
  it.each<[name: string, stored: ReturnType<typeof at>, signed: bigint, leftOut: number[]]>([
    ['by sixty seconds are believed', at(60n), 60n, []],
    ['by a nanosecond more are not: who has them is left out, the others sign what is asked', at(60n, 501), 0n, [1]],
    ['by a year are not either', at(31_536_000n), 0n, [1]],
  ])('%s', async (_name, stored, signed, out) => {
    const cluster = await Cluster.start({ threshold: 2, count: 3 });
    expect(await new RawLink(cluster).ask([1], stored)).toMatchObject([{ kind: 'signed' }]);
    expect(await cluster.ask('a', at(0n))).toMatchObject({
      kind: 'signed',
      timestamp: { seconds: 1_700_000_000n + signed },
    });
    expect(leftOut(cluster)).toEqual(out);
  });
});

describe('bad commitments', () => {
  type Spoil = (commitment: NonceCommitment) => NonceCommitment;
  const spoiled =
    (how: Spoil) =>
    (message: CosignerMessage): CosignerMessage =>
      message.kind === 'nonceBatch' ? { ...message, commitments: message.commitments.map(how) } : message;
  /** A point of order 8: on the curve, outside the prime-order group. */
  const OTHER_ORDER = toPoint(fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'));

  it.each<[name: string, how: Spoil]>([
    ['a hiding point of order 8', (one) => ({ ...one, hiding: OTHER_ORDER })],
    ['a binding point of order 8', (one) => ({ ...one, binding: OTHER_ORDER })],
    ['bytes that are no point', (one) => ({ ...one, binding: toPoint(new Uint8Array(32).fill(2)) })],
    ['the identity', (one) => ({ ...one, hiding: toPoint(Uint8Array.of(1, ...new Uint8Array(31))) })],
    ['for extensions alone', (one) => (one.nonceId % 2 === 0 ? { ...one, binding: OTHER_ORDER } : one)],
  ])('%s: the vote is signed, their cosigner is left out, and the others go on for ever', async (_name, how) => {
    const cluster = await Cluster.start({ threshold: 2, count: 3 });
    const wire = cluster.wire('a', BAD);
    wire.tamper = spoiled(how);
    // More often than the others have commitments in their pools: with too few others it is asked all the same.
    for (let times = 1; times <= 40; times++) {
      const at = (round: number) => vote({ at: [10 + times, round, 3], extension: 'x' });
      await cluster.onlyAlive('a', [1, 3]);
      await cluster.onlyAlive('a', [1, BAD]);
      expect(told(await cluster.ask('a', at(0)))).toBe('QUORUM_LOST');
      await cluster.onlyAlive('a', [1, BAD, 3]);
      expect(told(await cluster.ask('a', at(1)))).toBe('signed 500');
    }
    expect(leftOut(cluster)).toEqual([BAD]);
    expect(wire.requests).toHaveLength(40);
  });

  it('one that calls the good ones of others bad is left out itself', async () => {
    const cluster = await Cluster.start({ threshold: 2, count: 3 });
    cluster.wire('a', BAD).tamper = (message) =>
      message.kind === 'signed'
        ? { kind: 'refused', id: message.id, code: 'FROST_POINT_INVALID', message: 'of cosigner 1' }
        : message;
    expect(told(await cluster.ask('a', NEXT))).toBe('signed 500');
    expect(leftOut(cluster)).toEqual([BAD]);
  });

  it('more than were asked for: left out, told once', async () => {
    const cluster = await Cluster.start({ threshold: 2, count: 3 });
    cluster.wire('a', BAD).tamper = (message) =>
      message.kind === 'heartbeatReply'
        ? {
            ...{ kind: 'nonceBatch', chainId: 'test-1', groupPublicKey: cluster.publicKey },
            commitments: Array.from({ length: 300 }, () => COMMITMENT),
          }
        : message;
    await cluster.clock.pass(2_000);
    expect(leftOut(cluster)).toEqual([BAD]);
    expect(told(await cluster.ask('a', NEXT))).toBe('signed 500');
  });
  const COMMITMENT = { nonceId: 1, hiding: OTHER_POINT, binding: OTHER_POINT };
});
