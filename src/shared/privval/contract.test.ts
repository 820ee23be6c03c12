import fc from 'fast-check';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { toHex } from '../bytes.js';
import { anyProposals, anyVotes, canonicals } from './testdata/arbitraries.js';
import { STEP_PROPOSAL, type BlockId, type Canonical, type Timestamp } from './canonical.js';
import type { ProposalMessage, VoteMessage } from './node-messages.js';
import { decodeRequest, encodeRequest, type PrivvalRequest } from './request.js';
import { decodeResponse, encodeResponse, type PrivvalResponse } from './response.js';
import { SignBytes, extensionSignBytes } from './sign-bytes.js';

/** Our codec against protobufjs with the contract files, both ways, on random messages. */

const numRuns = process.env['CI'] === 'true' ? 10_000 : 300;
const PROTO = join(import.meta.dirname, '../../../proto/cometbft');
const DIALECTS = [
  { dialect: 'classic', privval: 'tendermint.privval', types: 'tendermint.types' },
  { dialect: 'v1', privval: 'cometbft.privval.v1', types: 'cometbft.types.v1' },
] as const;

function load(dialect: string): protobuf.Root {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => (target.startsWith('google/') ? target : join(PROTO, dialect, target));
  return root.loadSync(['privval.proto', 'canonical.proto'], { keepCase: true });
}

const toTime = ({ seconds, nanos }: Timestamp): object => ({ seconds: seconds.toString(), nanos });
const toBlock = ({ hash, partsTotal, partsHash }: BlockId): object => ({
  hash,
  part_set_header: { total: partsTotal, hash: partsHash },
});

function toVote(vote: VoteMessage): object {
  return {
    type: vote.type,
    height: vote.height.toString(),
    round: vote.round,
    block_id: toBlock(vote.blockId),
    timestamp: toTime(vote.timestamp),
    validator_address: vote.validatorAddress,
    validator_index: vote.validatorIndex,
    signature: vote.signature,
    extension: vote.extension,
    extension_signature: vote.extensionSignature,
  };
}

function toProposal(proposal: ProposalMessage): object {
  return {
    type: proposal.type,
    height: proposal.height.toString(),
    round: proposal.round,
    pol_round: proposal.polRound,
    block_id: toBlock(proposal.blockId),
    timestamp: toTime(proposal.timestamp),
    signature: proposal.signature,
  };
}

function toRequest(request: PrivvalRequest): object {
  switch (request.kind) {
    case 'pubKey':
      return { pub_key_request: { chain_id: request.chainId } };
    case 'signVote':
      return {
        sign_vote_request: {
          vote: toVote(request.vote),
          chain_id: request.chainId,
          ...(request.skipExtensionSigning ? { skip_extension_signing: true } : {}),
        },
      };
    case 'signProposal':
      return { sign_proposal_request: { proposal: toProposal(request.proposal), chain_id: request.chainId } };
    default:
      return { ping_request: {} };
  }
}

const TEXTS = new Set(['chain_id', 'description']);

/** Zeros and empty fields left out as proto3 does, so that what protobufjs encodes can be compared byte for byte. */
function sparse(value: object): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(value) as [string, unknown][]) {
    if (field instanceof Uint8Array) {
      if (field.length > 0) kept[key] = field;
    } else if (typeof field === 'object' && field !== null) kept[key] = sparse(field);
    else if (field !== 0 && field !== '' && (field !== '0' || TEXTS.has(key))) kept[key] = field;
  }
  return kept;
}

const chainId = fc.stringMatching(/^[a-z0-9-]{0,50}$/);

