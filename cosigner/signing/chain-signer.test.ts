import { beforeEach, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/shared/error-codes.js';
import { HekateError } from '../../src/shared/errors.js';
import { InvariantViolation } from '../../src/shared/invariant.js';
import { MAX_QUEUED_SIGN_REQUESTS } from '../../src/shared/coordination/limits.js';
import type { NonceCommitment, SignReply, SignRequest } from '../../src/shared/coordination/messages.js';
import type { Scalar } from '../../src/shared/frost/group.js';
import { loadGroup } from '../../src/shared/frost/load-group.js';
import { dealing, seededRandom } from '../../src/shared/frost/testdata/fixture.js';
import { silentLog } from '../../src/shared/ports/log.js';
import { neverSigned, type Watermark } from '../../src/shared/watermark/watermark.js';
import { vote, type VoteSpec } from '../../test/protocol/votes.js';
import { ManualClock } from '../../test/support/manual-clock.js';
import { ChainSigner, type ChainSignerDeps, type SigningStream } from './chain-signer.js';
import { NoncePool } from './nonce-pool.js';
import type { WatermarkPort } from './watermark-port.js';

const group = await loadGroup();
const random = seededRandom('chain-signer');
const dealt = dealing(group, 2, 3, random);
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A watermark whose writes end when the test says so. */
class HeldWatermark implements WatermarkPort {
  current: Watermark = neverSigned();
  sequence = 2n;
  halted: ErrorCode | undefined;
  waiting = false;
  readonly writes: {
    readonly next: Watermark;
    readonly done: () => void;
    readonly lie: () => void;
    readonly fail: (error: Error) => void;
  }[] = [];

  endWait(next: Watermark): Promise<void> {
    this.waiting = false;
    return this.advance(next);
  }

  advance(next: Watermark): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        this.current = next;
        this.sequence++;
        resolve();
      };
      this.writes.push({ next, done, lie: resolve, fail: reject });
    });
  }
}

