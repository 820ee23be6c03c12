import { MAX_CHAINS, MAX_COSIGNERS, MAX_LINKS, MAX_SIGN_BYTES } from '../coordination/limits.js';
import type { ChainKey, ChainReport, CosignerMessage, HeartbeatReply, NonceBatch } from '../coordination/messages.js';
import type { Release } from '../coordination/release.js';
import { SCALAR_BYTES } from '../frost/group.js';
import { toSignatureShare, type SignerShare } from '../frost/signature-share.js';
import { DEFAULT_MAX_HEIGHT_JUMP } from '../watermark/rules.js';
import { chainKey, point, readCommitment, type WireCommitment } from './commitment-codec.js';
import { MAX_BATCH, MAX_NAME_BYTES, MAX_SENTENCE } from './message-bounds.js';
import { readRelease } from './release-codec.js';
import { fromWireCarried, toWireCarried, type WireAnswer, type WireQuestion } from './wait-codec.js';
import * as value from './wire-values.js';
import { safeNumber, type Wire64 } from './wire-values.js';

/** CosignerMessage as protobufjs decodes it: unset scalars have their default, unset messages are null. */
export interface WireCosignerMessage {
  readonly cosignerHello?: Release & {
    readonly id: number;
    readonly chains: readonly WireReport[];
  };
  readonly heartbeatReply?: {
    readonly id: Wire64;
    readonly granted: boolean;
    readonly term: Wire64;
    readonly holder: string;
    readonly remainingMs: number;
    readonly renewedTerm: Wire64;
    readonly otherLink: boolean;
    readonly standbys: readonly string[];
    readonly chains: readonly WireReport[];
  };
  readonly leaseFree?: { readonly turn: number };
  readonly nonceBatch?: WireBatch;
  readonly signed?: {
    readonly id: Wire64;
    readonly vote?: WireShare | null;
    readonly extension?: WireShare | null;
    readonly fresh?: WireBatch | null;
  };
  readonly stored?: { readonly id: Wire64; readonly signBytes: Uint8Array };
  readonly refused?: { readonly id: Wire64; readonly code: string; readonly message: string };
  readonly waitQuestion?: WireQuestion;
  readonly waitAnswer?: WireAnswer;
}

interface WireReport extends ChainKey {
  readonly height: Wire64;
  readonly round: number;
  readonly step: number;
  readonly sequence: Wire64;
  readonly maxHeightJump: Wire64;
  readonly halted?: string | null;
  readonly waiting?: { readonly heard: readonly number[] } | null;
}

interface WireBatch extends ChainKey {
  readonly commitments: readonly WireCommitment[];
  readonly replaces: boolean;
}

interface WireShare {
  readonly groupCommitment: Uint8Array;
  readonly share: Uint8Array;
}

/** The object that protobufjs encodes; it takes numbers for 64-bit fields and leaves out what is undefined. */
export function toWireCosignerMessage(message: CosignerMessage): object {
  switch (message.kind) {
    case 'signed':
      return { signed: message };
    case 'nonceBatch':
      return { nonceBatch: message };
    case 'leaseFree':
      return { leaseFree: message };
    case 'stored':
      return { stored: message };
    case 'refused':
      return { refused: { ...message, message: value.sentence(message.message, MAX_SENTENCE) } };
    case 'cosignerHello':
      return { cosignerHello: { ...message, chains: message.chains.map(toWireReport) } };
    case 'waitQuestion':
    case 'waitAnswer':
      return toWireCarried(message);
    case 'heartbeatReply': {
      const chains = message.chains.map(toWireReport);
      return { heartbeatReply: { ...message, remainingMs: Math.ceil(Math.max(0, message.remainingMs)), chains } };
    }
  }
}

