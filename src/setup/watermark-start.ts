import { HekateError } from '../shared/errors.js';
import { verifySignature } from '../shared/ed25519/openssl-verify.js';
import { fullPace } from '../shared/watermark/height-pace.js';
import {
  compareHrs,
  floorAtHeight,
  describePlace,
  neverSigned,
  type HeightRoundStep,
  type Watermark,
} from '../shared/watermark/watermark.js';
import type { FilePvState } from './file-pv.js';

/** Everything that was given about where a key has signed on a chain. */
export interface StartInputs {
  /** A priv_validator_state.json. */
  readonly state: FilePvState | undefined;
  readonly height: bigint | undefined;
  /** An operator says so. */
  readonly neverSigned: boolean;
}

/** The key that the watermark is for, where it is known. */
export interface StartKey {
  readonly publicKey: Uint8Array;
  /** What its own file says that it signed last, before Tendermint 0.28. */
  readonly lastSigned?: HeightRoundStep | undefined;
}

/**
 * Where a watermark starts; undefined when nothing was given. "Nothing known" is not "never signed": a state at height 0 is what
 * CometBFT writes anew where none is, as after the key was moved away. `nowSecond`: the wall clock, from which on heights
 * may rise at the pace; where sign bytes are known, it is from their timestamp on. Throws WATERMARK_START_UNSURE,
 * WATERMARK_START_CONTRADICTED or STATE_IMPORT_INVALID.
 */
export function chooseStart(inputs: StartInputs, key: StartKey | undefined, nowSecond: number): Watermark | undefined {
  const start = startOf(inputs, nowSecond);
  if (start === undefined) return undefined;
  if (key !== undefined && inputs.state !== undefined) checkSignature(inputs.state, key.publicKey);
  const last = key?.lastSigned;
  if (last !== undefined && compareHrs(start, last) < 0)
    throw contradicted(
      `the key file says that this key signed at ${describePlace(last)}, above ${describePlace(start)}`,
    );
  return start;
}

function startOf({ state, height, neverSigned: never }: StartInputs, nowSecond: number): Watermark | undefined {
  const pace = fullPace(nowSecond);
  const found = state?.watermark;
  if (never) {
    if (found !== undefined && !isNothing(found))
      throw contradicted(`--never-signed, but the state file says that this key signed at ${describePlace(found)}`);
    return neverSigned();
  }
  if (height === 0n) throw unsure('height 0 refuses nothing');
  if (height !== undefined) return { ...floorAtHeight(height), pace };
  if (found !== undefined && isNothing(found))
    throw unsure('the state file is at height 0, as one that a node wrote anew: it knows nothing of what was signed');
  // Bytes that nothing shows to be signed could have been edited: the place stays, and nothing at it is signed again.
  return found === undefined || state?.signature !== undefined ? found : { ...found, signBytes: undefined, pace };
}

/** Heights begin at 1. */
function isNothing({ height }: Watermark): boolean {
  return height === 0n;
}

function checkSignature({ watermark, signature }: FilePvState, publicKey: Uint8Array): void {
  const { signBytes } = watermark;
  if (signBytes === undefined || signature === undefined) return;
  if (verifySignature(publicKey, signBytes.bytes, signature)) return;
  const problem = 'its signature over its signbytes is not of this key: it is the state of another key, or was edited';
  throw new HekateError('STATE_IMPORT_INVALID', `not a usable priv_validator_state.json: ${problem}`);
}

function unsure(problem: string): HekateError {
  return new HekateError('WATERMARK_START_UNSURE', problem);
}

function contradicted(problem: string): HekateError {
  return new HekateError('WATERMARK_START_CONTRADICTED', problem);
}
