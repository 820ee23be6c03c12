import { HekateError } from '../../../shared/errors.js';
import { verifySignature } from '../../../shared/ed25519/openssl-verify.js';
import { compareHrs } from '../../../shared/watermark/watermark.js';
import { fromFilePv, type FilePvState } from '../../file-pv.js';
import { isJsonObject } from '../../json-object.js';

/** CHAIN_priv_validator_state.json, of the cluster's signatures, and CHAIN_share_sign_state.json, of this shard's parts of them. */
export type HorcruxStateKind = 'cluster' | 'share';

/**
 * A state file of Horcrux (signer/sign_state.go): FilePV's, but for numbers that were strings in one release or after one guide
 * and none in others. Undefined at height 0, which Horcrux writes where there was no state. A share's part of a signature proves
 * nothing and is left out; that of the cluster must be of `publicKey`. Throws STATE_IMPORT_INVALID.
 */
export function parseHorcruxState(
  json: string,
  kind: HorcruxStateKind,
  chainId: string,
  publicKey: Uint8Array,
): FilePvState | undefined {
  const state = parseObject(json);
  const step = number(state, 'step');
  const height = state['height'];
  const same = {
    ...state,
    height: typeof height === 'number' && Number.isSafeInteger(height) ? String(height) : height,
    round: number(state, 'round'),
    step,
    // Its length is not always that of a signature: a share's part may be any.
    signature: kind === 'share' ? undefined : state['signature'],
  };
  const found = fromFilePv(JSON.stringify(same), chainId);
  const { watermark, signature } = found;
  if (watermark.height === 0n) return undefined;
  if (watermark.signBytes !== undefined && signature !== undefined)
    if (!verifySignature(publicKey, watermark.signBytes.bytes, signature))
      throw invalid('its signature over its signbytes is not of the key of this shard');
  return found;
}

/** The higher of two; of two at one place the one whose sign bytes have their signature. */
export function higherState(a: FilePvState | undefined, b: FilePvState | undefined): FilePvState | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const order = compareHrs(a.watermark, b.watermark);
  if (order !== 0) return order > 0 ? a : b;
  return b.signature !== undefined ? b : a;
}

/** A number that may stand there as a string of its digits; anything else is for the reader of FilePV to refuse. */
function number(state: Readonly<Record<string, unknown>>, name: string): unknown {
  const value = state[name];
  return typeof value === 'string' && /^(0|[1-9]\d{0,9})$/.test(value) ? Number(value) : value;
}

function parseObject(json: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw invalid('it is not JSON', error);
  }
  if (!isJsonObject(value)) throw invalid('it is not a JSON object');
  return value;
}

function invalid(problem: string, cause?: unknown): HekateError {
  return new HekateError('STATE_IMPORT_INVALID', `not a usable state file of Horcrux: ${problem}`, { cause });
}
