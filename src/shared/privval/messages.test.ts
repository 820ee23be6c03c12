import fc from 'fast-check';
import type { ErrorCode } from '../error-codes.js';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../bytes.js';
import { anyProposals, anyVotes } from './testdata/arbitraries.js';
import { NO_BLOCK, ZERO_TIME } from './fields.js';
import { EMPTY_PROPOSAL, EMPTY_VOTE } from './node-messages.js';
import { REMOTE_ERROR, remoteError } from './remote-error.js';
import { decodeRequest, encodeRequest, type PrivvalRequest } from './request.js';
import { decodeResponse, encodeResponse, MAX_RESPONSE_BYTES, type PrivvalResponse } from './response.js';
import vectors from './testdata/messages.json' with { type: 'json' };

const numRuns = process.env['CI'] === 'true' ? 10_000 : 500;
const ascii = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const PUBLIC_KEY = fromHex('556a436f1218d30942efe798420f51dc9b6a311b929c578257457d05c5fcf230');
const ERROR = { code: 1, description: "it's a error" };
const malformed = expect.objectContaining({ code: 'PRIVVAL_MALFORMED' }) as Error;

const common = {
  height: 3n,
  round: 2,
  blockId: {
    hash: fromHex('8b01023386c371778ecb6368573e539afc3cc860ec3a2f614e54fe5652f4fc80'),
    partsTotal: 1_000_000,
    partsHash: fromHex('72db3d959635dff1bb567bedaa70573392c5159666a3f8caf11e413aac52207a'),
  },
  timestamp: { seconds: 1_570_983_284n, nanos: 0 },
};
const VOTE = {
  ...EMPTY_VOTE,
  ...common,
  type: 1,
  validatorAddress: fromHex('6af1f4111082efb388211bc72c55bcd61e9ac3d5'),
  validatorIndex: 56_789,
};
const PRECOMMIT = { ...VOTE, type: 2, extension: ascii('extension') };
const PROPOSAL = { ...EMPTY_PROPOSAL, ...common, type: 1, polRound: 2, signature: ascii("it's a signature") };

describe('requests', () => {
  it.each<[string, string, PrivvalRequest]>([
    ['ping', vectors.pingRequest, { kind: 'ping' }],
    ['public key', vectors.pubKeyRequest, { kind: 'pubKey', chainId: '' }],
    ['public key of a chain', vectors.captured.pubKeyRequest, { kind: 'pubKey', chainId: 'test-chain-AFEOv5' }],
    ['vote, 0.37', vectors.voteRequest037, { kind: 'signVote', chainId: '', vote: VOTE, skipExtensionSigning: false }],
    [
      'vote with an extension, 0.38 and 1.0',
      vectors.voteRequest038,
      { kind: 'signVote', chainId: '', vote: PRECOMMIT, skipExtensionSigning: false },
    ],
    ['proposal', vectors.proposalRequest, { kind: 'signProposal', chainId: '', proposal: PROPOSAL }],
    ['sign bytes of 1.0', '4a050a03010203', { kind: 'signBytes', body: fromHex('0a03010203') }],
    ['empty sign bytes', '4a00', { kind: 'signBytes', body: new Uint8Array(0) }],
    ['a message of later times', '5a00', { kind: 'unknown', field: 11 }],
    ['an empty message', '', { kind: 'unknown', field: 0 }],
  ])('%s', (_name, hex, request) => {
    expect(decodeRequest(fromHex(hex))).toEqual(request);
    expect(toHex(encodeRequest(request))).toBe(hex);
  });

  it.each<[string, string, PrivvalRequest]>([
    ['a response is none of ours', '4200', { kind: 'unknown', field: 8 }],
    ['the last member counts', '3a000a03' + '0a0161', { kind: 'pubKey', chainId: 'a' }],
    ['unknown fields beside a known one are skipped', '78013a02780178ff01', { kind: 'ping' }],
    [
      'an absent vote is one of zeros, its time that of Go',
      '1a031201' + '61',
      {
        kind: 'signVote',
        chainId: 'a',
        vote: { ...EMPTY_VOTE, blockId: NO_BLOCK, timestamp: ZERO_TIME },
        skipExtensionSigning: false,
      },
    ],
    [
      '1.0 says that extensions are not signed',
      '1a070a0012016118' + '01',
      { kind: 'signVote', chainId: 'a', vote: EMPTY_VOTE, skipExtensionSigning: true },
    ],
    [
      'the other extension of 2.0 is skipped',
      '1a050a035a0161',
      { kind: 'signVote', chainId: '', vote: EMPTY_VOTE, skipExtensionSigning: false },
    ],
  ])('%s', (_name, hex, request) => {
    expect(decodeRequest(fromHex(hex))).toEqual(request);
  });

  it.each<[string, string]>([
    ['a vote that is cut off', vectors.voteRequest037.slice(0, -2)],
    ['a chain id that is not UTF-8', '0a030a01ff'],
    ['a ping that is a number', '3801'],
    ['a ping of rubbish', '3a01ff'],
    ['a round beyond int32', '1a080a0618ffffffff0f'],
  ])('malformed: %s', (_name, hex) => {
    expect(() => decodeRequest(fromHex(hex))).toThrow(malformed);
  });
});

