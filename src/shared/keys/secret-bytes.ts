import { pinnedBytes } from '../bytes.js';

/** Encodings of secrets that never pass through a string: strings cannot be wiped. Results are pinned bytes, the caller's to wipe. */

/** Bytes of ASCII hex, or undefined for anything else. */
export function hexToBytes(ascii: Uint8Array): Uint8Array | undefined {
  if (ascii.length % 2 !== 0) return undefined;
  const out = pinnedBytes(ascii.length / 2);
  let invalid = 0;
  for (let i = 0; i < out.length; i++) {
    const high = hexDigit(ascii[2 * i] ?? 0);
    const low = hexDigit(ascii[2 * i + 1] ?? 0);
    invalid |= high | low;
    out[i] = ((high & 15) << 4) | (low & 15);
  }
  return (invalid & ~15) === 0 ? out : undefined;
}

/** ASCII hex, lower case. */
export function bytesToHex(bytes: Uint8Array): Uint8Array {
  const out = pinnedBytes(bytes.length * 2);
  bytes.forEach((byte, i) => {
    out[2 * i] = hexCharacter(byte >> 4);
    out[2 * i + 1] = hexCharacter(byte & 15);
  });
  return out;
}

/** Bytes of padded standard base64 in ASCII (RFC 4648 §4), or undefined for anything else. */
export function base64ToBytes(ascii: Uint8Array): Uint8Array | undefined {
  if (ascii.length === 0 || ascii.length % 4 !== 0) return undefined;
  const padding = ascii[ascii.length - 1] !== EQUALS ? 0 : ascii[ascii.length - 2] !== EQUALS ? 1 : 2;
  const out = pinnedBytes((ascii.length / 4) * 3 - padding);
  let held = 0;
  let bits = 0;
  let at = 0;
  let invalid = 0;
  for (const character of ascii.subarray(0, ascii.length - padding)) {
    const digit = base64Digit(character);
    invalid |= digit;
    held = ((held << 6) | (digit & 63)) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out[at++] = (held >> bits) & 255;
  }
  const spare = held & ((1 << bits) - 1);
  return (invalid & ~63) === 0 && spare === 0 ? out : undefined;
}

/** Padded standard base64 in ASCII (RFC 4648 §4). */
export function bytesToBase64(bytes: Uint8Array): Uint8Array {
  const out = pinnedBytes(Math.ceil(bytes.length / 3) * 4).fill(EQUALS);
  let at = 0;
  for (let i = 0; i < bytes.length; i += 3) {
    const [a = 0, b, c] = [bytes[i], bytes[i + 1], bytes[i + 2]];
    const bits = (a << 16) | ((b ?? 0) << 8) | (c ?? 0);
    out[at] = base64Character((bits >> 18) & 63);
    out[at + 1] = base64Character((bits >> 12) & 63);
    if (b !== undefined) out[at + 2] = base64Character((bits >> 6) & 63);
    if (c !== undefined) out[at + 3] = base64Character(bits & 63);
    at += 4;
  }
  return out;
}

const EQUALS = 0x3d;

/** Comparisons instead of a table, so that no address depends on the secret; -1 for what is no digit. */
function hexDigit(c: number): number {
  return pick(c, 0x30, 0x39, 0) & pick(c, 0x61, 0x66, 10) & pick(c, 0x41, 0x46, 10);
}

function base64Digit(c: number): number {
  const word = pick(c, 0x41, 0x5a, 0) & pick(c, 0x61, 0x7a, 26) & pick(c, 0x30, 0x39, 52);
  return word & pick(c, 0x2b, 0x2b, 62) & pick(c, 0x2f, 0x2f, 63);
}

/** `base` + c - first for c within first…last, otherwise -1 (all ones). */
function pick(c: number, first: number, last: number, base: number): number {
  const outside = ((c - first) | (last - c)) >> 31;
  return (base + c - first) | outside;
}

/** Each range is the one before plus the gap to its first character, taken where the digit lies at or beyond it. */
function base64Character(digit: number): number {
  const from = (first: number): number => ~((digit - first) >> 31);
  return 65 + digit + (from(26) & 6) + (from(52) & -75) + (from(62) & -15) + (from(63) & 3);
}

/** 0…9 and a…f without a branch: 39 is the gap between "9" and "a". */
function hexCharacter(digit: number): number {
  return 48 + digit + (((9 - digit) >> 31) & 39);
}
