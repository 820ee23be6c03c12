import { equalBytes, wipe } from '../../shared/bytes.js';
import { HekateError } from '../../shared/errors.js';
import type { Group } from '../../shared/frost/group.js';
import { keyFromSeed } from '../../shared/frost/keys.js';
import { base64ToBytes, hexToBytes } from '../../shared/keys/secret-bytes.js';
import type { OldKey } from './old-signer.js';

/**
 * An Ed25519 key as text without a name: base64 of a seed, or of a seed and its public key, which must belong together. `of`: whose
 * key file it is. Throws KEY_INVALID; no message has a part of it.
 */
export function parseBareKey(group: Group, contents: Uint8Array, of: string): OldKey {
  const text = trimmed(contents);
  const bytes = base64ToBytes(text);
  if (bytes === undefined) throw invalid(of, isHex(text) ? 'it is hex instead of base64' : 'it is not padded base64');
  try {
    if (bytes.length !== 32 && bytes.length !== 64)
      throw invalid(of, `it has ${bytes.length} bytes; a seed of 32, or with its public key 64, are possible`);
    const key = keyFromSeed(group, bytes.subarray(0, 32));
    if (bytes.length === 32 || equalBytes(key.publicKey, bytes.subarray(32))) return key;
    wipe(key.secret);
    throw invalid(of, 'its second half is not the public key of the first: it is damaged, or of another form');
  } finally {
    wipe(bytes);
  }
}

/** Without white space around it. */
function trimmed(contents: Uint8Array): Uint8Array {
  let [start, end] = [0, contents.length];
  while (end > start && (contents[end - 1] ?? 0) <= 0x20) end--;
  while (start < end && (contents[start] ?? 0) <= 0x20) start++;
  return contents.subarray(start, end);
}

function isHex(text: Uint8Array): boolean {
  const bytes = hexToBytes(text);
  if (bytes !== undefined) wipe(bytes);
  return bytes !== undefined && bytes.length > 0;
}

function invalid(of: string, problem: string): HekateError {
  return new HekateError('KEY_INVALID', `not a usable key of ${of}: ${problem}`, {
    fix: `give the key file that the configuration of ${of} names, as it uses it`,
  });
}
