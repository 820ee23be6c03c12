import { createPublicKey, verify } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, fromHex, toHex } from '../bytes.js';
import type { BlockId, Canonical } from './canonical.js';
import { STEP_PRECOMMIT, STEP_PREVOTE, STEP_PROPOSAL } from './canonical.js';
import {
  extensionSignBytes,
  isLaterTimestampOfSameVote,
  sameExceptTimestamp,
  SignBytes,
  withTimestamp,
} from './sign-bytes.js';
import { canonicals } from './testdata/arbitraries.js';
import vectors from './testdata/sign-bytes.json' with { type: 'json' };

const numRuns = process.env['CI'] === 'true' ? 10_000 : 500;
const SPKI_PREFIX = fromHex('302a300506032b6570032100');
const KEY = createPublicKey({
  key: Buffer.from(concat(SPKI_PREFIX, fromHex(vectors.publicKey))),
  format: 'der',
  type: 'spki',
});

type Vector = (typeof vectors.signBytes)[number];

function canonicalOf(vector: Vector): Canonical {
  const { chainId, height, round, block, seconds, nanos } = vector;
  const blockId: BlockId | undefined =
    block === null
      ? undefined
      : { hash: fromHex(block.hash), partsTotal: block.partsTotal, partsHash: fromHex(block.partsHash) };
  const common = { chainId, height: BigInt(height), round, blockId, timestamp: { seconds: BigInt(seconds), nanos } };
  if (vector.polRound !== null) return { step: STEP_PROPOSAL, ...common, polRound: BigInt(vector.polRound) };
  return { step: vector.step === 'prevote' ? STEP_PREVOTE : STEP_PRECOMMIT, ...common };
}

const encode = (canonical: Canonical): Uint8Array => SignBytes.encode(canonical).bytes;
const parse = (bytes: Uint8Array): Canonical => SignBytes.parse(bytes).says;
const invalid = expect.objectContaining({ code: 'SIGN_BYTES_INVALID' }) as Error;
const HASH = new Uint8Array(32).fill(7);
const VOTE: Canonical = {
  step: STEP_PREVOTE,
  chainId: 'test-1',
  height: 5n,
  round: 1,
  blockId: { hash: HASH, partsTotal: 1, partsHash: HASH },
  timestamp: { seconds: 1_700_000_000n, nanos: 1 },
};
const PROPOSAL: Canonical = { ...VOTE, step: STEP_PROPOSAL, polRound: -1n };

describe('vectors', () => {
  it.each(vectors.signBytes)('$name', (vector) => {
    const bytes = fromHex(vector.signBytes);
    expect(toHex(encode(canonicalOf(vector)))).toBe(vector.signBytes);
    expect(parse(bytes)).toEqual(canonicalOf(vector));
    if (vector.signature !== null) expect(verify(null, bytes, KEY, fromHex(vector.signature))).toBe(true);
  });

  it.each(vectors.unsignable)('$name is not signable', ({ signBytes }) => {
    expect(() => parse(fromHex(signBytes))).toThrow(invalid);
  });

  it.each(vectors.extensions.vectors)(
    'vote extension: $name',
    ({ chainId, height, round, extension, signBytes, signature }) => {
      const bytes = extensionSignBytes({ chainId, height: BigInt(height), round, extension: Buffer.from(extension) });
      expect(toHex(bytes)).toBe(signBytes);
      if (signature !== null) expect(verify(null, bytes, KEY, fromHex(signature))).toBe(true);
    },
  );
});

