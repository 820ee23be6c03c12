import { pinnedBytes, wipe } from '../../shared/bytes.js';

/** Strings this long may hold a private key; an address has 40 characters, a key in base64 44. */
const MIN_LIFTED_LENGTH = 41;
/** What stands outside of strings is a number or a name: JSON has none that are longer. */
const MAX_BARE_LENGTH = 32;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SLASH = 0x2f;
/** `,:[]{}` and white space. */
const BETWEEN_TOKENS = new Set([0x2c, 0x3a, 0x5b, 0x5d, 0x7b, 0x7d, 0x20, 0x09, 0x0a, 0x0d]);

/** JSON whose long strings were taken out as bytes: they can be wiped, a JavaScript string cannot. */
export interface LiftedJson {
  readonly value: unknown;
  /** Contents of a string at its place in `value`, as bytes; undefined when it is no string. Escapes other than \/ stay. */
  bytesOf(string: unknown): Uint8Array | undefined;
  /** Overwrites all strings that were taken out. */
  wipe(): void;
}

/** Parses JSON from bytes. Throws SyntaxError, whose message never quotes a long string. */
export function parseLiftedJson(json: Uint8Array): LiftedJson {
  const lifted: Uint8Array[] = [];
  try {
    const value: unknown = JSON.parse(withoutLongStrings(json, lifted));
    return {
      value,
      bytesOf: (string) => {
        if (typeof string !== 'string') return undefined;
        return string.startsWith(MARK)
          ? lifted[Number(string.slice(MARK.length))]
          : new Uint8Array(Buffer.from(string));
      },
      wipe: () => wipe(...lifted),
    };
  } catch (error) {
    wipe(...lifted);
    throw error;
  }
}

const MARK = 'lifted:';

/** The text with a mark for each long string, whose contents go to `lifted`. */
function withoutLongStrings(json: Uint8Array, lifted: Uint8Array[]): string {
  const short: number[] = [];
  let bare = 0;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at] ?? 0;
    bare = byte === QUOTE || BETWEEN_TOKENS.has(byte) ? 0 : bare + 1;
    // A key without quotes: the parser would quote it in its error.
    if (bare > MAX_BARE_LENGTH) throw new SyntaxError('not JSON');
    short.push(byte);
    if (byte !== QUOTE) continue;
    const end = endOfString(json, at + 1);
    const contents = json.subarray(at + 1, end);
    if (contents.length < MIN_LIFTED_LENGTH) for (const character of contents) short.push(character);
    else {
      short.push(...Buffer.from(`${MARK}${lifted.length}`));
      lifted.push(withoutSlashEscapes(contents));
    }
    if (end < json.length) short.push(QUOTE);
    at = end;
  }
  return Buffer.from(short).toString('utf8');
}

function endOfString(json: Uint8Array, from: number): number {
  let at = from;
  while (at < json.length && json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1;
  return Math.min(at, json.length);
}

/** A copy; some JSON writers escape the slashes of base64. */
function withoutSlashEscapes(contents: Uint8Array): Uint8Array {
  const out = pinnedBytes(contents.length);
  let length = 0;
  for (let at = 0; at < contents.length; at++) {
    const byte = contents[at] ?? 0;
    if (byte === BACKSLASH && contents[at + 1] === SLASH) continue;
    out[length++] = byte;
  }
  return out.subarray(0, length);
}
