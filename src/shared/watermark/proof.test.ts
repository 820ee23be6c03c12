import { sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isHekateError } from '../errors.js';
import { privateKeyOf, rawPublicKey } from '../ed25519/raw-keys.js';
import type { Canonical, CanonicalVote } from '../privval/canonical.js';
import { SignBytes } from '../privval/sign-bytes.js';
import { fullPace } from './height-pace.js';
import { learn } from './learn.js';
import { checkProof, claimedBytes, type Proof } from './proof.js';
import { floorAtHeight, neverSigned, type Watermark } from './watermark.js';

const NOW = 1_700_000_000;
const KEY = privateKeyOf('ed25519', new Uint8Array(32).fill(3));
const OTHER = privateKeyOf('ed25519', new Uint8Array(32).fill(4));
const BINDING = { chainId: 'test-1', groupPublicKey: rawPublicKey(KEY) };
const blockId = (name: number) => ({
  hash: new Uint8Array(32).fill(name),
  partsTotal: 1,
  partsHash: new Uint8Array(32).fill(name),
});
const VOTE: CanonicalVote = {
  chainId: 'test-1',
  height: 10n,
  round: 1,
  step: 3,
  blockId: blockId(1),
  timestamp: { seconds: 5n, nanos: 0 },
};

function proofOf(says: Canonical, key = KEY): Proof {
  const { bytes } = SignBytes.encode(says);
  return { ...BINDING, signBytes: bytes, signature: new Uint8Array(sign(null, bytes, key)) };
}

function verdict(proof: Proof): string {
  try {
    claimedBytes(proof, BINDING);
    checkProof(proof);
    return 'shown';
  } catch (error) {
    if (!isHekateError(error)) throw error;
    return `${error.code}: ${error.message.replace(/.* key /, '')}`;
  }
}

describe('a proof', () => {
  const good = proofOf(VOTE);
  it.each<[name: string, proof: Proof, expected: string]>([
    ['of a vote', good, 'shown'],
    ['of a vote for no block', proofOf({ ...VOTE, blockId: undefined }), 'shown'],
    ['that another key signed', proofOf(VOTE, OTHER), 'PROOF_INVALID: does not verify'],
    ['of another key', { ...good, groupPublicKey: rawPublicKey(OTHER) }, 'PROOF_INVALID: is of another key'],
    ['of another chain', { ...good, chainId: 'test-2' }, 'PROOF_INVALID: is for chain "test-2"'],
    [
      'with bytes of another chain',
      proofOf({ ...VOTE, chainId: 'test-2' }),
      'PROOF_INVALID: has sign bytes of another chain',
    ],
    [
      'with the signature of another vote',
      { ...good, signature: proofOf({ ...VOTE, round: 2 }).signature },
      'PROOF_INVALID: does not verify',
    ],
    ['over garbage', { ...good, signBytes: new Uint8Array(40) }, 'PROOF_INVALID: has sign bytes that say nothing'],
    ['without a signature', { ...good, signature: new Uint8Array() }, 'PROOF_INVALID: does not verify'],
  ])('%s', (_name, proof, expected) => {
    expect(verdict(proof)).toBe(expected);
  });
});

describe('what a signature that is shown does to a watermark', () => {
  const at = (says: Canonical): Watermark => ({
    ...{ height: says.height, round: says.round, step: says.step },
    ...{ signBytes: SignBytes.encode(says), fresh: false },
  });
  const shown = SignBytes.encode(VOTE);
  const raised = { ...at(VOTE), pace: fullPace(NOW) };
  const pace = { left: 5, atSecond: 1 };
  const floor = { ...at(VOTE), signBytes: undefined, pace };
  const later = { seconds: 6n, nanos: 0 };
  it.each<[name: string, stored: Watermark, kind: string, next: Watermark | undefined]>([
    ['never signed', neverSigned(), 'learned', raised],
    ['an earlier step', at({ ...VOTE, step: 2 }), 'learned', raised],
    ['an earlier height, any number of them', at({ ...VOTE, height: 1n }), 'learned', raised],
    ['the same', at(VOTE), 'known', undefined],
    ['the same with another timestamp', at({ ...VOTE, timestamp: later }), 'known', undefined],
    ['a later round', at({ ...VOTE, round: 2 }), 'known', undefined],
    ['a floor at that place', { ...at(VOTE), signBytes: undefined }, 'known', undefined],
    ['a floor above', floorAtHeight(10n), 'known', undefined],
    ['another block', { ...at({ ...VOTE, blockId: blockId(2) }), pace }, 'conflict', floor],
    ['no block', { ...at({ ...VOTE, blockId: undefined }), pace }, 'conflict', floor],
    [
      'a block of the same hash in other parts',
      { ...at({ ...VOTE, blockId: { ...blockId(1), partsTotal: 2 } }), pace },
      'conflict',
      floor,
    ],
  ])('%s', (_name, stored, kind, next) => {
    const learned = learn(stored, shown, NOW);
    expect(learned.kind).toBe(kind);
    expect('next' in learned ? learned.next : undefined).toEqual(next);
  });

  it('names both blocks', () => {
    expect(learn(at({ ...VOTE, blockId: blockId(2) }), shown, NOW)).toMatchObject({
      message:
        'at height 10, round 1, precommit block 0101010101:1:0101010101 is signed, and this cosigner gave a share for block 0202020202:1:0202020202',
    });
  });
});