describe('what is never encoded', () => {
  it.each<[string, Canonical]>([
    ['height 0', { ...VOTE, height: 0n }],
    ['a negative height', { ...VOTE, height: -1n }],
    ['a height of 2^63', { ...VOTE, height: 2n ** 63n }],
    ['a negative round', { ...VOTE, round: -1 }],
    ['a round of 2^31', { ...VOTE, round: 2 ** 31 }],
    ['a round between two', { ...VOTE, round: 0.5 }],
    ['a hash of 31 bytes', { ...VOTE, blockId: { hash: HASH.subarray(1), partsTotal: 1, partsHash: HASH } }],
    ['a parts hash of 33 bytes', { ...VOTE, blockId: { hash: HASH, partsTotal: 1, partsHash: new Uint8Array(33) } }],
    [
      'an empty block id',
      { ...VOTE, blockId: { hash: new Uint8Array(0), partsTotal: 0, partsHash: new Uint8Array(0) } },
    ],
    ['a chain id of 51 bytes', { ...VOTE, chainId: 'x'.repeat(51) }],
    ['a chain id of 17 characters in 51 bytes', { ...VOTE, chainId: '€'.repeat(17) }],
    ['nanoseconds of a whole second', withTimestamp(VOTE, { seconds: 1n, nanos: 1_000_000_000 })],
    ['negative nanoseconds', withTimestamp(VOTE, { seconds: 1n, nanos: -1 })],
    ['a time before year 1', withTimestamp(VOTE, { seconds: -62_135_596_801n, nanos: 0 })],
    ['a time after year 9999', withTimestamp(VOTE, { seconds: 253_402_300_800n, nanos: 0 })],
    ['a POL round of -2', { ...PROPOSAL, polRound: -2n }],
    ['a POL round of 2^31', { ...PROPOSAL, polRound: 2n ** 31n }],
  ])('%s', (_name, canonical) => {
    expect(() => encode(canonical)).toThrow(invalid);
  });

  it('an extension at height 0', () => {
    const extension = { chainId: 'test-1', height: 0n, round: 0, extension: HASH };
    expect(() => extensionSignBytes(extension)).toThrow(invalid);
  });
});

describe('what is never parsed', () => {
  const good = toHex(encode({ ...VOTE, blockId: undefined }));
  const body = good.slice(2);
  const prefixed = (hex: string): string => (hex.length / 2).toString(16).padStart(2, '0') + hex;

  it('but this is, unchanged', () => {
    expect(toHex(encode(parse(fromHex(prefixed(body)))))).toBe(good);
  });

  it.each<[string, string]>([
    ['nothing', ''],
    ['a length alone', '00'],
    ['a length that is too short', `${(body.length / 2 - 1).toString(16)}${body}`],
    ['a length that is too long', `${(body.length / 2 + 1).toString(16)}${body}`],
    ['a length in two bytes where one will do', `${(body.length / 2 + 128).toString(16)}00${body}`],
    ['a byte too many', `${good}00`],
    ['an unknown field', prefixed(`${body}7801`)],
    ['a field twice', prefixed(`${body}3206746573742d31`)],
    ['a field out of order', prefixed(`${body.slice(4)}${body.slice(0, 4)}`)],
    ['a zero written out', prefixed(body.replace('190100000000000000', '190000000000000000'))],
    ['a varint longer than needed', prefixed(body.replace(/^0801/, '088100'))],
    ['an empty block id written out', prefixed(body.replace('2a', '220212002a'))],
    ['no timestamp', prefixed(body.replace(/2a08.*1001/, ''))],
    ['a proposal with the fields of a vote', prefixed(body.replace(/^0801/, '0820'))],
    ['a type that is unknown', prefixed(body.replace(/^0801/, '0803'))],
    ['a type of a wider integer', prefixed(body.replace(/^0801/, '088180808010'))],
    ['a negative height', prefixed(body.replace('110500000000000000', '11ffffffffffffffff'))],
    ['a negative round', prefixed(body.replace('190100000000000000', '19ffffffffffffffff'))],
    ['a round of 2^32+1', prefixed(body.replace('190100000000000000', '190100000001000000'))],
    ['a chain id that is not UTF-8', prefixed(body.replace(/746573742d31$/, '746573742dff'))],
    ['a vote extension', toHex(extensionSignBytes({ chainId: 'a', height: 1n, round: 1, extension: HASH }))],
    ['raw bytes with a prefix', toHex(Buffer.from('COMET::RAW_BYTES::SIGN'))],
    ['a kilobyte of zeros', '00'.repeat(1024)],
  ])('%s', (_name, hex) => {
    expect(hex).not.toBe(good);
    expect(() => parse(fromHex(hex))).toThrow(invalid);
  });
});

