import { createHash, diffieHellman, hkdfSync, type KeyObject } from 'node:crypto';
import { equalBytes, wipe } from '../bytes.js';
import { HekateError } from '../errors.js';
import type { RandomBytes } from '../ports/random.js';
import { MerlinTranscript } from './merlin.js';
import { privateKeyOf, publicKeyOf, rawPublicKey } from '../ed25519/raw-keys.js';

export interface EphemeralKey {
  readonly privateKey: KeyObject;
  readonly publicKey: Uint8Array;
}

export interface FrameKeys {
  readonly receive: Uint8Array;
  readonly send: Uint8Array;
}

export interface SessionSecrets extends FrameKeys {
  /** What both sides sign with their identity keys. */
  readonly challenge: Uint8Array;
}

/** A fresh X25519 key for one connection. */
export function ephemeralKey(random: RandomBytes): EphemeralKey {
  const raw = random(32);
  try {
    const privateKey = privateKeyOf('x25519', raw);
    return { privateKey, publicKey: rawPublicKey(privateKey) };
  } finally {
    wipe(raw);
  }
}

/**
 * The keys of both directions and the challenge, from our ephemeral key and the peer's 32-byte one (CometBFT
 * p2p/conn/secret_connection.go MakeSecretConnection). Throws SC_REFLECTION when the peer sent our own key back, and
 * SC_LOW_ORDER_KEY when its key would make the shared secret all zero.
 */
export function deriveSession(local: EphemeralKey, peerKey: Uint8Array): SessionSecrets {
  if (equalBytes(local.publicKey, peerKey))
    throw new HekateError('SC_REFLECTION', 'the other side sent our own ephemeral key back');
  const dh = sharedSecret(local, peerKey);
  try {
    const localIsLeast = Buffer.compare(local.publicKey, peerKey) < 0;
    const [low, high] = localIsLeast ? [local.publicKey, peerKey] : [peerKey, local.publicKey];
    return { ...deriveFrameKeys(dh, localIsLeast), challenge: deriveChallenge(low, high, dh) };
  } finally {
    wipe(dh);
  }
}

/** HKDF-SHA256 of the shared secret; the side with the lower ephemeral key receives with the first 32 bytes. */
export function deriveFrameKeys(dh: Uint8Array, localIsLeast: boolean): FrameKeys {
  const info = 'TENDERMINT_SECRET_CONNECTION_KEY_AND_CHALLENGE_GEN';
  // 96 bytes, as the protocol has it, though the last 32 have lost their use.
  const okm = new Uint8Array(hkdfSync('sha256', dh, new Uint8Array(0), info, 96));
  const [first, second] = [okm.slice(0, 32), okm.slice(32, 64)];
  wipe(okm);
  return localIsLeast ? { receive: first, send: second } : { receive: second, send: first };
}

/** The transcript of the key exchange; identity keys are not part of it. */
export function deriveChallenge(low: Uint8Array, high: Uint8Array, dh: Uint8Array): Uint8Array {
  const transcript = new MerlinTranscript('TENDERMINT_SECRET_CONNECTION_TRANSCRIPT_HASH');
  transcript.append('EPHEMERAL_LOWER_PUBLIC_KEY', low);
  transcript.append('EPHEMERAL_UPPER_PUBLIC_KEY', high);
  transcript.append('DH_SECRET', dh);
  const challenge = transcript.challenge('SECRET_CONNECTION_MAC', 32);
  transcript.wipe();
  return challenge;
}

function sharedSecret(local: EphemeralKey, peerKey: Uint8Array): Uint8Array {
  let dh: Uint8Array;
  try {
    dh = diffieHellman({ privateKey: local.privateKey, publicKey: publicKeyOf('x25519', peerKey) });
  } catch (error) {
    // OpenSSL refuses to derive an all-zero secret (RFC 7748 §6.1).
    throw lowOrder(peerKey, error);
  }
  if (dh.every((byte) => byte === 0)) throw lowOrder(peerKey, undefined);
  return dh;
}

function lowOrder(peerKey: Uint8Array, cause: unknown): HekateError {
  const sha256 = createHash('sha256').update(peerKey).digest('hex');
  return new HekateError('SC_LOW_ORDER_KEY', 'the other side sent an ephemeral key of low order', {
    details: { keySha256: sha256 },
    cause,
  });
}
