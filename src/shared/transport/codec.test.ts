import fc from 'fast-check';
import protobuf from 'protobufjs';
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
import { ownRelease } from '../coordination/release.js';
import { toPoint } from '../frost/group.js';
import { toSignatureShare } from '../frost/signature-share.js';
import { decodeCosignerMessage, decodeLinkMessage, encodeCosignerMessage, encodeLinkMessage } from './codec.js';
import { COSIGNER_MESSAGE, LINK_MESSAGE, LINK_PATH } from './contract.js';
import type { WaitAnswer, WaitQuestion } from '../watermark/wait-messages.js';
import type { Proof } from '../watermark/proof.js';

const RUNS = process.env['CI'] ? 10_000 : 1_000;

const bytes = (length: number, fill = 7): Uint8Array => new Uint8Array(length).fill(fill);
const KEY = { chainId: 'a', groupPublicKey: bytes(32, 6) };
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
  groupPublicKey: bytes(32, 6),
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
/** Halted before its group and its state were read. */
const unread: ChainReport = {
  ...report,
  ...{
    groupPublicKey: toPoint(new Uint8Array(32)),
    height: 0n,
    round: 0,
    step: 0,
    sequence: 0n,
    halted: 'GROUP_INVALID',
  },
};

const proof: Proof = { chainId: 'a', groupPublicKey: bytes(32), signBytes: bytes(110), signature: bytes(64) };

const QUESTION: WaitQuestion = {
  ...{ kind: 'waitQuestion', ...KEY, asker: 1, asked: 32, question: bytes(32), signature: bytes(512) },
};
const ANSWER: WaitAnswer = {
  ...{ kind: 'waitAnswer', ...KEY, asker: 32, answerer: 1, question: bytes(32), waiting: true, signature: bytes(72) },
  place: { height: 2n ** 63n - 1n, round: 2 ** 31 - 1, step: 3 },
};

const WIRE_ANSWER = { ...ANSWER, height: 5, round: 1, step: 3 };

const LINK: Record<string, LinkMessage> = {
  hello: {
    ...{ kind: 'linkHello', version: '0.1.0', protocol: 2 ** 31 - 1, features: Array(64).fill('f'.repeat(32)) },
    newest: [proof],
  },
  'hello of a new link': { kind: 'linkHello', ...ownRelease(''), newest: [] },
  'hello of an older release': { kind: 'linkHello', version: '0.1.0', protocol: 0, features: [], newest: [] },
  'heartbeat of a standby': { kind: 'heartbeat', id: 0, lease: undefined },
  'heartbeat of a standby that is ready': { kind: 'heartbeat', id: 0, lease: undefined, ready: true },
  'heartbeat of a leader': { kind: 'heartbeat', id: 9, lease: { term: 2 ** 53 - 1, leaseMs: 1_000, renewal: true } },
  proof: { kind: 'proof', proof },
  'question of one that waits': QUESTION,
  'answer to one that waits': ANSWER,
  'lease release': { kind: 'leaseRelease', term: 3 },
  'lease release to another': { kind: 'leaseRelease', term: 3, to: 'l'.repeat(64) },
  'sign request': request,
  'sign request with an extension': { ...request, extension: bytes(3_000), settle: true },
  'sign request with an empty extension': { ...request, extension: bytes(0) },
};

