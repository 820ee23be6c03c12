import { wipe } from '../../shared/bytes.js';
import { HekateError } from '../../shared/errors.js';
import { isJsonObject } from '../json-object.js';
import { parseLiftedJson, type LiftedJson } from './lifted-json.js';
import { base64ToBytes } from '../../shared/keys/secret-bytes.js';

/**
 * The 32-byte Ed25519 public key in a priv_validator_key.json, or in CometBFT's or the Cosmos SDK's JSON of a key alone. A
 * private key beside it is not looked at, and wiped from `contents`. Throws KEY_INVALID or KEY_TYPE_UNSUPPORTED.
 */
export function parsePublicKey(contents: Uint8Array): Uint8Array {
  const json = parse(contents);
  try {
    return readPublicKey(json);
  } finally {
    json.wipe();
  }
}

function parse(contents: Uint8Array): LiftedJson {
  try {
    return parseLiftedJson(contents);
  } catch {
    throw new HekateError('KEY_INVALID', 'the file with the public key is not JSON');
  } finally {
    wipe(contents);
  }
}

function readPublicKey(json: LiftedJson): Uint8Array {
  const file = json.value;
  const key = isJsonObject(file) && isJsonObject(file['pub_key']) ? file['pub_key'] : file;
  if (!isJsonObject(key)) throw new HekateError('KEY_INVALID', 'there is no public key in the file');
  const type = key['type'] ?? key['@type'];
  if (type !== 'tendermint/PubKeyEd25519' && type !== '/cosmos.crypto.ed25519.PubKey')
    throw new HekateError('KEY_TYPE_UNSUPPORTED', 'the public key is not of an Ed25519 type');
  const ascii = json.bytesOf(key['value'] ?? key['key']);
  const bytes = ascii && base64ToBytes(ascii);
  if (bytes?.length !== 32) throw new HekateError('KEY_INVALID', 'the public key is not 32 bytes in base64');
  return bytes;
}
