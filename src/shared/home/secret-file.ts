import { pinnedBytes, wipe } from '../bytes.js';
import { HekateError } from '../errors.js';
import { bytesToHex, hexToBytes } from '../keys/secret-bytes.js';
import { readPrivateFile, type PrivateFileCodes } from './private-file.js';

const SECRET_BYTES = 32;
const NEWLINE = 0x0a;
const MAX_FILE_BYTES = 1024;

/** 32 secret bytes as files hold them: hex in ASCII and a newline. The caller wipes it. */
export function encodeSecret(secret: Uint8Array): Uint8Array {
  const hex = bytesToHex(secret);
  const contents = pinnedBytes(hex.length + 1);
  contents.set(hex);
  contents[hex.length] = NEWLINE;
  wipe(hex);
  return contents;
}

/** Reads what `encodeSecret` made, from a file that only its owner may use. The caller wipes the result. */
export async function readSecretFile(path: string, what: string, codes: PrivateFileCodes): Promise<Uint8Array> {
  const contents = await readPrivateFile(path, what, MAX_FILE_BYTES, codes);
  try {
    let end = contents.length;
    while (end > 0 && isLineEnd(contents[end - 1])) end--;
    const secret = end === 2 * SECRET_BYTES ? hexToBytes(contents.subarray(0, end)) : undefined;
    if (secret === undefined)
      throw new HekateError(codes.invalid, `${what} ${path} is not ${2 * SECRET_BYTES} hex digits and a newline`);
    return secret;
  } finally {
    wipe(contents);
  }
}

function isLineEnd(byte: number | undefined): boolean {
  return byte === 0x0a || byte === 0x0d;
}
