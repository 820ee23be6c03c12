import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { equalBytes } from '../bytes.js';
import { MAX_EXTENSION_BYTES, MAX_SIGN_BYTES } from '../coordination/limits.js';
import type {
  ChainReport,
  CosignerMessage,
  LinkMessage,
  NonceCommitment,
  SignRequest,
} from '../coordination/messages.js';
import { isHekateError } from '../errors.js';
import { toPoint } from '../frost/group.js';
import { toSignatureShare } from '../frost/signature-share.js';
import { decodeCosignerMessage, decodeLinkMessage, encodeCosignerMessage, encodeLinkMessage } from './codec.js';
import { COSIGNER_MESSAGE, LINK_MESSAGE, LINK_PATH } from './contract.js';

const RUNS = process.env['CI'] ? 10_000 : 1_000;

const bytes = (length: number, fill = 7): Uint8Array => new Uint8Array(length).fill(fill);
const commitment = (nonceId: number): NonceCommitment => ({
  nonceId,
  hiding: toPoint(bytes(32, 1)),
  binding: toPoint(bytes(32, 2)),
});
const share = { groupCommitment: toPoint(bytes(32, 3)), share: toSignatureShare(bytes(32, 4)) };
const request: SignRequest = {
  kind: 'signRequest',
  id: 2 ** 53 - 1,
  term: 2 ** 32,
  chainId: 'kaiju-1',
  signBytes: bytes(110),
  extension: undefined,
  settle: false,
  signers: [
    { id: 1, vote: commitment(0), extension: undefined },
    { id: 32, vote: commitment(2 ** 40), extension: commitment(5) },
  ],
};
const report: ChainReport = {
  chainId: 'x'.repeat(50),
  groupPublicKey: bytes(32),
  height: 2n ** 63n - 1n,
  round: 2 ** 31 - 1,
  step: 3,
  sequence: 2n ** 64n - 1n,
  maxHeightJump: 2n ** 62n,
  halted: undefined,
};

const LINK: Record<string, LinkMessage> = {
  hello: { kind: 'linkHello', version: '0.1.0', seen: [{ chainId: 'a', sequence: 2n ** 64n - 1n }] },
  'hello of a new link': { kind: 'linkHello', version: '', seen: [] },
  'heartbeat of a standby': { kind: 'heartbeat', id: 0, lease: undefined },
  'heartbeat of a leader': { kind: 'heartbeat', id: 9, lease: { term: 2 ** 53 - 1, leaseMs: 1_000, renewal: true } },
  'lease release': { kind: 'leaseRelease', term: 3 },
  'sign request': request,
  'sign request with an extension': { ...request, extension: bytes(3_000), settle: true },
  'sign request with an empty extension': { ...request, extension: bytes(0) },
};

const COSIGNER: Record<string, CosignerMessage> = {
  hello: {
    kind: 'cosignerHello',
    version: '0.1.0',
    id: 32,
    chains: [report, { ...report, halted: 'STATE_WRITE_FAILED' }],
  },
  'heartbeat reply': {
    ...{ kind: 'heartbeatReply', id: 1, granted: true, term: 4, holder: 'sentry-link-1', remainingMs: 700 },
    ...{ renewedTerm: 2 ** 53 - 1, otherLink: true },
    chains: [{ ...report, height: 0n, round: 0, step: 0, sequence: 0n }],
  },
  'nonce batch': { kind: 'nonceBatch', chainId: 'a', commitments: [commitment(1), commitment(2)] },
  signed: { kind: 'signed', id: 1, vote: share, extension: undefined },
  'signed with an extension': { kind: 'signed', id: 1, vote: share, extension: share },
  'signed with fresh nonces': {
    ...{ kind: 'signed', id: 1, vote: share, extension: undefined },
    fresh: { kind: 'nonceBatch', chainId: 'a', commitments: [commitment(3)] },
  },
  stored: { kind: 'stored', id: 1, signBytes: bytes(MAX_SIGN_BYTES) },
  refused: { kind: 'refused', id: 1, code: 'DOUBLE_SIGN', message: 'another block at 5/0/1' },
};