describe.each(DIALECTS)('$dialect', ({ dialect, privval, types }) => {
  const root = load(dialect);
  const Message = root.lookupType(`${privval}.Message`);
  const written = (type: protobuf.Type, value: object): Uint8Array =>
    Uint8Array.from(type.encode(type.fromObject(value)).finish());
  const requests: fc.Arbitrary<PrivvalRequest> = fc.oneof(
    fc.record({ kind: fc.constant<'pubKey'>('pubKey'), chainId }),
    fc.record({
      kind: fc.constant<'signVote'>('signVote'),
      chainId,
      vote: anyVotes,
      skipExtensionSigning: dialect === 'v1' ? fc.boolean() : fc.constant(false),
    }),
    fc.record({ kind: fc.constant<'signProposal'>('signProposal'), chainId, proposal: anyProposals }),
    fc.constant<PrivvalRequest>({ kind: 'ping' }),
  );

  it('requests that protobufjs writes are read, and ours are the same bytes', () => {
    fc.assert(
      fc.property(requests, (request) => {
        expect(decodeRequest(written(Message, toRequest(request)))).toEqual(request);
        expect(toHex(encodeRequest(request))).toBe(toHex(written(Message, sparse(toRequest(request)))));
      }),
      { numRuns },
    );
  });

  it('protobufjs reads our responses', () => {
    const responses: fc.Arbitrary<[PrivvalResponse, object]> = fc.oneof(
      anyVotes.map(({ timestamp, signature, extensionSignature }): [PrivvalResponse, object] => [
        { kind: 'signedVote', timestamp, signature, extensionSignature },
        {
          signed_vote_response: {
            vote: { timestamp: toTime(timestamp), signature, extension_signature: extensionSignature },
          },
        },
      ]),
      anyProposals.map(({ signature }): [PrivvalResponse, object] => [
        { kind: 'signedProposal', signature },
        { signed_proposal_response: { proposal: { signature } } },
      ]),
      fc.uint8Array({ minLength: 32, maxLength: 32 }).map((publicKey): [PrivvalResponse, object] => [
        { kind: 'pubKey', publicKey },
        {
          pub_key_response:
            dialect === 'classic'
              ? { pub_key: { ed25519: publicKey } }
              : { pub_key_bytes: publicKey, pub_key_type: 'ed25519' },
        },
      ]),
      fc
        .tuple(fc.integer({ min: 1, max: 9 }), chainId)
        .map(([code, description]): [PrivvalResponse, object] => [
          { kind: 'refused', of: 'pubKey', error: { code, description } },
          { pub_key_response: { ...(dialect === 'classic' ? { pub_key: {} } : {}), error: { code, description } } },
        ]),
      fc.constant<[PrivvalResponse, object]>([{ kind: 'ping' }, { ping_response: {} }]),
    );
    fc.assert(
      fc.property(responses, ([response, expected]) => {
        const read = Message.toObject(Message.decode(encodeResponse(response)), { longs: String });
        expect(sparse(read)).toEqual(sparse(expected));
        expect(decodeResponse(written(Message, expected))).toEqual(response);
      }),
      { numRuns },
    );
  });

  it('sign bytes are what protobufjs makes of the canonical messages', () => {
    const Vote = root.lookupType(`${types}.CanonicalVote`);
    const Proposal = root.lookupType(`${types}.CanonicalProposal`);
    const typeOf = (canonical: Canonical): number => ({ 1: 32, 2: 1, 3: 2 })[canonical.step];
    fc.assert(
      fc.property(canonicals, (canonical) => {
        const { height, round, blockId, timestamp } = canonical;
        const fields = {
          type: typeOf(canonical),
          height: height.toString(),
          round: round.toString(),
          ...(canonical.step === STEP_PROPOSAL ? { pol_round: canonical.polRound.toString() } : {}),
          ...(blockId === undefined ? {} : { block_id: toBlock(blockId) }),
          timestamp: toTime(timestamp),
          chain_id: canonical.chainId,
        };
        const type = canonical.step === STEP_PROPOSAL ? Proposal : Vote;
        const expected = type.encodeDelimited(type.fromObject(sparse(fields))).finish();
        expect(toHex(SignBytes.encode(canonical).bytes)).toBe(toHex(expected));
      }),
      { numRuns },
    );
  });

  it('extension sign bytes too', () => {
    const Extension = root.lookupType(`${types}.CanonicalVoteExtension`);
    fc.assert(
      fc.property(canonicals, fc.uint8Array({ maxLength: 2_000 }), ({ chainId, height, round }, extension) => {
        const fields = { extension, height: height.toString(), round: round.toString(), chain_id: chainId };
        const expected = Extension.encodeDelimited(Extension.fromObject(sparse(fields))).finish();
        expect(toHex(extensionSignBytes({ chainId, height, round, extension }))).toBe(toHex(expected));
      }),
      { numRuns },
    );
  });
});
