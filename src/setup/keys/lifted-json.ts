/** Strings this long may hold a private key. */
const MIN_LIFTED_LENGTH = 64;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** JSON whose long strings were taken out as bytes: they can be wiped, a JavaScript string cannot. */
export interface LiftedJson {
  readonly value: unknown;
  /** Contents of a string at its place in `value`, as bytes; undefined when it is no string. Escapes other than \/ stay. */
  bytesOf(string: unknown): Uint8Array | undefined;
}

/** Parses JSON from bytes. Throws SyntaxError, whose message never quotes a long string. */
export function parseLiftedJson(json: Uint8Array): LiftedJson {
  const short: number[] = [];
  const lifted: Uint8Array[] = [];
  for (let at = 0; at < json.length; at++) {
    const byte = json[at] ?? 0;
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
  const value: unknown = JSON.parse(Buffer.from(short).toString('utf8'));
  return {
    value,
    bytesOf: (string) => {
      if (typeof string !== 'string') return undefined;
      return string.startsWith(MARK) ? lifted[Number(string.slice(MARK.length))] : new Uint8Array(Buffer.from(string));
    },
  };
}

const MARK = 'lifted:';

function endOfString(json: Uint8Array, from: number): number {
  let at = from;
  while (at < json.length && json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1;
  return Math.min(at, json.length);
}

/** Some JSON writers escape the slashes of base64. */
function withoutSlashEscapes(contents: Uint8Array): Uint8Array {
  return contents.filter((byte, i) => !(byte === BACKSLASH && contents[i + 1] === 0x2f));
}
