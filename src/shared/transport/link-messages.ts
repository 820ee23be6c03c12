import {
  MAX_CHAINS,
  MAX_COSIGNERS,
  MAX_EXTENSION_BYTES,
  MAX_LEASE_MS,
  MAX_SIGN_BYTES,
} from '../coordination/limits.js';
import type { ChainKey, LeaseRequest, LinkMessage, SignerEntry } from '../coordination/messages.js';
import type { Release } from '../coordination/release.js';
import type { Proof } from '../watermark/proof.js';
import { chainKey, readCommitment, type WireCommitment } from './commitment-codec.js';
import { readRelease } from './release-codec.js';
import { fromWireCarried, toWireCarried, type WireAnswer, type WireQuestion } from './wait-codec.js';
import { MAX_NAME_BYTES } from './message-bounds.js';
import { atMost, between, malformed, safeNumber, sized, text, type Wire64 } from './wire-values.js';

const SIGNATURE_BYTES = 64;

/** LinkMessage as protobufjs decodes it: unset scalars have their default, unset messages are null. */
export interface WireLinkMessage {
  readonly linkHello?: Release & { readonly newest: readonly Proof[] };
  readonly heartbeat?: { readonly id: Wire64; readonly lease?: WireLease | null; readonly ready: boolean };
  readonly leaseRelease?: { readonly term: Wire64; readonly to: string };
  readonly signRequest?: ChainKey & {
    readonly id: Wire64;
    readonly term: Wire64;
    readonly signBytes: Uint8Array;
    readonly extension?: Uint8Array | null;
    readonly settle: boolean;
    readonly signers: readonly WireSigner[];
  };
  readonly proof?: Proof;
  readonly waitQuestion?: WireQuestion;
  readonly waitAnswer?: WireAnswer;
}

interface WireLease {
  readonly term: Wire64;
  readonly leaseMs: number;
  readonly renewal: boolean;
}

interface WireSigner {
  readonly id: number;
  readonly vote?: WireCommitment | null;
  readonly extension?: WireCommitment | null;
}

/** The object that protobufjs encodes; it takes numbers for 64-bit fields and leaves out what is undefined. */
export function toWireLinkMessage(message: LinkMessage): object {
  switch (message.kind) {
    case 'signRequest':
      return { signRequest: message };
    case 'heartbeat':
      return { heartbeat: message };
    case 'leaseRelease':
      return { leaseRelease: message };
    case 'linkHello':
      return { linkHello: message };
    case 'proof':
      return { proof: message.proof };
    case 'waitQuestion':
    case 'waitAnswer':
      return toWireCarried(message);
  }
}

/** Undefined: of a kind that is not in this version. Throws TRANSPORT_MALFORMED. */
export function fromWireLinkMessage(wire: WireLinkMessage): LinkMessage | undefined {
  if (wire.signRequest) return readSignRequest(wire.signRequest);
  if (wire.heartbeat) {
    const { id, lease, ready } = wire.heartbeat;
    const beat = {
      kind: 'heartbeat',
      id: safeNumber(id, 'heartbeat id'),
      lease: lease ? readLease(lease) : undefined,
    } as const;
    return ready ? { ready, ...beat } : beat;
  }
  if (wire.leaseRelease) {
    const { term, to } = wire.leaseRelease;
    const release = { kind: 'leaseRelease', term: safeNumber(term, 'term') } as const;
    return to === '' ? release : { to: text(to, 1, MAX_NAME_BYTES, 'name of the next leader'), ...release };
  }
  if (wire.linkHello) {
    const release = readRelease(wire.linkHello);
    // Nothing is done with it but to say that it is too old.
    const newest = release.protocol === 0 ? [] : wire.linkHello.newest;
    return {
      kind: 'linkHello',
      ...release,
      newest: atMost(newest, MAX_CHAINS, 'list of newest signatures').map(readProof),
    };
  }
  if (wire.proof) return { kind: 'proof', proof: readProof(wire.proof) };
  return fromWireCarried(wire);
}

function readProof(wire: Proof): Proof {
  return {
    ...chainKey(wire),
    signBytes: sized(wire.signBytes, 1, MAX_SIGN_BYTES, 'sign bytes'),
    signature: sized(wire.signature, SIGNATURE_BYTES, SIGNATURE_BYTES, 'signature'),
  };
}

function readLease(wire: WireLease): LeaseRequest {
  return {
    term: safeNumber(wire.term, 'term'),
    leaseMs: between(wire.leaseMs, 1, MAX_LEASE_MS, 'lease time in ms'),
    renewal: wire.renewal,
  };
}

function readSignRequest(wire: NonNullable<WireLinkMessage['signRequest']>): LinkMessage {
  if (wire.signers.length === 0) throw malformed('a sign request has no signers');
  return {
    kind: 'signRequest',
    id: safeNumber(wire.id, 'request id'),
    term: safeNumber(wire.term, 'term'),
    ...chainKey(wire),
    signBytes: sized(wire.signBytes, 1, MAX_SIGN_BYTES, 'sign bytes'),
    extension: wire.extension ? sized(wire.extension, 0, MAX_EXTENSION_BYTES, 'vote extension') : undefined,
    settle: wire.settle,
    signers: atMost(wire.signers, MAX_COSIGNERS, 'signer list').map(readSigner),
  };
}

function readSigner(wire: WireSigner): SignerEntry {
  return {
    id: between(wire.id, 1, MAX_COSIGNERS, 'signer id'),
    vote: readCommitment(wire.vote, 'nonce commitment'),
    extension: wire.extension ? readCommitment(wire.extension, 'nonce commitment') : undefined,
  };
}