describe('responses', () => {
  it.each<[string, string, PrivvalResponse]>([
    ['ping', vectors.pingResponse, { kind: 'ping' }],
    ['public key, classic', vectors.pubKeyResponseClassic, { kind: 'pubKey', publicKey: PUBLIC_KEY }],
    ['public key, 1.0', vectors.pubKeyResponseV1, { kind: 'pubKey', publicKey: PUBLIC_KEY }],
    ['public key refused, classic', vectors.pubKeyErrorClassic, { kind: 'refused', of: 'pubKey', error: ERROR }],
    ['public key refused, 1.0', vectors.pubKeyErrorV1, { kind: 'refused', of: 'pubKey', error: ERROR }],
    ['vote refused', vectors.voteError, { kind: 'refused', of: 'signVote', error: ERROR }],
    ['proposal refused', vectors.proposalError, { kind: 'refused', of: 'signProposal', error: ERROR }],
    ['proposal', vectors.proposalResponse, { kind: 'signedProposal', signature: ascii("it's a signature") }],
    [
      'vote',
      vectors.voteResponse038,
      {
        kind: 'signedVote',
        timestamp: common.timestamp,
        signature: new Uint8Array(0),
        extensionSignature: new Uint8Array(0),
      },
    ],
    ['sign bytes', '52030a0107', { kind: 'signedBytes', signature: Uint8Array.of(7) }],
    ['nothing', '', { kind: 'empty' }],
  ])('%s is read', (_name, hex, response) => {
    expect(decodeResponse(fromHex(hex))).toEqual(response);
  });

  it.each<[string, string, PrivvalResponse]>([
    ['ping', vectors.pingResponse, { kind: 'ping' }],
    ['vote refused', vectors.voteError, { kind: 'refused', of: 'signVote', error: ERROR }],
    ['proposal refused', vectors.proposalError, { kind: 'refused', of: 'signProposal', error: ERROR }],
    ['public key refused', vectors.pubKeyErrorClassic, { kind: 'refused', of: 'pubKey', error: ERROR }],
    ['sign bytes refused', '5212' + vectors.pubKeyErrorV1.slice(4), { kind: 'refused', of: 'signBytes', error: ERROR }],
    ['an answer to what is not known', '', { kind: 'empty' }],
  ])('%s is written as CometBFT writes it', (_name, hex, response) => {
    expect(toHex(encodeResponse(response))).toBe(hex);
  });

  it('one public key answer holds what classic nodes and what 1.0 reads', () => {
    const hex = toHex(encodeResponse({ kind: 'pubKey', publicKey: PUBLIC_KEY }));
    expect(hex).toBe(`124f${vectors.pubKeyResponseClassic.slice(4)}${vectors.pubKeyResponseV1.slice(4)}`);
  });

  it('a key of another kind is no key', () => {
    const secp256k1 = '12230a21122102' + '00'.repeat(32);
    expect(decodeResponse(fromHex(secp256k1.replace('12230a21', '12250a23')))).toEqual({
      kind: 'pubKey',
      publicKey: new Uint8Array(0),
    });
  });

  it('a signed vote carries timestamp and signatures alone', () => {
    const signature = new Uint8Array(64).fill(1);
    const vote = {
      kind: 'signedVote',
      timestamp: { seconds: 1n, nanos: 2 },
      signature,
      extensionSignature: signature,
    } as const;
    const hex = `${'01'.repeat(64)}`;
    expect(toHex(encodeResponse(vote))).toBe(`228d010a8a012a0408011002` + `4240${hex}5240${hex}`);
    expect(decodeResponse(encodeResponse(vote))).toEqual(vote);
  });
});

