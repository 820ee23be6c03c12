import { createPrivateKey, sign, verify, X509Certificate, type KeyObject } from 'node:crypto';
import { cosignerName } from '../../src/shared/home/paths.js';
import type { TlsIdentity } from '../../src/shared/transport/identity.js';
import type { PinnedPeer } from '../../src/shared/transport/tls.js';

/** Who says what among cosigners, whatever carries it: the keys of their TLS identities. The simulator has others. */
export interface IdentityKeys {
  sign(bytes: Uint8Array): Uint8Array;
  /** False for a cosigner that is not known. */
  verifies(cosigner: number, bytes: Uint8Array, signature: Uint8Array): boolean;
}

/**
 * `others`: the other cosigners, whose certificates have been checked against their pins; one whose identity is being rotated
 * is there twice, and signs with either key. OpenSSL has its own copy of the
 * private key afterwards.
 */
export function tlsIdentityKeys(
  { keyPem }: TlsIdentity,
  others: readonly { readonly id: number; readonly peer: PinnedPeer }[],
): IdentityKeys {
  const own = createPrivateKey(keyPem);
  const keys = others.map(({ id, peer }) => ({ id, key: new X509Certificate(peer.certPem).publicKey }));
  return {
    sign: (bytes) => new Uint8Array(sign(digestFor(own), bytes, own)),
    verifies: (cosigner, bytes, signature) =>
      keys.some(({ id, key }) => id === cosigner && verify(digestFor(key), bytes, key, signature)),
  };
}

/** `init` makes P-256; an operator may bring another kind. */
function digestFor(key: KeyObject): 'sha256' | null {
  return key.asymmetricKeyType === 'ed25519' || key.asymmetricKeyType === 'ed448' ? null : 'sha256';
}

/** Pinned peers by cosigner id. */
export function peersById(peers: readonly PinnedPeer[], ids: readonly number[]): { id: number; peer: PinnedPeer }[] {
  return ids.flatMap((id) => peers.filter(({ name }) => name === cosignerName(id)).map((peer) => ({ id, peer })));
}
