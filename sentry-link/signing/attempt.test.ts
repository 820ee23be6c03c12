import { describe, expect, it } from 'vitest';
import { fromHex } from '../../src/shared/bytes.js';
import type { SignedReply } from '../../src/shared/coordination/messages.js';
import { verifySignature } from '../../src/shared/ed25519/openssl-verify.js';
import { verificationShare } from '../../src/shared/frost/feldman.js';
import type { Scalar } from '../../src/shared/frost/group.js';
import { loadGroup } from '../../src/shared/frost/load-group.js';
import { generateNonces } from '../../src/shared/frost/nonce.js';
import { signShare } from '../../src/shared/frost/sign.js';
import { toSignatureShare, type SignatureShare, type SignerShare } from '../../src/shared/frost/signature-share.js';
import { dealing, scalarFrom, scalarOf, seededRandom } from '../../src/shared/frost/testdata/fixture.js';
import { SignBytes } from '../../src/shared/privval/sign-bytes.js';
import { Attempt } from './attempt.js';

const group = await loadGroup();
const random = seededRandom('attempt');
const VOTE = SignBytes.encode({
  step: 3,
  chainId: 'test-1',
  height: 7n,
  round: 0,
  blockId: undefined,
  timestamp: { seconds: 1n, nanos: 0 },
});
const EXTENSION = new Uint8Array(60).fill(8);

/** An attempt of cosigners `ids` of a 2-of-3 or 3-of-5 key, and the honest answer of each. */
function attemptOf(ids: readonly number[], count: number, options: { extension?: Uint8Array; over?: Uint8Array } = {}) {
  const dealt = dealing(group, ids.length, count, random);
  const made = ids.map((id) => {
    const { secretShare } = dealt.shares[id - 1]!;
    const pair = (): ReturnType<typeof generateNonces> => generateNonces(group, secretShare, random);
    return { id, secretShare, vote: pair(), extension: pair() };
  });
  const signers = made.map(({ id, vote, extension }) => ({
    id,
    vote: { nonceId: 1, ...vote.commitment },
    extension: options.extension && { nonceId: 2, ...extension.commitment },
  }));
  const attempt = new Attempt(
    {
      kind: 'signRequest',
      id: 9,
      term: 1,
      chainId: 'test-1',
      groupPublicKey: dealt.groupPublicKey,
      signBytes: VOTE.bytes,
      extension: options.extension,
      settle: false,
      signers,
    },
    VOTE,
    options.extension,
  );
  const share = (which: 'vote' | 'extension', message: Uint8Array) => {
    const commitments = made.map((one) => ({ id: one.id, ...one[which].commitment }));
    return made.map(({ id, secretShare, [which]: { nonces } }) =>
      signShare(group, { id, secretShare, groupPublicKey: dealt.groupPublicKey, nonces, commitments, message }),
    );
  };
  const votes = share('vote', options.over ?? VOTE.bytes);
  const extensions = options.extension && share('extension', options.extension);
  const replies = ids.map((_id, i): SignedReply => ({
    kind: 'signed',
    id: 9,
    vote: votes[i]!,
    extension: extensions?.[i],
  }));
  const verificationShares = new Map(
    dealt.shares.map(({ id }) => [id, verificationShare(group, dealt.commitments, id)]),
  );
  return { attempt, replies, key: { publicKey: dealt.groupPublicKey, verificationShares } };
}