const COSIGNER: Record<string, CosignerMessage> = {
  hello: {
    ...{ kind: 'cosignerHello', ...ownRelease('0.1.0'), features: ['one', 'two'], id: 32 },
    chains: [report, { ...report, halted: 'STATE_WRITE_FAILED' }, unread],
  },
  'hello of an older release': {
    ...{ kind: 'cosignerHello', version: '0.1.0', protocol: 0, features: [], id: 1, chains: [] },
  },
  'heartbeat reply': {
    ...{ kind: 'heartbeatReply', id: 1, granted: true, term: 4, holder: 'sentry-link-1', remainingMs: 700 },
    ...{ renewedTerm: 2 ** 53 - 1, otherLink: true },
    chains: [{ ...report, height: 0n, round: 0, step: 0, sequence: 0n }],
  },
  'heartbeat reply to a leader': {
    ...{ kind: 'heartbeatReply', id: 1, granted: true, term: 4, holder: 'a', remainingMs: 700, chains: [] },
    ...{ renewedTerm: 0, otherLink: true, standbys: Array(32).fill('l'.repeat(64)) },
  },
  'lease free': { kind: 'leaseFree', turn: 32 },
  'question of one that waits': QUESTION,
  'answer to one that waits': ANSWER,
  'hello of one that waits': {
    ...{ kind: 'cosignerHello', ...ownRelease('0.1.0'), id: 1 },
    chains: [
      { ...report, waiting: [] },
      { ...report, waiting: [2, 32] },
    ],
  },
  'nonce batch that replaces': { kind: 'nonceBatch', ...KEY, commitments: [commitment(1)], replaces: true },
  'nonce batch': { kind: 'nonceBatch', ...KEY, commitments: [commitment(1), commitment(2)] },
  signed: { kind: 'signed', id: 1, vote: share, extension: undefined },
  'signed with an extension': { kind: 'signed', id: 1, vote: share, extension: share },
  'signed with fresh nonces': {
    ...{ kind: 'signed', id: 1, vote: share, extension: undefined },
    fresh: { kind: 'nonceBatch', ...KEY, commitments: [commitment(3)] },
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
      groupPublicKey: point,
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
    [
      'a release to a name of 65 bytes',
      { leaseRelease: { to: 'l'.repeat(65) } },
      /^TRANSPORT_MALFORMED: .*has 65 bytes/,
    ],
    [
      'a release to a name with a line end',
      { leaseRelease: { to: 'l\n' } },
      /^TRANSPORT_MALFORMED: .*control characters/,
    ],
    ['no chain id', signRequest({ chainId: '' }), /^TRANSPORT_MALFORMED: .*chain id has 0 bytes/],
    ['chain id of 51 bytes', signRequest({ chainId: 'x'.repeat(51) }), /^TRANSPORT_MALFORMED: .*chain id has 51 bytes/],
    [
      'chain id of 17 three-byte signs',
      signRequest({ chainId: '€'.repeat(17) }),
      /^TRANSPORT_MALFORMED: .*chain id has 51 bytes/,
    ],
    ['chain id with a line end', signRequest({ chainId: 'a\nb' }), /^TRANSPORT_MALFORMED: .*control characters/],
    ['a request without a key', signRequest({ groupPublicKey: bytes(0) }), /^TRANSPORT_MALFORMED: .*public key has 0/],
    ['key of 33 bytes', signRequest({ groupPublicKey: bytes(33) }), /^TRANSPORT_MALFORMED: .*public key has 33/],
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
    ['protocol above int32', { linkHello: { protocol: 2 ** 31 } }, /^TRANSPORT_MALFORMED: .*protocol is 2147483648/],
    ['65 features', { linkHello: { features: Array(65).fill('a') } }, /^TRANSPORT_MALFORMED: .*features has 65/],
    ['feature of no name', { linkHello: { features: [''] } }, /^TRANSPORT_MALFORMED: .*name of a feature has 0/],
    ['feature of 33 bytes', { linkHello: { features: ['f'.repeat(33)] } }, /^TRANSPORT_MALFORMED: .*feature has 33/],
    ['question of 31 bytes', { waitQuestion: { ...QUESTION, question: bytes(31) } }, /^TRANSPORT_MALFORMED: .*has 31/],
    ['question of nobody', { waitQuestion: { ...QUESTION, asker: 0 } }, /^TRANSPORT_MALFORMED: .*id is 0/],
    ['question to the 33rd', { waitQuestion: { ...QUESTION, asked: 33 } }, /^TRANSPORT_MALFORMED: .*id is 33/],
    ['answer below zero', { waitAnswer: { ...WIRE_ANSWER, height: -1 } }, /^TRANSPORT_MALFORMED: .*is negative/],
    ['answer of a fourth step', { waitAnswer: { ...WIRE_ANSWER, step: 4 } }, /^TRANSPORT_MALFORMED: .*step .* is 4/],
    [
      'answer without a signature',
      { waitAnswer: { ...WIRE_ANSWER, signature: bytes(0) } },
      /^TRANSPORT_MALFORMED: .*0 b/,
    ],
    [
      'signature of 513 bytes',
      { waitAnswer: { ...WIRE_ANSWER, signature: bytes(513) } },
      /^TRANSPORT_MALFORMED: .*513/,
    ],
    ['feature with a line end', { linkHello: { features: ['a\nb'] } }, /^TRANSPORT_MALFORMED: .*control characters/],
    [
      '257 chains',
      { linkHello: { newest: Array(257).fill(proof), protocol: 2 } },
      /^TRANSPORT_MALFORMED: .*257 entries/,
    ],
  ];
  it.each(link)('link: %s', (_, wire, message) => {
    const encoded = LINK_MESSAGE.encode(wire).finish();
    expect(refusal(() => decodeLinkMessage(encoded))).toMatch(message);
  });

  const cosigner: [name: string, wire: object, message: RegExp][] = [
    [
      '65 features',
      { cosignerHello: { id: 1, features: Array(65).fill('a') } },
      /^TRANSPORT_MALFORMED: .*features has/,
    ],
    ['batch without a key', { nonceBatch: { chainId: 'a' } }, /^TRANSPORT_MALFORMED: .*public key has 0/],
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
    ['33 standbys', reply({ standbys: Array(33).fill('l') }), /^TRANSPORT_MALFORMED: .*list of standbys has 33/],
    ['standby without a name', reply({ standbys: [''] }), /^TRANSPORT_MALFORMED: .*name of a standby has 0 bytes/],
    ['turn 33', { leaseFree: { turn: 33 } }, /^TRANSPORT_MALFORMED: .*turn of a link is 33/],
    ['name with an escape sequence', reply({ holder: '\u001b[31m' }), /^TRANSPORT_MALFORMED: .*control characters/],
    ['remaining time above int32', reply({ remainingMs: 2 ** 32 - 1 }), /^TRANSPORT_MALFORMED: .*remaining lease time/],
    [
      '129 commitments',
      { nonceBatch: { chainId: 'a', groupPublicKey: bytes(32), commitments: Array(129).fill(commitment(1)) } },
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
      {
        signed: {
          id: 1,
          vote: share,
          fresh: { chainId: 'a', groupPublicKey: bytes(32), commitments: Array(129).fill(commitment(1)) },
        },
      },
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
  const extension = decoded?.kind === 'signRequest' ? decoded.extension : undefined;
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

/** A field of a newer version: its number is nowhere in the contract. */
const NEW_FIELDS: readonly (readonly [name: string, bytes: readonly number[], parts: number])[] = [
  ['a number', [0x98, 0x06, 0x01], 1],
  ['64 bits', [0x99, 0x06, 1, 2, 3, 4, 5, 6, 7, 8], 1],
  ['bytes', [0x9a, 0x06, 3, 1, 2, 3], 1],
  ['a group', [0x9b, 0x06, 0x08, 0x01, 0x9c, 0x06], 2],
  ['32 bits', [0x9d, 0x06, 1, 2, 3, 4], 1],
  ['several', [0x98, 0x06, 0x01, 0x98, 0x06, 0x02, 0x98, 0x06, 0x03], 3],
];

describe('what a newer version adds is passed over and counted', () => {
  const decoders = [
    ['link', decodeLinkMessage, encodeLinkMessage(LINK['lease release']!), LINK['lease release']],
    ['cosigner', decodeCosignerMessage, encodeCosignerMessage(COSIGNER['refused']!), COSIGNER['refused']],
  ] as const;
  describe.each(decoders)('%s', (_side, decode, known, message) => {
    const counted = (bytes: Uint8Array | readonly number[]): unknown => {
      const counts: number[] = [];
      return [decode(Uint8Array.from(bytes), (parts) => counts.push(parts)), ...counts];
    };
    it.each(NEW_FIELDS)('a kind of message that is %s', (_name, field, parts) => {
      expect(counted(field)).toEqual([undefined, parts]);
    });
    it('a kind with nothing in it', () => expect(counted([])).toEqual([undefined, 1]));
    it.each(NEW_FIELDS)('a field that is %s, within a message', (_name, field, parts) => {
      const inner = [...known.subarray(2), ...field];
      expect(counted([known[0]!, inner.length, ...inner])).toEqual([message, parts]);
    });
    it.each(NEW_FIELDS)('a field that is %s, beside a message', (_name, field, parts) => {
      expect(counted([...known, ...field])).toEqual([message, parts]);
    });
    it('what is all known is not counted', () => expect(counted(known)).toEqual([message]));
    it.each<[name: string, bytes: readonly number[]]>([
      ['cut short', [0x9a, 0x06, 4, 1, 2, 3]],
      ['of a wire type that is none', [0x9f, 0x06, 1]],
      ['the end of a group that never began', [0x9c, 0x06]],
      ['groups in groups without end', Array<number[]>(100_000).fill([0x9b, 0x06]).flat()],
    ])('damage stays damage: a new field %s', (_name, bytes) => {
      expect(refusal(() => decode(Uint8Array.from(bytes)))).toMatch(/^TRANSPORT_MALFORMED: not a message/);
    });
  });

  it('a kind of any name and content', () => {
    const unknown = fc.tuple(fc.integer({ min: 100, max: 2 ** 20 }), fc.uint8Array({ maxLength: 300 }));
    fc.assert(
      fc.property(unknown, ([field, content]) => {
        const writer = protobuf.Writer.create()
          .uint32(field * 8 + 2)
          .bytes(content);
        let parts = 0;
        expect(decodeLinkMessage(writer.finish(), (count) => (parts += count))).toBeUndefined();
        expect(parts).toBe(1);
      }),
      { numRuns: 200 },
    );
  });
});

it('an older release names what it has seen by the chain alone: its hello is read all the same', () => {
  const wire = { linkHello: { version: '0.1.0', seen: [{ chainId: 'a', sequence: 1 }] } };
  expect(decodeLinkMessage(LINK_MESSAGE.encode(wire).finish())).toEqual(LINK['hello of an older release']);
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
  expect(decoded?.kind === 'signRequest' && Object.getPrototypeOf(decoded.signBytes)).toBe(Uint8Array.prototype);
});

it('the method is the one of the contract', () => {
  expect(LINK_PATH).toBe('/hekate.v1.Cosigner/Link');
});