describe('errors for the node', () => {
  it.each<[ErrorCode, number]>([
    ['DOUBLE_SIGN', REMOTE_ERROR.watermark],
    ['WRONG_CHAIN', REMOTE_ERROR.wrongChain],
    ['REQUEST_INVALID', REMOTE_ERROR.badRequest],
    ['REQUEST_UNSUPPORTED', REMOTE_ERROR.unsupported],
    ['QUORUM_LOST', REMOTE_ERROR.unavailable],
    ['INTERNAL', REMOTE_ERROR.fault],
  ])('%s has number %i', (code, number) => {
    expect(remoteError(code, 'why')).toEqual({ code: number, description: `${code}: why` });
  });

  it('any text makes one bounded line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 20_000 }), fc.nat({ max: 3 }), (message, pick) => {
        const error = remoteError('QUORUM_LOST', `${message}\n\u0007\ud800`);
        expect(error.description).not.toMatch(/\p{Cc}/u);
        const of = (['pubKey', 'signVote', 'signProposal', 'signBytes'] as const)[pick] ?? 'pubKey';
        const bytes = encodeResponse({ kind: 'refused', of, error });
        expect(bytes.length).toBeLessThan(MAX_RESPONSE_BYTES / 4);
        expect(decodeResponse(bytes)).toMatchObject({ kind: 'refused', of, error: { code: error.code } });
      }),
      { numRuns: Math.min(numRuns, 1_000) },
    );
  });
});

describe('properties', () => {
  const chainId = fc.string({ unit: 'binary', maxLength: 60 });
  const requests: fc.Arbitrary<PrivvalRequest> = fc.oneof(
    fc.record({ kind: fc.constant<'pubKey'>('pubKey'), chainId }),
    fc.record({
      kind: fc.constant<'signVote'>('signVote'),
      chainId,
      vote: anyVotes,
      skipExtensionSigning: fc.boolean(),
    }),
    fc.record({ kind: fc.constant<'signProposal'>('signProposal'), chainId, proposal: anyProposals }),
    fc.record({ kind: fc.constant<'signBytes'>('signBytes'), body: fc.uint8Array() }),
  );

  it('any request comes back as it went', () => {
    fc.assert(
      fc.property(requests, (request) => {
        expect(decodeRequest(encodeRequest(request))).toEqual(request);
      }),
      { numRuns },
    );
  });

  it('garbage, and requests with bytes changed, are read or malformed', () => {
    const changed = fc
      .tuple(requests, fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 }))
      .map(([request, changes]) => {
        const bytes = encodeRequest(request);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        return bytes;
      });
    fc.assert(
      fc.property(fc.oneof(changed, fc.uint8Array({ maxLength: 200 })), (bytes) => {
        for (const decode of [decodeRequest, decodeResponse]) {
          try {
            decode(bytes);
          } catch (error) {
            expect(error).toMatchObject({ code: 'PRIVVAL_MALFORMED' });
          }
        }
      }),
      { numRuns },
    );
  });
});
