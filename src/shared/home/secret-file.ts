import { pinnedBytes, wipe } from '../bytes.js';
import { HekateError } from '../errors.js';
import { bytesToHex, hexToBytes } from '../keys/secret-bytes.js';
import { newerFile } from './newer-file.js';
import { readPrivateFile, type PrivateFileCodes } from './private-file.js';

const SECRET_BYTES = 32;
const NEWLINE = 0x0a;
const MAX_FILE_BYTES = 1024;
const VERSION = 1;
/** First line. Files of older releases have none: they are the second line alone. */
const VERSION_WORD = asciiBytes('version ');
const VERSION_LINE = asciiBytes(`version ${VERSION}\n`);
const MAX_VERSION_DIGITS = 9;

/** 32 secret bytes as files hold them: a line with the version, then hex in ASCII and a newline. The caller wipes it. */
export function encodeSecret(secret: Uint8Array): Uint8Array {
  const hex = bytesToHex(secret);
  const contents = pinnedBytes(VERSION_LINE.length + hex.length + 1);
  contents.set(VERSION_LINE);
  contents.set(hex, VERSION_LINE.length);
  contents[contents.length - 1] = NEWLINE;
  wipe(hex);
  return contents;
}

/**
 * Reads what `encodeSecret` made, now or in an older release, from a file that only its owner may use; no part of the secret
 * becomes a string. Throws FILE_VERSION for a newer release's. The caller wipes the result.
 */
export async function readSecretFile(path: string, what: string, codes: PrivateFileCodes): Promise<Uint8Array> {
  const contents = await readPrivateFile(path, what, MAX_FILE_BYTES, codes);
  try {
    const start = startOfSecret(contents, `${what} ${path}`);
    let end = contents.length;
    while (end > 0 && isLineEnd(contents[end - 1])) end--;
    const whole = start !== undefined && end - start === 2 * SECRET_BYTES;
    const secret = whole ? hexToBytes(contents.subarray(start, end)) : undefined;
    if (secret === undefined)
      throw new HekateError(
        codes.invalid,
        `${what} ${path} is not a line "version ${VERSION}" and a line of ${2 * SECRET_BYTES} hex digits`,
      );
    return secret;
  } finally {
    wipe(contents);
  }
}

/** Undefined: it has a line for the version, and that does not hold one. */
function startOfSecret(contents: Uint8Array, what: string): number | undefined {
  if (!VERSION_WORD.every((byte, i) => contents[i] === byte)) return 0;
  let at = VERSION_WORD.length;
  let version = 0;
  for (let digits = 0; isDigit(contents[at]); at++) {
    // What has so many is damaged, or worse: nothing more of it is read.
    if (++digits > MAX_VERSION_DIGITS) return undefined;
    version = 10 * version + (contents[at] ?? 0) - ZERO;
  }
  if (!isLineEnd(contents[at])) return undefined;
  if (version > VERSION) throw newerFile(what, version, VERSION);
  while (isLineEnd(contents[at])) at++;
  return version === VERSION ? at : undefined;
}

const ZERO = 0x30;

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= ZERO + 9;
}

function isLineEnd(byte: number | undefined): boolean {
  return byte === NEWLINE || byte === 0x0d;
}

function asciiBytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}
