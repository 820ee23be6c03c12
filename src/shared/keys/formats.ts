import { createHash } from 'node:crypto';
import { bech32 } from '@scure/base';
import { toBase64, toHex } from '../bytes.js';

/** A public key in the forms that nodes, chains and explorers use. */
export interface PublicKeyForms {
  /** As in genesis.json and priv_validator_key.json. */
  readonly cometbft: { readonly type: 'tendermint/PubKeyEd25519'; readonly value: string };
  /** As create-validator transactions and `tendermint show-validator` have it. */
  readonly sdk: { readonly '@type': '/cosmos.crypto.ed25519.PubKey'; readonly key: string };
  readonly hex: string;
  /** Upper-case hex of the first 20 bytes of SHA-256(key). */
  readonly address: string;
  /** `<prefix>valcons1…`: the address. */
  readonly valcons: string;
  /** `<prefix>valconspub1…`: the key, as chains of before Cosmos SDK 0.43 and TMKMS have it. */
  readonly valconspub: string;
}

/** Amino's name and length of an Ed25519 public key (tendermint/go-amino, "tendermint/PubKeyEd25519"). */
const AMINO_ED25519 = Uint8Array.of(0x16, 0x24, 0xde, 0x64, 0x20);

/**
 * The forms of a 32-byte Ed25519 public key; `prefix` is the chain's bech32 prefix ("cosmos", "kira"), with or without "valcons"
 * or "valconspub".
 */
export function publicKeyForms(publicKey: Uint8Array, prefix: string): PublicKeyForms {
  const address = addressOf(publicKey);
  const chain = prefix.replace(/valcons(pub)?$/, '');
  return {
    cometbft: { type: 'tendermint/PubKeyEd25519', value: toBase64(publicKey) },
    sdk: { '@type': '/cosmos.crypto.ed25519.PubKey', key: toBase64(publicKey) },
    hex: toHex(publicKey),
    address: toHex(address).toUpperCase(),
    valcons: toBech32(`${chain}valcons`, address),
    valconspub: toBech32(`${chain}valconspub`, Uint8Array.of(...AMINO_ED25519, ...publicKey)),
  };
}

/** Validator address, 20 bytes (CometBFT crypto/ed25519). */
export function addressOf(publicKey: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(publicKey).digest().subarray(0, 20));
}

/** BIP-173 bech32 of bytes. `prefix`: lower-case letters and digits. Cosmos SDK chains do not keep to its limit of 90 characters. */
export function toBech32(prefix: string, bytes: Uint8Array): string {
  return bech32.encode(prefix, bech32.toWords(bytes), false);
}
