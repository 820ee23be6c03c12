import type { WireReader } from '../wire/reader.js';
import type { WireWriter } from '../wire/writer.js';
import { readRemoteError, type RemoteSignerError } from './remote-error.js';

const KEY_TYPE = 'ed25519';

/**
 * The body of a PubKeyResponse for every node: classic ones read field 1 (crypto.PublicKey), 1.0 reads fields 3 and 4, and
 * both skip what they do not know.
 */
export function writePublicKey(writer: WireWriter, publicKey: Uint8Array): void {
  writer.message(1, (w) => w.bytes(1, publicKey));
  writer.bytes(3, publicKey);
  writer.string(4, KEY_TYPE);
}

/** Either dialect's key; empty when there is no Ed25519 key in it. */
export function readPublicKey(reader: WireReader): { publicKey: Uint8Array; error: RemoteSignerError | undefined } {
  let classic: Uint8Array = new Uint8Array(0);
  let bytes: Uint8Array = new Uint8Array(0);
  let type = '';
  let error: RemoteSignerError | undefined;
  while (reader.next()) {
    if (reader.field === 1) classic = readClassicKey(reader.message());
    else if (reader.field === 2) error = readRemoteError(reader.message());
    else if (reader.field === 3) bytes = reader.bytes();
    else if (reader.field === 4) type = reader.string();
    else reader.skip();
  }
  return { publicKey: type === KEY_TYPE ? bytes : classic, error };
}

function readClassicKey(reader: WireReader): Uint8Array {
  let key: Uint8Array = new Uint8Array(0);
  while (reader.next()) {
    if (reader.field === 1) key = reader.bytes();
    else reader.skip();
  }
  return key;
}