describe('every message comes back as it was', () => {
  it.each(Object.entries(LINK))('link: %s', (_, message) => {
    expect(decodeLinkMessage(encodeLinkMessage(message))).toStrictEqual(message);
  });
  it.each(Object.entries(COSIGNER))('cosigner: %s', (_, message) => {
    expect(decodeCosignerMessage(encodeCosignerMessage(message))).toStrictEqual(message);
  });

  it('any sign request', () => {
    const id = fc.maxSafeNat();
    const point = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toPoint);
    const nonce = fc.record({ nonceId: id, hiding: point, binding: point });
    const signer = fc.record({
      id: fc.integer({ min: 1, max: 32 }),
      vote: nonce,
      extension: fc.option(nonce, { nil: undefined }),
    });
    const requests = fc.record({
      kind: fc.constant('signRequest' as const),
      id,
      term: id,
      chainId: fc.string({ minLength: 1, maxLength: 50, unit: fc.constantFrom(...'abcXYZ019-_.') }),
      signBytes: fc.uint8Array({ minLength: 1, maxLength: MAX_SIGN_BYTES }),
      extension: fc.option(fc.uint8Array({ maxLength: 2_000 }), { nil: undefined }),
      settle: fc.boolean(),
      signers: fc.array(signer, { minLength: 1, maxLength: 32 }),
    });
    fc.assert(
      fc.property(requests, (message) => {
        expect(decodeLinkMessage(encodeLinkMessage(message))).toEqual(message);
      }),
      { numRuns: 200 },
    );
  });
});