describe('chain signer', () => {
  let watermark: HeldWatermark;
  let signer: ChainSigner;
  let stream: SigningStream;
  let mine: NonceCommitment[];
  let theirs: NonceCommitment[];
  let share: Scalar;
  let discarded: number;
  /** Every secret nonce that was made, of any stream. */
  let secrets: Scalar[];

  beforeEach(() => {
    watermark = new HeldWatermark();
    share = structuredClone(dealt.shares[0]!.secretShare);
    const options = { chainId: 'test-1', threshold: 2, groupPublicKey: dealt.groupPublicKey, maxHeightJump: 100_000n };
    const more = { maxHeightsPerSecond: 0, sitsOut: true, others: [2, 3] };
    secrets = [];
    discarded = 0;
    const noncePool: ChainSignerDeps['noncePool'] = (generate, onDiscarded) => {
      const watched = (): ReturnType<typeof generate> => {
        const issued = generate();
        secrets.push(issued.nonces.hiding, issued.nonces.binding);
        return issued;
      };
      return new NoncePool(watched, 64, onDiscarded);
    };
    const clock = new ManualClock();
    const outside = { clock, wallSecond: () => 1_700_000_000, random, publicRandom: random, log: silentLog };
    const deps = { group, watermark, noncePool, ...outside };
    signer = new ChainSigner({ ...options, ...more, id: 1, secretShare: share }, deps);
    const other = new ChainSigner({ ...options, ...more, id: 2, secretShare: dealt.shares[1]!.secretShare }, deps);
    stream = signer.open(() => discarded++);
    const { nonces } = other.open(() => undefined);
    for (const one of [stream.nonces, nonces]) one.generate(64);
    [mine, theirs] = [[...stream.nonces.takeReady().commitments], [...nonces.takeReady().commitments]];
  });

  function request(spec: VoteSpec, changes: Partial<SignRequest> = {}): SignRequest {
    const { signBytes, extension } = vote(spec);
    const ext = (from: NonceCommitment[]): NonceCommitment | undefined => (extension ? from.shift()! : undefined);
    const entry = (id: number, from: NonceCommitment[]) => ({ id, vote: from.shift()!, extension: ext(from) });
    const signers = [entry(1, mine), entry(2, theirs)];
    const common = { kind: 'signRequest', id: 1, term: 1, chainId: 'test-1', settle: false } as const;
    return {
      ...common,
      groupPublicKey: dealt.groupPublicKey,
      signBytes: signBytes.bytes,
      extension,
      signers,
      ...changes,
    };
  }
  const sign = (asked: SignRequest, admits = true): Promise<SignReply> => stream.sign(asked, () => admits);
  const outcome = async (answer: Promise<SignReply>): Promise<string> => {
    const reply = await answer;
    return reply.kind === 'refused' ? reply.code : reply.kind;
  };
  const AT = { at: [7, 0, 3] } as const;

  it('the share leaves when the watermark is durable, and not a turn earlier', async () => {
    let reply: SignReply | undefined;
    void sign(request(AT)).then((answer) => (reply = answer));
    await settled();
    expect(watermark.writes.map(({ next }) => next.signBytes)).toEqual([vote(AT).signBytes]);
    expect(reply).toBeUndefined();
    watermark.writes[0]!.done();
    await settled();
    expect(reply).toMatchObject({ kind: 'signed' });
  });

  it('a write that never ends: no share ever, and the queue stays bounded', async () => {
    const replies: SignReply[] = [];
    for (let i = 0; i < MAX_QUEUED_SIGN_REQUESTS + 3; i++)
      void sign(request({ at: [7 + i, 0, 3] })).then((reply) => replies.push(reply));
    await settled();
    expect(replies).toMatchObject([{ code: 'BUSY' }, { code: 'BUSY' }, { code: 'BUSY' }]);
    expect(watermark.writes).toHaveLength(1);
  });

  it('a write that fails: its code, no share', async () => {
    const answer = sign(request(AT));
    await settled();
    watermark.writes[0]!.fail(new HekateError('STATE_WRITE_FAILED', 'disk full'));
    expect(await answer).toEqual({ kind: 'refused', id: 1, code: 'STATE_WRITE_FAILED', message: 'disk full' });
  });

  it.each<[name: string, stop: () => void, code: string]>([
    ['the store is closed', () => (watermark.halted = 'STATE_CLOSED'), 'STATE_CLOSED'],
    ['the share is wiped', () => signer.close(), 'STATE_CLOSED'],
  ])('%s while the disk works: an answer, but no share, also for those that wait', async (_name, stop, code) => {
    const answers = [sign(request(AT)), sign(request({ at: [8, 0, 3] }))];
    await settled();
    stop();
    watermark.writes[0]!.done();
    expect(await Promise.all(answers.map(outcome))).toEqual([code, code]);
    expect(watermark.writes).toHaveLength(1);
  });

  it('a store that says done and is not: the process must end, and what waits is not signed', async () => {
    const [first, second] = [sign(request(AT)), sign(request({ at: [8, 0, 3] }))];
    const ended = expect(first).rejects.toThrow(InvariantViolation);
    await settled();
    watermark.writes[0]!.lie();
    await ended;
    expect(await outcome(second)).toBe('INTERNAL');
    expect(watermark.writes).toHaveLength(1);
  });

  it('the write of a share is not started for what is refused', async () => {
    watermark.current = { height: 7n, round: 0, step: 3, signBytes: vote(AT).signBytes, fresh: false };
    const rows: [SignRequest, boolean, string][] = [
      [request({ ...AT, block: 'B' }), true, 'DOUBLE_SIGN'],
      [request({ at: [7, 0, 2] }), true, 'STEP_REGRESSION'],
      [request({ ...AT, nanos: 900 }), true, 'stored'],
      [request({ at: [8, 0, 3] }), false, 'TERM_OLD'],
      [request({ at: [8, 0, 3], chainId: 'test-2' }), true, 'WRONG_CHAIN'],
      [request({ at: [8, 0, 2], extension: 'x' }), true, 'EXTENSION_NOT_ALLOWED'],
      [request({ at: [8, 0, 3] }, { signBytes: Uint8Array.of(1, 2) }), true, 'SIGN_BYTES_INVALID'],
      [{ ...request(AT), signers: request(AT).signers.slice(0, 1) }, true, 'SIGNERS_INVALID'],
    ];
    for (const [asked, admits, code] of rows) expect(await outcome(sign(asked, admits))).toBe(code);
    expect(watermark.writes).toEqual([]);
  });

  it('the same bytes again: signed without a write', async () => {
    watermark.current = { height: 7n, round: 0, step: 3, signBytes: vote(AT).signBytes, fresh: false };
    expect(await outcome(sign(request(AT)))).toBe('signed');
    expect(watermark.writes).toEqual([]);
  });

  it.each<[name: string, change: (asked: SignRequest) => SignRequest]>([
    ['unknown', (asked) => withOwn(asked, { nonceId: 999 })],
    ['not named', (asked) => ({ ...asked, signers: asked.signers.slice(1) })],
    ['no commitment for the extension', (asked) => ({ ...asked, extension: new Uint8Array(1) })],
    ['a commitment for no extension', (asked) => ({ ...asked, signers: request({ ...AT, extension: 'x' }).signers })],
  ])('nonces %s: refused, and those that are named are spent', async (_name, change) => {
    const asked = change(request(AT));
    expect(await outcome(sign(asked))).toBe('NONCE_UNKNOWN');
    expect(await outcome(sign(asked))).toBe('NONCE_UNKNOWN');
    expect(watermark.writes).toEqual([]);
  });

  it('nonces are spent by a refusal too, and never sign twice', async () => {
    const asked = request(AT);
    expect(await outcome(sign(asked, false))).toBe('TERM_OLD');
    expect(await outcome(sign(asked))).toBe('NONCE_UNKNOWN');
  });

  it.each<[name: string, asked: () => SignRequest, code: string]>([
    ['is refused', () => request({ at: [7, 0, 3], chainId: 'test-2' }), 'WRONG_CHAIN'],
    ['is signed', () => request({ ...AT, extension: 'x' }), 'signed'],
    ['names a nonce that is not there', () => withOwnExtension(request({ ...AT, extension: 'x' })), 'NONCE_UNKNOWN'],
  ])('what a request takes is wiped when it %s, and nothing else', async (_name, asked, code) => {
    const one = asked();
    const wiped = (): number => secrets.filter((secret) => secret.every((byte) => byte === 0)).length;
    const answer = outcome(sign(one));
    await settled();
    watermark.writes[0]?.done();
    expect([await answer, wiped()]).toEqual([code, code === 'signed' ? 4 : 2]);
  });

  it('a commitment that is not ours under our nonce: refused after the watermark has moved', async () => {
    const answer = sign(withOwn(request(AT), { hiding: theirs[0]!.hiding }));
    await settled();
    watermark.writes[0]!.done();
    expect(await outcome(answer)).toBe('FROST_COMMITMENT_FOREIGN');
  });

  it('close wipes the share', async () => {
    signer.close();
    expect(share.every((byte) => byte === 0)).toBe(true);
    expect(await outcome(sign(request(AT)))).toBe('STATE_CLOSED');
    expect(signer.report().halted).toBe('STATE_CLOSED');
  });

  it('a fence: what took its turn before is signed, what comes after with the same nonces is not', async () => {
    const before = sign(request(AT));
    const fence = signer.others.fence();
    const behind = sign(request({ at: [8, 0, 3] }));
    await settled();
    expect(discarded).toBe(0);
    watermark.writes[0]!.done();
    expect(await fence).toMatchObject({ place: { height: 7n, round: 0, step: 3 }, waiting: false });
    expect(await Promise.all([before, behind].map(outcome))).toEqual(['signed', 'NONCE_UNKNOWN']);
    expect(discarded).toBe(1);
    expect(watermark.writes).toHaveLength(1);
    expect(secrets.slice(0, 128).every((nonce) => nonce.every((byte) => byte === 0))).toBe(true);
    stream.nonces.generate(2);
    expect(stream.nonces.takeReady()).toMatchObject({
      commitments: [{ nonceId: 65 }, { nonceId: 66 }],
      replaces: true,
    });
  });

  it('a chain that waits: an answer, but no share and nothing on the disk', async () => {
    watermark.waiting = true;
    expect(await sign(request(AT))).toEqual({
      ...{ kind: 'refused', id: 1, code: 'WAITING' },
      message: 'waiting: heard 0 of 2 others (2, 3 are not within reach)',
    });
    expect(watermark.writes).toEqual([]);
    expect(signer.report().waiting).toEqual([]);
  });

  it('a chain that is halted answers nobody where it stands', async () => {
    watermark.halted = 'STATE_WRITE_FAILED';
    expect(await signer.others.fence()).toBeUndefined();
    expect(discarded).toBe(0);
  });
});

function withOwnExtension(asked: SignRequest): SignRequest {
  const unknown = (one: NonceCommitment | undefined): NonceCommitment => ({ ...one!, nonceId: 999 });
  const signers = asked.signers.map((one) => (one.id === 1 ? { ...one, extension: unknown(one.extension) } : one));
  return { ...asked, signers };
}

function withOwn(asked: SignRequest, change: Partial<NonceCommitment>): SignRequest {
  const signers = asked.signers.map((one) => (one.id === 1 ? { ...one, vote: { ...one.vote, ...change } } : one));
  return { ...asked, signers };
}
