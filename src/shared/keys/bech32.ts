import { invariant } from '../invariant.js';

const CHARACTERS = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3] as const;
const CHECKSUM_LENGTH = 6;

/** BIP-173 bech32 of bytes. `prefix`: lower-case letters and digits. Cosmos SDK chains do not keep to its limit of 90 characters. */
export function toBech32(prefix: string, bytes: Uint8Array): string {
  invariant(/^[a-z0-9]{1,83}$/.test(prefix), 'a bech32 prefix is lower-case letters and digits');
  const data = toGroupsOfFive(bytes);
  const codes = [...prefix].map((character) => character.charCodeAt(0));
  const expanded = [...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31)];
  const checksum = polymod([...expanded, ...data, ...Array<number>(CHECKSUM_LENGTH).fill(0)]) ^ 1;
  for (let i = 0; i < CHECKSUM_LENGTH; i++) data.push((checksum >> (5 * (CHECKSUM_LENGTH - 1 - i))) & 31);
  return `${prefix}1${data.map((value) => CHARACTERS.charAt(value)).join('')}`;
}

function toGroupsOfFive(bytes: Uint8Array): number[] {
  const groups: number[] = [];
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff;
    for (bits += 8; bits >= 5; bits -= 5) groups.push((held >> (bits - 5)) & 31);
  }
  if (bits > 0) groups.push((held << (5 - bits)) & 31);
  return groups;
}

/** The BCH code of BIP-173. */
function polymod(values: readonly number[]): number {
  let state = 1;
  for (const value of values) {
    const top = state >>> 25;
    state = ((state & 0x1ffffff) << 5) ^ value;
    GENERATOR.forEach((term, i) => {
      if (((top >> i) & 1) === 1) state ^= term;
    });
  }
  return state;
}
