import { INT32_MAX, INT64_MAX } from '../shared/privval/canonical.js';
import { fromHex } from '../shared/bytes.js';
import { HekateError, messageOf } from '../shared/errors.js';
import { SignBytes } from '../shared/privval/sign-bytes.js';
import { compareHrs, describePlace, type HeightRoundStep, type Watermark } from '../shared/watermark/watermark.js';
import { base64ToBytes } from '../shared/keys/secret-bytes.js';
import { isJsonObject } from './json-object.js';

/** Far above any real one (about 500 bytes); a wrong file is not worth parsing. */
const MAX_JSON_LENGTH = 64 * 1024;
const DECIMAL = /^(?:0|[1-9][0-9]{0,18})$/;

export interface FilePvState {
  readonly watermark: Watermark;
  /** 64 bytes, over the watermark's sign bytes; undefined where the file has none. */
  readonly signature: Uint8Array | undefined;
}

/**
 * The watermark in CometBFT's priv_validator_state.json (FilePVLastSignState in privval/file.go: height is a string, round
 * and step are numbers, step is 0 none, 1 proposal, 2 prevote, 3 precommit). A field that is missing is refused rather than
 * taken for zero. Whose signature it is, is not looked at here. Throws STATE_IMPORT_INVALID.
 */
export function fromFilePv(json: string, chainId: string): FilePvState {
  const state = parseObject(json);
  const height = readHeight(state['height']);
  const round = readInteger(state['round'], 'round', INT32_MAX);
  const step = readInteger(state['step'], 'step', 3) as Watermark['step'];
  const signBytes = readSignBytes(state['signbytes']);
  if (signBytes !== undefined) checkSignBytes(signBytes, { height, round, step }, chainId);
  const watermark: Watermark = { height, round, step, signBytes, fresh: false };
  return { watermark, signature: readSignature(state['signature']) };
}

/**
 * The watermark as priv_validator_state.json, for going back to CometBFT's own signer. Without sign bytes: a cosigner
 * never has the signature, and FilePV panics when it finds one without the other.
 */
export function toFilePv(watermark: Watermark): string {
  const { height, round, step } = watermark;
  return `${JSON.stringify({ height: height.toString(), round, step }, undefined, 2)}\n`;
}

function invalid(problem: string, cause?: unknown): HekateError {
  return new HekateError('STATE_IMPORT_INVALID', `not a usable priv_validator_state.json: ${problem}`, { cause });
}

function parseObject(json: string): Record<string, unknown> {
  if (json.length > MAX_JSON_LENGTH) throw invalid(`it has ${json.length} characters`);
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw invalid('it is not JSON', error);
  }
  if (!isJsonObject(value)) throw invalid('it is not a JSON object');
  return value;
}

function readHeight(value: unknown): bigint {
  if (value === undefined) throw invalid('height is missing');
  if (typeof value !== 'string' || !DECIMAL.test(value)) throw invalid('height is not a string of decimal digits');
  const height = BigInt(value);
  if (height > INT64_MAX) throw invalid(`height ${height} is above 2^63-1`);
  return height;
}

function readInteger(value: unknown, name: string, max: number): number {
  if (value === undefined) throw invalid(`${name} is missing`);
  if (typeof value !== 'number' || !Number.isInteger(value)) throw invalid(`${name} is not a whole number`);
  if (value < 0 || value > max) throw invalid(`${name} ${value} is not between 0 and ${max}`);
  return value;
}

function readSignBytes(value: unknown): SignBytes | undefined {
  if (value === undefined || value === '') return undefined;
  if (typeof value !== 'string') throw invalid('signbytes is not a string');
  let bytes: Uint8Array;
  try {
    bytes = fromHex(value);
  } catch (error) {
    throw invalid('signbytes is not hex', error);
  }
  try {
    return SignBytes.parse(bytes);
  } catch (error) {
    throw invalid(`signbytes cannot be read: ${messageOf(error)}`, error);
  }
}

function readSignature(value: unknown): Uint8Array | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const signature = typeof value === 'string' ? base64ToBytes(Buffer.from(value, 'latin1')) : undefined;
  if (signature?.length !== 64) throw invalid('signature is not 64 bytes in base64');
  return signature;
}

function checkSignBytes({ says }: SignBytes, place: HeightRoundStep, chainId: string): void {
  if (says.chainId !== chainId) {
    throw invalid(`signbytes are for chain ${JSON.stringify(says.chainId)}, not ${JSON.stringify(chainId)}`);
  }
  if (compareHrs(says, place) !== 0) {
    throw invalid(`it says ${describePlace(place)} but its signbytes say ${describePlace(says)}`);
  }
}