/** Undefined: of a kind that is not in this version. Throws TRANSPORT_MALFORMED. */
export function fromWireCosignerMessage(wire: WireCosignerMessage): CosignerMessage | undefined {
  if (wire.signed) {
    const { id, vote, extension, fresh } = wire.signed;
    return {
      kind: 'signed',
      id: safeNumber(id, 'request id'),
      vote: readShare(value.present(vote, 'signature share')),
      extension: extension ? readShare(extension) : undefined,
      ...(fresh && { fresh: readBatch(fresh) }),
    };
  }
  if (wire.nonceBatch) return readBatch(wire.nonceBatch);
  if (wire.heartbeatReply) return readHeartbeatReply(wire.heartbeatReply);
  if (wire.leaseFree)
    return { kind: 'leaseFree', turn: value.between(wire.leaseFree.turn, 0, MAX_LINKS, 'turn of a link') };
  if (wire.stored) {
    const signBytes = value.sized(wire.stored.signBytes, 1, MAX_SIGN_BYTES, 'sign bytes');
    return { kind: 'stored', id: safeNumber(wire.stored.id, 'request id'), signBytes };
  }
  if (wire.refused) {
    const { id, code, message } = wire.refused;
    return {
      kind: 'refused',
      id: safeNumber(id, 'request id'),
      code: value.errorCode(code, 'code of a refusal'),
      message: value.sentence(message, MAX_SENTENCE),
    };
  }
  if (wire.cosignerHello) {
    const { id, chains } = wire.cosignerHello;
    return {
      kind: 'cosignerHello',
      ...readRelease(wire.cosignerHello),
      id: value.between(id, 1, MAX_COSIGNERS, 'cosigner id'),
      chains: readReports(chains),
    };
  }
  return fromWireCarried(wire);
}

function readHeartbeatReply(wire: NonNullable<WireCosignerMessage['heartbeatReply']>): CosignerMessage {
  const standbys = value.atMost(wire.standbys, MAX_LINKS, 'list of standbys').map(readName);
  const reply: HeartbeatReply = {
    kind: 'heartbeatReply',
    id: safeNumber(wire.id, 'heartbeat id'),
    granted: wire.granted,
    term: safeNumber(wire.term, 'term'),
    holder: value.text(wire.holder, 0, MAX_NAME_BYTES, 'name of the leader'),
    remainingMs: value.int32(wire.remainingMs, 'remaining lease time'),
    renewedTerm: safeNumber(wire.renewedTerm, 'renewed term'),
    otherLink: wire.otherLink,
    chains: readReports(wire.chains),
  };
  return standbys.length === 0 ? reply : { standbys, ...reply };
}

function readName(name: string): string {
  return value.text(name, 1, MAX_NAME_BYTES, 'name of a standby');
}

function readBatch(wire: WireBatch): NonceBatch {
  return {
    kind: 'nonceBatch',
    ...chainKey(wire),
    commitments: value
      .atMost(wire.commitments, MAX_BATCH, 'nonce batch')
      .map((commitment) => readCommitment(commitment, 'nonce commitment')),
    ...(wire.replaces && { replaces: true }),
  };
}

function readShare(wire: WireShare): SignerShare {
  return {
    groupCommitment: point(wire.groupCommitment, 'group commitment'),
    share: toSignatureShare(value.sized(wire.share, SCALAR_BYTES, SCALAR_BYTES, 'signature share')),
  };
}

function readReports(wire: readonly WireReport[]): readonly ChainReport[] {
  return value.atMost(wire, MAX_CHAINS, 'list of chains').map((report) => ({
    height: value.height(report.height, 'height'),
    ...chainKey(report),
    round: value.int32(report.round, 'round'),
    step: value.between(report.step, 0, 3, 'step'),
    sequence: value.uint64(report.sequence),
    // An older cosigner does not say.
    maxHeightJump: value.height(report.maxHeightJump, 'height jump') || DEFAULT_MAX_HEIGHT_JUMP,
    halted: typeof report.halted === 'string' ? value.errorCode(report.halted, 'halt code') : undefined,
    ...(report.waiting && { waiting: value.atMost(report.waiting.heard, MAX_COSIGNERS, 'list of the heard') }),
  }));
}

function toWireReport(report: ChainReport): object {
  const { height, sequence, maxHeightJump, waiting } = report;
  return {
    ...report,
    waiting: waiting && { heard: waiting },
    height: value.wire64(height),
    sequence: value.wire64(sequence),
    maxHeightJump: value.wire64(maxHeightJump),
  };
}
