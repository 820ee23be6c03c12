import { equalBytes, pinnedBytes, toHex, wipe } from '../../../shared/bytes.js';
import { HekateError } from '../../../shared/errors.js';
import { newScalar, SCALAR_BYTES, type Group } from '../../../shared/frost/group.js';
import { keyFromSeed } from '../../../shared/frost/keys.js';
import { addressOf } from '../../../shared/keys/formats.js';
import { base64ToBytes } from '../../../shared/keys/secret-bytes.js';
import { parsePrivValidatorKey, wipeKey } from '../../keys/priv-validator-key.js';
import type { OldKey } from '../old-signer.js';

/** `key_format` of a [[providers.softsign]] section; "raw" is of old releases. */
export const SOFTSIGN_FORMATS = ['base64', 'json', 'raw'] as const;
export type SoftsignFormat = (typeof SOFTSIGN_FORMATS)[number];

/**
 * A consensus key of TMKMS's softsign provider. `validators` are addresses in upper-case hex that an
 * operator gave: they settle which of two keys 64 bytes stand for. Throws KEY_INVALID or KEY_TYPE_UNSUPPORTED; no message has a part of it.
 */
export function parseSoftsignKey(
  group: Group,
  contents: Uint8Array,
  format: SoftsignFormat,
  validators: readonly string[],
): OldKey {
  if (format === 'json') return fromKeyFile(group, contents);
  if (format === 'raw') return fromBytes(group, contents, validators);
  const bytes = base64ToBytes(withoutSpaceAtEnd(contents));
  if (bytes === undefined)
    throw invalid(contents[0] === 0x7b ? 'it is JSON, and key_format is not "json"' : 'it is not padded base64');
  try {
    return fromBytes(group, bytes, validators);
  } finally {
    wipe(bytes);
  }
}

function fromKeyFile(group: Group, contents: Uint8Array): OldKey {
  const key = parsePrivValidatorKey(group, contents);
  try {
    return keyFromSeed(group, key.seed);
  } finally {
    wipeKey(key);
  }
}

function fromBytes(group: Group, bytes: Uint8Array, validators: readonly string[]): OldKey {
  switch (bytes.length) {
    case 32:
      return keyFromSeed(group, bytes);
    case 64:
      return fromEither(group, bytes, validators);
    case 96:
      return fromYubiHsm(group, bytes);
    default:
      throw invalid(`it has ${bytes.length} bytes; 32, 64 and 96 are possible`);
  }
}

/**
 * Seed and public key, as in priv_validator_key.json, or an expanded key, scalar and prefix. TMKMS 0.15 takes the first for the
 * second without a word, and then signs as another validator; releases before it take neither.
 */
function fromEither(group: Group, bytes: Uint8Array, validators: readonly string[]): OldKey {
  const expanded = fromScalar(group, bytes.subarray(0, SCALAR_BYTES));
  const seeded = keyFromSeed(group, bytes.subarray(0, 32));
  const candidates = [expanded, seeded];
  try {
    if (!equalBytes(seeded.publicKey, bytes.subarray(32))) return copyOf(expanded);
    const chosen = candidates.find(({ publicKey }) => validators.includes(hexAddress(publicKey)));
    if (chosen !== undefined) return copyOf(chosen);
    const [asExpanded, asSeed] = candidates.map(({ publicKey }) => hexAddress(publicKey));
    throw new HekateError(
      'KEY_INVALID',
      'the key file of TMKMS is ambiguous: its 64 bytes are the seed and public key of a priv_validator_key.json, whose ' +
        `validator is ${asSeed}; TMKMS 0.15 takes them for an expanded key and signs as validator ${asExpanded}`,
      {
        fix: `look up which of the two is your validator on the chain, and add --validator ${asSeed} or --validator ${asExpanded}`,
      },
    );
  } finally {
    wipe(...candidates.map(({ secret }) => secret));
  }
}

/** `yubihsm keys export`: the scalar with its bytes in reverse, the prefix, the public key. */
function fromYubiHsm(group: Group, bytes: Uint8Array): OldKey {
  const reversed = pinnedBytes(SCALAR_BYTES);
  reversed.set(bytes.subarray(0, SCALAR_BYTES));
  reversed.reverse();
  try {
    const key = fromScalar(group, reversed);
    if (equalBytes(key.publicKey, bytes.subarray(64))) return key;
    wipe(key.secret);
    throw invalid(`its 96 bytes are no key that a YubiHSM exported: their scalar does not make their public key`);
  } finally {
    wipe(reversed);
  }
}

/** The scalar of an expanded key, clamped (RFC 8032 §5.1.5) and reduced; TMKMS clamps it as well (ed25519-dalek, hazmat). */
function fromScalar(group: Group, bytes: Uint8Array): OldKey {
  const wide = pinnedBytes(64);
  try {
    wide.set(bytes);
    wide[0]! &= 0xf8;
    wide[31] = (wide[31]! & 0x7f) | 0x40;
    const secret = group.reduce64(wide);
    return { secret, publicKey: group.baseMult(secret) };
  } finally {
    wipe(wide);
  }
}

function copyOf({ secret, publicKey }: OldKey): OldKey {
  const copy = newScalar();
  copy.set(secret);
  return { secret: copy, publicKey };
}

function hexAddress(publicKey: Uint8Array): string {
  return toHex(addressOf(publicKey)).toUpperCase();
}

function withoutSpaceAtEnd(contents: Uint8Array): Uint8Array {
  let end = contents.length;
  while (end > 0 && (contents[end - 1] ?? 0) <= 0x20) end--;
  return contents.subarray(0, end);
}

function invalid(problem: string): HekateError {
  return new HekateError('KEY_INVALID', `not a usable softsign key of TMKMS: ${problem}`, {
    fix: 'give the file that [[providers.softsign]] names, as TMKMS uses it',
  });
}
