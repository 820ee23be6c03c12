import { hash } from 'node:crypto';
import { pinnedBytes, wipe } from '../bytes.js';
import { invariant, must } from '../invariant.js';
import { newScalar, publicBytes, SCALAR_BYTES, type Group, type Scalar } from './group.js';

/** FROST(Ed25519, SHA-512), RFC 9591 §6.1. */
export const CONTEXT_STRING = 'FROST-ED25519-SHA512-v1';

/** Identifiers are 1 … 32: signer sets fit the bits of one number. */
export const MAX_SIGNERS = 32;

const HASH_BYTES = 64;
const PREFIX = {
  rho: new TextEncoder().encode(`${CONTEXT_STRING}rho`),
  nonce: new TextEncoder().encode(`${CONTEXT_STRING}nonce`),
  msg: new TextEncoder().encode(`${CONTEXT_STRING}msg`),
  com: new TextEncoder().encode(`${CONTEXT_STRING}com`),
} as const;

/** SerializeScalar of each identifier: little-endian, so the first byte is all there is. */
const IDENTIFIERS: readonly Scalar[] = Array.from({ length: MAX_SIGNERS + 1 }, (_, id) => {
  const scalar = newScalar();
  scalar[0] = id;
  return scalar;
});

export function isIdentifier(id: number): boolean {
  return Number.isInteger(id) && id >= 1 && id <= MAX_SIGNERS;
}

/** An identifier as a scalar. Shared bytes: not to be written to. */
export function encodeIdentifier(id: number): Scalar {
  invariant(isIdentifier(id), 'identifiers are checked before they are encoded');
  return must(IDENTIFIERS[id], 'every identifier has an encoding');
}

/**
 * H1 of RFC 9591 §6.1 over one prefix and a choice of endings: binding factors differ in the identifier only.
 * Every input is public.
 */
export function h1(group: Group, prefix: readonly Uint8Array[], endings: readonly Scalar[]): Scalar[] {
  const input = join(publicBytes, [PREFIX.rho, ...prefix, publicBytes(SCALAR_BYTES)]);
  return endings.map((ending) => {
    input.set(ending, input.length - SCALAR_BYTES);
    return group.reduce64(sha512(input));
  });
}

/** H2: no prefix, so that signatures are those of RFC 8032. */
export function h2(group: Group, ...input: readonly Uint8Array[]): Scalar {
  return group.reduce64(sha512(join(publicBytes, input)));
}

/** H3, over secrets, into `out`: the joined input and the digest are wiped. */
export function h3(group: Group, out: Scalar, ...input: readonly Uint8Array[]): Scalar {
  const joined = join(pinnedBytes, [PREFIX.nonce, ...input]);
  const digest = sha512(joined);
  try {
    return group.reduce64(digest, out);
  } finally {
    wipe(joined, digest);
  }
}

export function h4(message: Uint8Array): Uint8Array {
  return sha512(join(publicBytes, [PREFIX.msg, message]));
}

export function h5(encodedCommitments: Uint8Array): Uint8Array {
  return sha512(join(publicBytes, [PREFIX.com, encodedCommitments]));
}

/** SHA-512 in one call; OpenSSL keeps no copy of the input. The digest is the caller's to wipe when it is secret. */
export function sha512(input: Uint8Array): Uint8Array {
  const digest = hash('sha512', input, 'buffer');
  invariant(digest.length === HASH_BYTES, 'SHA-512 gives 64 bytes');
  return digest;
}

function join(allocate: (length: number) => Uint8Array, parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = allocate(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