describe('attempt', () => {
  it.each([
    [[1, 2], 3],
    [[1, 3], 3],
    [[2, 4, 5], 5],
  ])('signers %j of %d make a signature of the key, over the bytes asked for', (ids, count) => {
    const { attempt, replies, key } = attemptOf(ids, count, { extension: EXTENSION });
    const complete = ids.map((id, i) => attempt.add(id, replies[i]!));
    expect(complete).toEqual(ids.map((_id, i) => i === ids.length - 1));
    const result = attempt.finish(group, key);
    if (result.kind !== 'complete') throw new Error('not complete');
    const { signBytes, signature, extensionSignature } = result.signed;
    expect(signBytes).toBe(VOTE);
    expect(verifySignature(key.publicKey, VOTE.bytes, signature)).toBe(true);
    expect(verifySignature(key.publicKey, EXTENSION, extensionSignature!)).toBe(true);
  });

  it('knows whom it waits for, and that a share means: stored', () => {
    const { attempt, replies } = attemptOf([1, 2, 3], 3);
    expect([[...attempt.waitingFor], attempt.hasShares]).toEqual([[1, 2, 3], false]);
    attempt.answered(2);
    expect([[...attempt.waitingFor], attempt.hasShares]).toEqual([[1, 3], false]);
    attempt.add(1, replies[0]!);
    expect([[...attempt.waitingFor], attempt.hasShares]).toEqual([[3], true]);
    expect(attempt.isWaitingFor(1)).toBe(false);
  });

  it('a dead attempt never completes; a stalled one may', () => {
    const dead = attemptOf([1, 2], 3);
    dead.attempt.dead = true;
    expect([1, 2].map((id, i) => dead.attempt.add(id, dead.replies[i]!))).toEqual([false, false]);
    const stalled = attemptOf([1, 2], 3);
    stalled.attempt.stalled = true;
    expect([1, 2].map((id, i) => stalled.attempt.add(id, stalled.replies[i]!))).toEqual([false, true]);
  });

  const B = group.baseMult(scalarOf(1));
  const bit = (bytes: Uint8Array, at: number): Uint8Array => bytes.map((byte, i) => (i === at ? byte ^ 4 : byte));
  const wrong = (part: SignerShare, at = 3): SignerShare => ({ ...part, share: toSignatureShare(bit(part.share, at)) });
  const more = (share: SignatureShare, by: Scalar): SignatureShare =>
    toSignatureShare(group.scalarAdd(scalarFrom(share), by));
  it.each<[name: string, spoil: (replies: SignedReply[]) => void, culprits: number[]]>([
    ['one share', (r) => (r[1] = { ...r[1]!, vote: wrong(r[1]!.vote) }), [4]],
    ['two shares', (r) => [0, 2].forEach((i) => (r[i] = { ...r[i]!, vote: wrong(r[i]!.vote, 3 + i) })), [2, 5]],
    ['a share in the extension', (r) => (r[2] = { ...r[2]!, extension: wrong(r[2]!.extension!) }), [5]],
    ['a missing extension', (r) => (r[0] = { ...r[0]!, extension: undefined }), [2]],
    ['a group commitment', (r) => (r[0] = { ...r[0]!, vote: { ...r[0]!.vote, groupCommitment: B } }), [2]],
    [
      'the same wrong group commitment of all',
      (r) => r.forEach((one, i) => (r[i] = { ...one, vote: { ...one.vote, groupCommitment: B } })),
      [2, 4, 5],
    ],
    ['two shares swapped: their sum is good, nobody is accused', (r) => ([r[0], r[1]] = [r[1]!, r[0]!]), []],
    [
      'errors that cancel each other out: nobody is accused',
      (r) => {
        const [one, two] = [more(r[0]!.vote.share, scalarOf(1)), more(r[1]!.vote.share, MINUS_ONE)];
        r[0] = { ...r[0]!, vote: { ...r[0]!.vote, share: one } };
        r[1] = { ...r[1]!, vote: { ...r[1]!.vote, share: two } };
      },
      [],
    ],
  ])('wrong: %s', (_name, spoil, culprits) => {
    const { attempt, replies, key } = attemptOf([2, 4, 5], 5, { extension: EXTENSION });
    spoil(replies);
    [2, 4, 5].forEach((id, i) => attempt.add(id, replies[i]!));
    const result = attempt.finish(group, key);
    expect(result.kind === 'culprits' ? result.ids : []).toEqual(culprits);
    expect(result.kind).toBe(culprits.length === 0 ? 'complete' : 'culprits');
  });

  it('good shares over other bytes than asked for are all bad', () => {
    const { attempt, replies, key } = attemptOf([1, 2], 3, { over: EXTENSION });
    [1, 2].forEach((id, i) => attempt.add(id, replies[i]!));
    expect(attempt.finish(group, key)).toEqual({ kind: 'culprits', ids: [1, 2] });
  });

  it('good shares of another key than configured: no signature, whoever is to blame', () => {
    const { attempt, replies } = attemptOf([1, 2], 3);
    const { key } = attemptOf([1, 2], 3);
    [1, 2].forEach((id, i) => attempt.add(id, replies[i]!));
    expect(attempt.finish(group, key)).toMatchObject({ kind: 'culprits' });
  });
});

const MINUS_ONE = scalarFrom(fromHex('ecd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010'));