/** `CODE: message` of what `task` throws. */
function refusal(task: () => unknown): string {
  try {
    task();
  } catch (error) {
    if (isHekateError(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'nothing was thrown';
}

describe('what is out of bounds is refused', () => {
  const signRequest = (changes: object): object => ({ signRequest: { ...request, ...changes } });
  const signer = (changes: object): object => signRequest({ signers: [{ ...request.signers[0], ...changes }] });
  const reply = (changes: object): object => ({ heartbeatReply: { id: 1, term: 1, ...changes } });
  const wireReport = (changes: object): object =>
    reply({ chains: [{ chainId: 'a', groupPublicKey: bytes(32), ...changes }] });

  const link: [name: string, wire: object, message: RegExp][] = [
    ['no kind at all', {}, /^TRANSPORT_MALFORMED: .*kind that is not in this version/],
    ['two kinds', { heartbeat: {}, leaseRelease: {} }, /^TRANSPORT_MALFORMED: .*2 kinds/],
    [
      'id above 2^53',
      { heartbeat: { id: { low: 0, high: 2 ** 21 } } },
      /^TRANSPORT_MALFORMED: .*heartbeat id is above 2\^53/,
    ],
    ['term above 2^53', { leaseRelease: { term: { low: 0, high: -1 } } }, /^TRANSPORT_MALFORMED: .*term is above/],
    [
      'lease of no time',
      { heartbeat: { lease: { term: 1, leaseMs: 0 } } },
      /^TRANSPORT_MALFORMED: .*lease time in ms is 0/,
    ],
    [
      'lease of an hour',
      { heartbeat: { lease: { term: 1, leaseMs: 3_600_000 } } },
      /^TRANSPORT_MALFORMED: .*outside 1 to 1000/,
    ],
    ['no chain id', signRequest({ chainId: '' }), /^TRANSPORT_MALFORMED: .*chain id has 0 bytes/],
    ['chain id of 51 bytes', signRequest({ chainId: 'x'.repeat(51) }), /^TRANSPORT_MALFORMED: .*chain id has 51 bytes/],
    [
      'chain id of 17 three-byte signs',
      signRequest({ chainId: '€'.repeat(17) }),
      /^TRANSPORT_MALFORMED: .*chain id has 51 bytes/,
    ],
    ['chain id with a line end', signRequest({ chainId: 'a\nb' }), /^TRANSPORT_MALFORMED: .*control characters/],
    ['no sign bytes', signRequest({ signBytes: bytes(0) }), /^TRANSPORT_MALFORMED: .*sign bytes has 0 bytes/],
    ['too many sign bytes', signRequest({ signBytes: bytes(513) }), /^TRANSPORT_MALFORMED: .*sign bytes has 513 bytes/],
    [
      'extension above 1 MiB',
      signRequest({ extension: bytes(MAX_EXTENSION_BYTES + 1) }),
      /^TRANSPORT_MALFORMED: .*vote extension has 1048577/,
    ],
    ['no signers', signRequest({ signers: [] }), /^TRANSPORT_MALFORMED: .*no signers/],
    [
      '33 signers',
      signRequest({ signers: Array(33).fill(request.signers[0]) }),
      /^TRANSPORT_MALFORMED: .*signer list has 33/,
    ],
    ['signer 0', signer({ id: 0 }), /^TRANSPORT_MALFORMED: .*signer id is 0/],
    ['signer 33', signer({ id: 33 }), /^TRANSPORT_MALFORMED: .*signer id is 33/],
    ['signer without commitment', signer({ vote: undefined }), /^TRANSPORT_MALFORMED: .*nonce commitment is missing/],
    [
      'point of 31 bytes',
      signer({ vote: { ...commitment(1), hiding: bytes(31) } }),
      /^TRANSPORT_MALFORMED: .*has 31 bytes, 32 are allowed/,
    ],
    [
      'point of 33 bytes',
      signer({ extension: { ...commitment(1), binding: bytes(33) } }),
      /^TRANSPORT_MALFORMED: .*has 33 bytes/,
    ],
    ['version of 65 bytes', { linkHello: { version: 'v'.repeat(65) } }, /^TRANSPORT_MALFORMED: .*version has 65/],
    [
      '257 chains',
      { linkHello: { seen: Array(257).fill({ chainId: 'a', sequence: 1 }) } },
      /^TRANSPORT_MALFORMED: .*257 entries/,
    ],
  ];
  it.each(link)('link: %s', (_, wire, message) => {
    const encoded = LINK_MESSAGE.encode(wire).finish();
    expect(refusal(() => decodeLinkMessage(encoded))).toMatch(message);
  });

  const cosigner: [name: string, wire: object, message: RegExp][] = [
    ['no kind at all', {}, /^TRANSPORT_MALFORMED: .*kind that is not in this version/],
    ['cosigner 0', { cosignerHello: { id: 0 } }, /^TRANSPORT_MALFORMED: .*cosigner id is 0/],
    ['cosigner 33', { cosignerHello: { id: 33 } }, /^TRANSPORT_MALFORMED: .*cosigner id is 33/],
    ['negative height', wireReport({ height: { low: -1, high: -1 } }), /^TRANSPORT_MALFORMED: .*height is negative/],
    ['round above int32', wireReport({ round: 2 ** 31 }), /^TRANSPORT_MALFORMED: .*round is 2147483648/],
    ['step 4', wireReport({ step: 4 }), /^TRANSPORT_MALFORMED: .*step is 4/],
    ['key of 31 bytes', wireReport({ groupPublicKey: bytes(31) }), /^TRANSPORT_MALFORMED: .*group public key has 31/],
    ['halt code with markup', wireReport({ halted: '<b>' }), /^TRANSPORT_MALFORMED: .*halt code is not an error code/],
    [
      '257 chains',
      reply({ chains: Array(257).fill({ chainId: 'a', groupPublicKey: bytes(32) }) }),
      /^TRANSPORT_MALFORMED: .*257 entries/,
    ],
    ['name with an escape sequence', reply({ holder: '\u001b[31m' }), /^TRANSPORT_MALFORMED: .*control characters/],
    ['remaining time above int32', reply({ remainingMs: 2 ** 32 - 1 }), /^TRANSPORT_MALFORMED: .*remaining lease time/],
    [
      '129 commitments',
      { nonceBatch: { chainId: 'a', commitments: Array(129).fill(commitment(1)) } },
      /^TRANSPORT_MALFORMED: .*129 entries/,
    ],
    ['no share', { signed: { id: 1 } }, /^TRANSPORT_MALFORMED: .*signature share is missing/],
    [
      'share of 31 bytes',
      { signed: { id: 1, vote: { ...share, share: bytes(31) } } },
      /^TRANSPORT_MALFORMED: .*signature share has 31/,
    ],
    [
      '129 commitments with a share',
      { signed: { id: 1, vote: share, fresh: { chainId: 'a', commitments: Array(129).fill(commitment(1)) } } },
      /^TRANSPORT_MALFORMED: .*129 entries/,
    ],
    ['stored without bytes', { stored: { id: 1 } }, /^TRANSPORT_MALFORMED: .*sign bytes has 0/],
    ['refusal without a code', { refused: { id: 1, message: 'no' } }, /^TRANSPORT_MALFORMED: .*not an error code/],
  ];
  it.each(cosigner)('cosigner: %s', (_, wire, message) => {
    const encoded = COSIGNER_MESSAGE.encode(wire).finish();
    expect(refusal(() => decodeCosignerMessage(encoded))).toMatch(message);
  });

  it('more than a stream message may have', () => {
    expect(() => decodeLinkMessage(bytes(2 * MAX_EXTENSION_BYTES))).toThrowError(/a message of 2097152 bytes/);
  });
});

describe('garbage', () => {
  const decoders = [decodeLinkMessage, decodeCosignerMessage];
  const survives = (input: Uint8Array): void => {
    for (const decode of decoders) {
      try {
        decode(input);
      } catch (error) {
        if (!isHekateError(error) || error.code !== 'TRANSPORT_MALFORMED') throw error;
      }
    }
  };

  it('random bytes are a message or TRANSPORT_MALFORMED', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), survives), { numRuns: RUNS });
  });

  it('a damaged message is a message or TRANSPORT_MALFORMED', () => {
    const whole = [
      ...Object.values(LINK).map(encodeLinkMessage),
      ...Object.values(COSIGNER).map(encodeCosignerMessage),
    ];
    const small = whole.filter(({ length }) => length < 10_000);
    const damage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(fc.constantFrom(...small), damage, fc.nat(), (message, changes, cut) => {
        const damaged = Uint8Array.from(message);
        for (const [at, value] of changes) damaged[at % damaged.length] = value;
        survives(damaged);
        survives(damaged.subarray(0, cut % damaged.length));
      }),
      { numRuns: RUNS },
    );
  });
});