describe('sameExceptTimestamp', () => {
  const otherHash = new Uint8Array(32).fill(8);
  it.each<[string, Canonical, Canonical, boolean]>([
    ['itself', VOTE, VOTE, true],
    ['a later vote', VOTE, withTimestamp(VOTE, { seconds: 1n, nanos: 0 }), true],
    ['a later proposal', PROPOSAL, withTimestamp(PROPOSAL, { seconds: 1n, nanos: 0 }), true],
    ['another block', VOTE, { ...VOTE, blockId: { hash: otherHash, partsTotal: 1, partsHash: HASH } }, false],
    ['other parts', VOTE, { ...VOTE, blockId: { hash: HASH, partsTotal: 1, partsHash: otherHash } }, false],
    ['another number of parts', VOTE, { ...VOTE, blockId: { hash: HASH, partsTotal: 2, partsHash: HASH } }, false],
    ['nil', VOTE, { ...VOTE, blockId: undefined }, false],
    ['another height', VOTE, { ...VOTE, height: 6n }, false],
    ['another round', VOTE, { ...VOTE, round: 2 }, false],
    ['another step', VOTE, { ...VOTE, step: STEP_PRECOMMIT }, false],
    ['another chain', VOTE, { ...VOTE, chainId: 'test-2' }, false],
    ['a proposal', VOTE, PROPOSAL, false],
    ['another POL round', PROPOSAL, { ...PROPOSAL, polRound: 0n }, false],
  ])('%s', (_name, a, b, expected) => {
    expect(sameExceptTimestamp(a, b)).toBe(expected);
  });
});

describe('isLaterTimestampOfSameVote', () => {
  const later = { seconds: 1_700_000_000n, nanos: 2 };
  it.each<[string, Canonical, Canonical, boolean]>([
    ['a later vote', withTimestamp(VOTE, later), VOTE, true],
    ['itself', VOTE, VOTE, false],
    ['an earlier vote', VOTE, withTimestamp(VOTE, later), false],
    ['a later vote for another block', withTimestamp({ ...VOTE, blockId: undefined }, later), VOTE, false],
    ['a later proposal', withTimestamp(PROPOSAL, later), PROPOSAL, false],
  ])('%s', (_name, a, b, expected) => {
    expect(isLaterTimestampOfSameVote(a, b)).toBe(expected);
  });
});

it('encoded sign bytes keep nothing of the request that they were made of', () => {
  const message = new Uint8Array(1_000).fill(7);
  const blockId = { hash: message.subarray(0, 32), partsTotal: 1, partsHash: message.subarray(32, 64) };
  const { bytes, says } = SignBytes.encode({ ...VOTE, blockId });
  message.fill(0);
  expect(says).toEqual(VOTE);
  expect(SignBytes.parse(bytes).says).toEqual(VOTE);
});

it('nothing else is taken for sign bytes', () => {
  // @ts-expect-error -- of the same shape, but neither encoded nor parsed
  const forged: SignBytes = { bytes: new Uint8Array(0), says: VOTE, equals: () => true };
  expect(forged).not.toBeInstanceOf(SignBytes);
});

it('parsed sign bytes keep nothing of the message that they came in', () => {
  const message = new Uint8Array([...encode(VOTE), 9, 9, 9]);
  const parsed = SignBytes.parse(message.subarray(0, message.length - 3));
  message.fill(0);
  expect(parsed.says).toEqual(VOTE);
  expect(parsed.bytes).toEqual(encode(VOTE));
  expect(parsed.bytes.buffer.byteLength).toBe(parsed.bytes.length);
});

describe('properties', () => {
  it('what is encoded is parsed as it was', () => {
    fc.assert(
      fc.property(canonicals, (canonical) => {
        expect(parse(encode(canonical))).toEqual(canonical);
      }),
      { numRuns },
    );
  });

  it('changed bytes are refused or say something else, never the same', () => {
    const change = fc.tuple(fc.nat(), fc.nat({ max: 255 }), fc.constantFrom('set', 'insert', 'delete'));
    fc.assert(
      fc.property(canonicals, fc.array(change, { minLength: 1, maxLength: 3 }), (canonical, changes) => {
        const bytes = encode(canonical);
        const changed = [...bytes];
        for (const [at, value, how] of changes) {
          const place = at % changed.length;
          if (how === 'set') changed[place] = value;
          if (how === 'insert') changed.splice(place, 0, value);
          if (how === 'delete') changed.splice(place, 1);
        }
        let parsed: Canonical;
        try {
          parsed = parse(Uint8Array.from(changed));
        } catch (error) {
          expect(error).toMatchObject({ code: 'SIGN_BYTES_INVALID' });
          return;
        }
        expect(encode(parsed)).toEqual(Uint8Array.from(changed));
      }),
      { numRuns },
    );
  });

  it('garbage is refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(() => parse(bytes)).toThrow(invalid);
      }),
      { numRuns },
    );
  });
});
