import { beforeEach, describe, expect, it } from 'vitest';
import type { Proof } from '../../src/shared/watermark/proof.js';
import { SignBytes } from '../../src/shared/privval/sign-bytes.js';
import { ManualClock } from '../../test/support/manual-clock.js';
import { NewestSignature } from './newest-signature.js';

const CHAIN = 'test-1';

function proofAt(height: number): Proof {
  const place = { chainId: CHAIN, height: BigInt(height), round: 0, step: 2, blockId: undefined } as const;
  const { bytes } = SignBytes.encode({ ...place, timestamp: { seconds: 1n, nanos: 0 } });
  return { chainId: CHAIN, groupPublicKey: new Uint8Array(32), signBytes: bytes, signature: new Uint8Array(64) };
}
const heightOf = ({ signBytes }: Proof): number => Number(SignBytes.parse(signBytes).says.height);

describe('the newest signature', () => {
  let clock: ManualClock;
  /** `who height` in the order in which they were told. */
  let told: string[];
  let newest: NewestSignature;
  const make = (kept?: Proof): NewestSignature =>
    new NewestSignature(CHAIN, {
      clock,
      cosigners: [1, 2, 3],
      keeper: { load: () => kept, save: (proof) => void told.push(`kept ${heightOf(proof)}`) },
      tell: (id, proof) => void told.push(`${id} ${heightOf(proof)}`),
    });
  const signed = (height: number, signers = [1, 2]): void =>
    newest.note(proofAt(height), { height: BigInt(height), round: 0, step: 2 }, signers);
  const pass = (ms: number): string[] => {
    clock.advance(ms);
    return told.splice(0);
  };

  beforeEach(() => {
    clock = new ManualClock();
    told = [];
    newest = make();
  });

  it('is told to who took no part, once what is going on is over', () => {
    signed(5);
    expect(told).toEqual([]);
    expect(pass(0)).toEqual(['3 5', 'kept 5']);
    expect(newest.proof).toEqual(proofAt(5));
  });

  it('is told once a second at most, and then the newest', () => {
    signed(5);
    expect(pass(0)).toEqual(['3 5', 'kept 5']);
    for (const height of [6, 7, 8]) signed(height);
    expect(pass(999)).toEqual([]);
    expect(pass(1)).toEqual(['3 8', 'kept 8']);
    expect(pass(60_000)).toEqual([]);
  });

  it('is told to each by itself', () => {
    signed(5, [1, 2]);
    pass(0);
    signed(6, [1, 3]);
    expect(pass(0)).toEqual(['2 6']);
    expect(pass(1_000)).toEqual(['kept 6']);
  });

  it('does not become an older one', () => {
    signed(5);
    pass(0);
    signed(4);
    expect(pass(2_000)).toEqual([]);
    expect(newest.proof).toEqual(proofAt(5));
  });

  it('is the one that was kept until there is another', () => {
    newest = make(proofAt(9));
    expect(newest.proof).toEqual(proofAt(9));
    signed(8);
    expect(pass(2_000)).toEqual([]);
    signed(10);
    expect(pass(0)).toEqual(['3 10', 'kept 10']);
  });

  it('is kept at the end, and told to nobody any more', () => {
    signed(5);
    pass(0);
    signed(6);
    newest.stop();
    expect(told).toEqual(['kept 6']);
    expect(clock.pending).toBe(0);
  });
});