it('the largest vote extension fits', () => {
  const decoded = decodeLinkMessage(encodeLinkMessage({ ...request, extension: bytes(MAX_EXTENSION_BYTES, 9) }));
  const extension = decoded.kind === 'signRequest' ? decoded.extension : undefined;
  expect(extension && equalBytes(extension, bytes(MAX_EXTENSION_BYTES, 9))).toBe(true);
});

it('a refusal is cut and cleaned by its sender and its receiver', () => {
  const message = `line one\nline two ${'x'.repeat(1_000)}`;
  const sent = encodeCosignerMessage({ kind: 'refused', id: 1, code: 'INTERNAL', message });
  const raw = COSIGNER_MESSAGE.encode({ refused: { id: 1, code: 'INTERNAL', message } }).finish();
  for (const bytes of [sent, raw])
    expect(decodeCosignerMessage(bytes)).toMatchObject({ message: `line one?line two ${'x'.repeat(494)}` });
});

it('a fraction of a remaining lease is rounded up', () => {
  const reply = { kind: 'heartbeatReply', id: 1, granted: false, term: 1, holder: '' } as const;
  const others = { renewedTerm: 0, otherLink: false, chains: [] };
  expect(decodeCosignerMessage(encodeCosignerMessage({ ...reply, ...others, remainingMs: 12.25 }))).toMatchObject({
    remainingMs: 13,
  });
  expect(decodeCosignerMessage(encodeCosignerMessage({ ...reply, ...others, remainingMs: -1 }))).toMatchObject({
    remainingMs: 0,
  });
});

it('a field that a newer version adds is passed over', () => {
  const encoded = encodeLinkMessage({ kind: 'leaseRelease', term: 3 });
  // Field 99 of the inner message, a varint.
  const inner = [...encoded.subarray(2), 0x98, 0x06, 0x01];
  expect(decodeLinkMessage(Uint8Array.from([encoded[0] ?? 0, inner.length, ...inner]))).toEqual({
    kind: 'leaseRelease',
    term: 3,
  });
});

it.each<[string, object, object]>([
  ['of a refusal', { refused: { id: 1, code: 'MADE_UP', message: 'no' } }, { code: 'INTERNAL' }],
  [
    'of a halted chain',
    { cosignerHello: { id: 1, chains: [{ chainId: 'a', groupPublicKey: bytes(32), halted: 'MADE_UP' }] } },
    { chains: [{ halted: 'INTERNAL' }] },
  ],
])('a code that only another version knows is a fault there: %s', (_name, wire, expected) => {
  expect(decodeCosignerMessage(COSIGNER_MESSAGE.encode(wire).finish())).toMatchObject(expected);
});

it('decoded bytes are plain views whose slice copies', () => {
  const decoded = decodeLinkMessage(Buffer.from(encodeLinkMessage(request)));
  expect(decoded.kind === 'signRequest' && Object.getPrototypeOf(decoded.signBytes)).toBe(Uint8Array.prototype);
});

it('the method is the one of the contract', () => {
  expect(LINK_PATH).toBe('/hekate.v1.Cosigner/Link');
});
