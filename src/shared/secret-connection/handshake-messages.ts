import { concat } from '../bytes.js';
import { anyBytes, FixedMessage } from './fixed-message.js';

/** Length-delimited google.protobuf.BytesValue of 32 bytes. */
const HELLO_HEADER = [0x22, 0x0a, 0x20] as const;
export const HELLO_BYTES = HELLO_HEADER.length + 32;

/** Length-delimited tendermint.p2p.AuthSigMessage{pub_key: PublicKey{ed25519: 32 bytes}, sig: 64 bytes}. */
const AUTH_KEY_HEADER = [0x66, 0x0a, 0x22, 0x0a, 0x20] as const;
const AUTH_SIGNATURE_HEADER = [0x12, 0x40] as const;
const AUTH_KEY_AT = AUTH_KEY_HEADER.length;
const AUTH_SIGNATURE_AT = AUTH_KEY_AT + 32 + AUTH_SIGNATURE_HEADER.length;
const AUTH_BYTES = AUTH_SIGNATURE_AT + 64;

/** The unencrypted first message of either side. */
export function encodeHello(ephemeralKey: Uint8Array): Uint8Array {
  return concat(Uint8Array.from(HELLO_HEADER), ephemeralKey);
}

/** Reads a hello: CometBFT writes exactly these bytes, so anything else is not a secret connection. */
export function helloReader(): FixedMessage {
  return new FixedMessage([...HELLO_HEADER, ...anyBytes(32)]);
}

export function ephemeralKeyIn(hello: Uint8Array): Uint8Array {
  return hello.slice(HELLO_HEADER.length);
}

/** The encrypted first message of either side: who it is, and its signature over the challenge. */
export function encodeAuth(publicKey: Uint8Array, signature: Uint8Array): Uint8Array {
  return concat(Uint8Array.from(AUTH_KEY_HEADER), publicKey, Uint8Array.from(AUTH_SIGNATURE_HEADER), signature);
}

export function authReader(): FixedMessage {
  return new FixedMessage([...AUTH_KEY_HEADER, ...anyBytes(32), ...AUTH_SIGNATURE_HEADER, ...anyBytes(64)]);
}

export function authIn(message: Uint8Array): { readonly publicKey: Uint8Array; readonly signature: Uint8Array } {
  return {
    publicKey: message.slice(AUTH_KEY_AT, AUTH_KEY_AT + 32),
    signature: message.slice(AUTH_SIGNATURE_AT, AUTH_BYTES),
  };
}
