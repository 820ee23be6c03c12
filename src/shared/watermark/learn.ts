import { sameExceptTimestamp, type SignBytes } from '../privval/sign-bytes.js';
import { fullPace } from './height-pace.js';
import { blockName } from './rules.js';
import { compareHrs, describePlace, type Watermark } from './watermark.js';

export type Learned =
  | { readonly kind: 'known' }
  | { readonly kind: 'learned'; readonly next: Watermark }
  /** Another block is signed at the own place: `message` names both. */
  | { readonly kind: 'conflict'; readonly next: Watermark; readonly message: string };

/**
 * What a signature that somebody shows does to a watermark. Pure. It is proof, so no limit on heights applies. At the own
 * place a signature for another block leaves a floor: neither of the two is signed again. Nothing rises by that, and the
 * bucket stays as it was.
 */
export function learn(stored: Watermark, proven: SignBytes, nowSecond: number): Learned {
  const { says } = proven;
  const { height, round, step } = says;
  const place = { height, round, step, fresh: false, pace: fullPace(nowSecond) };
  const order = compareHrs(says, stored);
  if (order > 0) return { kind: 'learned', next: { ...place, signBytes: proven } };
  const own = stored.signBytes?.says;
  if (order < 0 || own === undefined || sameExceptTimestamp(says, own)) return { kind: 'known' };
  const message = `at ${describePlace(says)} block ${blockName(says)} is signed, and this cosigner gave a share for block ${blockName(own)}`;
  return { kind: 'conflict', next: { ...place, signBytes: undefined, pace: stored.pace }, message };
}
