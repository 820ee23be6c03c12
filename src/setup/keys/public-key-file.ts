import { wipe } from '../../shared/bytes.js';
import { HekateError } from '../../shared/errors.js';
import { isJsonObject } from '../json-object.js';
import { parseLiftedJson } from './lifted-json.js';
import { base64ToBytes } from '../../shared/keys/secret-bytes.js';

/**
 * The 32-byte Ed25519 public key in a priv_validator_key.json, or in CometBFT's or the Cosmos SDK's JSON of a key alone. A
 * private key beside it is not looked at, and wiped from `contents`. Throws KEY_INVALID or KEY_TYPE_UNSUPPORTED.
 */
export function parsePublicKey(contents: Uint8Array): Uint8Array {
  const { type, value } = publicPart(contents);
  if (type !== 'tendermint/PubKeyEd25519' && type !== '/cosmos.crypto.ed25519.PubKey')
    throw new HekateError('KEY_TYPE_UNSUPPORTED', 'the public key is not of an Ed25519 type');
  const bytes = typeof value === 'string' ? base64ToBytes(Buffer.from(value)) : undefined;
  if (bytes?.length !== 32) throw new HekateError('KEY_INVALID', 'the public key is not 32 bytes in base64');
  return bytes;
}

function publicPart(contents: Uint8Array): { readonly type: unknown; readonly value: unknown } {
  let file: unknown;
  try {
    const json = parseLiftedJson(contents);
    file = json.value;
    if (isJsonObject(file) && isJsonObject(file['priv_key']))
      wipe(json.bytesOf(file['priv_key']['value']) ?? new Uint8Array());
  } catch {
    throw new HekateError('KEY_INVALID', 'the file with the public key is not JSON');
  } finally {
    wipe(contents);
  }
  const key = isJsonObject(file) && isJsonObject(file['pub_key']) ? file['pub_key'] : file;
  if (!isJsonObject(key)) throw new HekateError('KEY_INVALID', 'there is no public key in the file');
  return { type: key['type'] ?? key['@type'], value: key['value'] ?? key['key'] };
}
