import { FIXES } from '../../src/shared/error-codes.js';
import type { WallSecond } from '../../src/shared/ports/clock.js';
import type { Log } from '../../src/shared/ports/log.js';
import { learn } from '../../src/shared/watermark/learn.js';
import { checkProof, claimedBytes, type Proof } from '../../src/shared/watermark/proof.js';
import type { StateBinding } from '../../src/shared/watermark/slot-record.js';
import type { WatermarkPort } from './watermark-port.js';

export interface LearnDeps {
  readonly watermark: Pick<WatermarkPort, 'current' | 'advance'>;
  readonly wallSecond: WallSecond;
  readonly log: Log;
}

/**
 * What others signed is taken into the watermark, so that its place cannot be signed again here, whatever becomes of the disks
 * of those who signed. Only in the chain's queue. Throws PROOF_INVALID, STATE_WRITE_FAILED.
 */
export async function learnProof(
  { watermark, wallSecond, log }: LearnDeps,
  { chainId, groupPublicKey }: StateBinding,
  proof: Proof,
): Promise<void> {
  const learned = learn(watermark.current, claimedBytes(proof, { chainId, groupPublicKey }), wallSecond());
  if (learned.kind === 'known') return;
  checkProof(proof);
  if (learned.kind === 'conflict') {
    const fields = { code: 'DOUBLE_SIGN', chain: chainId, reason: learned.message, fix: FIXES.DOUBLE_SIGN };
    log.error('another block is signed than the one that this cosigner gave a share for', fields);
  }
  await watermark.advance(learned.next);
}
