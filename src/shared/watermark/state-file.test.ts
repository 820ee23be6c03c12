import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { isHekateError } from '../errors.js';
import {
  INT32_MAX,
  INT64_MAX,
  MAX_CHAIN_ID_BYTES,
  STEP_PRECOMMIT,
  STEP_PREVOTE,
  STEP_PROPOSAL,
  type Canonical,
} from '../privval/canonical.js';
import { SignBytes } from '../privval/sign-bytes.js';
import { canonicals } from '../privval/testdata/arbitraries.js';
import { encodeSlot, newSlotFile, recoverSlotFile, SLOT_BYTES, slotOffset, type RecoveredState } from './state-file.js';
import { decodeRecord, encodeRecord, MAX_STORED_SIGN_BYTES, RECORD_BYTES, type StateBinding } from './slot-record.js';
import { floorAtHeight, neverSigned, type Watermark } from './watermark.js';

const BINDING: StateBinding = { chainId: 'test-1', groupPublicKey: new Uint8Array(32).fill(7) };
const SECTORS = [0, RECORD_BYTES, 4096, 4096 + RECORD_BYTES];

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();

/** The watermark of record `n`; some neighbours differ in one byte only, as votes do. */
function watermarkOf(n: bigint): Watermark {
  const [height, hash] = [100n + n, new Uint8Array(32).fill(Number(n % 256n))];
  const blockId = n % 3n === 1n ? undefined : { hash, partsTotal: 1, partsHash: hash };
  const says = { step: 2, chainId: 'test-1', height, round: 0, blockId, timestamp: { seconds: 1n, nanos: 0 } } as const;
  return { height, round: 0, step: 2, signBytes: n % 3n === 0n ? undefined : SignBytes.encode(says), fresh: false };
}

const VOTE: Canonical = {
  step: STEP_PRECOMMIT,
  chainId: 'test-1',
  height: 10n,
  round: 0,
  blockId: undefined,
  timestamp: { seconds: 1n, nanos: 0 },
};

const stored = (says: Canonical): Watermark => ({
  height: says.height,
  round: says.round,
  step: says.step,
  signBytes: SignBytes.encode(says),
  fresh: false,
});

const slotOf = (n: bigint): Uint8Array => encodeSlot(BINDING, n, watermarkOf(n));

/** A file after the completed writes up to record `n`. */
function fileAt(n: bigint): Uint8Array {
  const file = newSlotFile(BINDING, 1n, neverSigned());
  for (let number = 2n; number <= n; number++) file.set(slotOf(number), slotOffset(number));
  return file;
}

function read(contents: Uint8Array, binding = BINDING): RecoveredState | string {
  try {
    return recoverSlotFile(contents, binding, 'x.state');
  } catch (error) {
    if (isHekateError(error)) return error.code;
    throw error;
  }
}

function numberOf(contents: Uint8Array): bigint | string {
  const found = read(contents);
  if (typeof found === 'string') return found;
  expect(found.watermark).toEqual(found.sequence <= 1n ? neverSigned() : watermarkOf(found.sequence));
  return found.sequence;
}

const changed = (contents: Uint8Array, change: (copy: Uint8Array) => void): Uint8Array => {
  const copy = contents.slice();
  change(copy);
  return copy;
};

const NEWEST = [1n, 2n, 3n, 4n, 5n, 6n, 7n];

describe('a write of the next record that is cut short', () => {
  it.each(NEWEST)('after any number of bytes leaves record %d or the next', (n) => {
    const [file, next, offset] = [fileAt(n), slotOf(n + 1n), slotOffset(n + 1n)];
    for (let length = 0; length <= SLOT_BYTES; length++) {
      const torn = changed(file, (copy) => copy.set(next.subarray(0, length), offset));
      // Once the first copy is whole it is found. A prefix shorter by bytes that are equal anyway is whole too.
      const whole = torn.subarray(offset, offset + RECORD_BYTES).every((byte, at) => byte === next[at]);
      expect([length, numberOf(torn)]).toEqual([length, whole ? n + 1n : n]);
    }
  });

  it.each(NEWEST)('with any of its sectors leaves record %d or the next', (n) => {
    const [file, next, offset] = [fileAt(n), slotOf(n + 1n), slotOffset(n + 1n)];
    const kept = (sectors: readonly number[]): Uint8Array =>
      changed(file, (copy) => {
        for (const at of sectors) copy.set(next.subarray(at, at + RECORD_BYTES), offset + at);
      });
    expect([[], [0], [RECORD_BYTES], [0, RECORD_BYTES]].map((sectors) => numberOf(kept(sectors)))).toEqual([
      n,
      n + 1n,
      n + 1n,
      n + 1n,
    ]);
  });

  it.each(NEWEST)('and is followed by others cut short in the same slot still leaves record %d or the next', (n) => {
    const cuts = fc.array(fc.integer({ min: 0, max: SLOT_BYTES - 1 }), { maxLength: 6 });
    fc.assert(
      fc.property(cuts, (lengths) => {
        // What a restart that never gets through its first write does: it starts from what it found.
        let file = fileAt(n);
        for (const length of lengths) {
          const found = numberOf(file);
          if (typeof found === 'string') throw new Error(found);
          expect([n, n + 1n]).toContain(found);
          if (found !== n) return;
          file = changed(file, (copy) => copy.set(slotOf(n + 1n).subarray(0, length), slotOffset(n + 1n)));
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('damage to a completed state', () => {
  const damages: readonly [name: string, damage: (sector: Uint8Array) => void][] = [
    ['zeroed', (sector) => sector.fill(0)],
    ['filled with ones', (sector) => sector.fill(0xff)],
    ['flipped in its first bit', (sector) => (sector[0] = (sector[0] ?? 0) ^ 1)],
    ['flipped in its last bit', (sector) => (sector[511] = (sector[511] ?? 0) ^ 0x80)],
  ];

  it.each(damages)('in one sector, %s, never leads back', (_name, damage) => {
    for (const n of NEWEST) {
      for (const at of SECTORS) {
        const damaged = changed(fileAt(n), (copy) => damage(copy.subarray(at, at + RECORD_BYTES)));
        expect([n, at, numberOf(damaged)]).toEqual([n, at, n]);
      }
    }
  });

  it('in any bit of any one sector never leads back', () => {
    const file = fileAt(5n);
    const wrong: string[] = [];
    for (const at of SECTORS) {
      for (let bit = 0; bit < RECORD_BYTES * 8; bit++) {
        const damaged = changed(file, (copy) => (copy[at + (bit >> 3)]! ^= 1 << (bit & 7)));
        const found = read(damaged);
        if (typeof found === 'string' || found.sequence !== 5n) wrong.push(`bit ${bit} at ${at}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('as one sector of the newest record that kept its old contents never leads back', () => {
    for (const n of NEWEST.filter((number) => number >= 2n)) {
      for (const at of [slotOffset(n), slotOffset(n) + RECORD_BYTES]) {
        const before = fileAt(n - 1n).subarray(at, at + RECORD_BYTES);
        expect(numberOf(changed(fileAt(n), (copy) => copy.set(before, at)))).toBe(n);
      }
    }
  });

  it('in both copies of either slot is refused', () => {
    const bytes = fc.uint8Array({ minLength: RECORD_BYTES, maxLength: RECORD_BYTES });
    fc.assert(
      fc.property(fc.constantFrom(...NEWEST), fc.constantFrom(0, 4096), bytes, bytes, (n, slot, first, second) => {
        const damaged = changed(fileAt(n), (copy) => {
          copy.set(first, slot);
          copy.set(second, slot + RECORD_BYTES);
        });
        expect(read(damaged)).toBe('STATE_CORRUPT');
      }),
    );
  });

  it.each<[name: string, file: Uint8Array, code: string]>([
    ['no bytes', new Uint8Array(0), 'STATE_TRUNCATED'],
    ['one byte less', fileAt(4n).subarray(1), 'STATE_TRUNCATED'],
    ['one byte more', new Uint8Array(8193), 'STATE_TRUNCATED'],
    ['only zeros', new Uint8Array(8192), 'STATE_CORRUPT'],
    [
      'a completed write that was lost',
      changed(fileAt(4n), (copy) => copy.set(slotOf(7n), slotOffset(7n))),
      'STATE_CORRUPT',
    ],
    [
      'a slot in the place of the other',
      changed(fileAt(4n), (copy) => copy.copyWithin(0, 4096, 5120)),
      'STATE_CORRUPT',
    ],
    [
      'copies too far apart',
      changed(fileAt(6n), (copy) => copy.set(slotOf(2n).subarray(0, RECORD_BYTES), 0)),
      'STATE_CORRUPT',
    ],
    [
      'one number with two contents',
      changed(fileAt(6n), (copy) => copy.set(encodeSlot(BINDING, 6n, watermarkOf(9n)).subarray(0, RECORD_BYTES), 0)),
      'STATE_CORRUPT',
    ],
    [
      'a watermark that falls',
      changed(fileAt(6n), (copy) => copy.set(encodeSlot(BINDING, 7n, watermarkOf(1n)), 4096)),
      'STATE_CORRUPT',
    ],
  ])('%s is refused', (_name, file, code) => {
    expect(read(file)).toBe(code);
  });
});

describe('what a file belongs to', () => {
  const newer = (record: Uint8Array): Uint8Array => {
    // A record of version 4 with its checksum, made from one of version 3.
    const bytes = Buffer.from(record);
    bytes.writeUInt16BE(4, 8);
    return Buffer.concat([bytes.subarray(0, 480), sha256(bytes.subarray(0, 480))]);
  };

  it.each<[name: string, binding: StateBinding]>([
    ['another chain', { ...BINDING, chainId: 'test-2' }],
    ['a chain that starts with the same name', { ...BINDING, chainId: 'test-11' }],
    ['another key', { ...BINDING, groupPublicKey: new Uint8Array(32).fill(8) }],
  ])('is refused for %s', (_name, binding) => {
    expect(read(fileAt(3n), binding)).toBe('STATE_FOREIGN');
  });

  it('is refused when one copy has a version of the future, but not when a version is damaged', () => {
    const future = changed(fileAt(3n), (copy) => copy.set(newer(copy.slice(0, RECORD_BYTES)), 0));
    expect(read(future)).toBe('STATE_VERSION');
    expect(numberOf(changed(fileAt(3n), (copy) => (copy[9] = 4)))).toBe(3n);
  });
});

describe('a record', () => {
  it('comes back as it was', () => {
    const chainIds = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 8 })
      .filter((id) => Buffer.from(id).length <= 50);
    const unknown = fc.record({
      height: fc.bigInt({ min: 0n, max: INT64_MAX }),
      round: fc.integer({ min: 0, max: INT32_MAX }),
      step: fc.constantFrom<Watermark['step']>(0, 1, 2, 3),
      signBytes: fc.constant(undefined),
      fresh: fc.constant(false),
    });
    const paces = fc.record({ left: fc.nat(2 ** 31 - 1), atSecond: fc.maxSafeNat() });
    const votes = canonicals.filter(({ chainId }) => chainId.length > 0);
    const places = fc.oneof(
      fc.record({ chainId: chainIds, watermark: unknown }),
      fc.record({ chainId: chainIds, watermark: fc.constant(neverSigned()) }),
      votes.map((says) => ({ chainId: says.chainId, watermark: stored(says) })),
    );
    const publicKeys = fc.uint8Array({ minLength: 32, maxLength: 32 });
    const sequences = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    const records = fc
      .record({
        place: places,
        pace: fc.option(paces, { nil: undefined }),
        groupPublicKey: publicKeys,
        sequence: sequences,
        life: fc.option(fc.uint8Array({ minLength: 16, maxLength: 16 }), { nil: undefined }),
      })
      .map(({ place: { chainId, watermark }, pace, groupPublicKey, sequence, life }) => ({
        binding: { chainId, groupPublicKey },
        sequence,
        watermark: { ...watermark, pace },
        life,
      }));
    fc.assert(
      fc.property(records, (record) => {
        const bytes = encodeRecord(record);
        expect(bytes.length).toBe(RECORD_BYTES);
        expect(decodeRecord(bytes)).toEqual({ kind: 'record', record });
      }),
    );
  });

  it('is bad when its sign bytes say nothing, though its checksum holds', () => {
    const record = encodeRecord({ binding: BINDING, sequence: 9n, watermark: watermarkOf(8n) });
    const strange = changed(record, (copy) => {
      copy[120]! ^= 0x10;
      copy.set(sha256(copy.subarray(0, 480)), 480);
    });
    expect(decodeRecord(strange)).toEqual({ kind: 'bad' });
  });

  it.each<[name: string, says: Canonical]>([
    ['another height', { ...VOTE, height: 9n }],
    ['another round', { ...VOTE, round: 1 }],
    ['another step', { ...VOTE, step: STEP_PREVOTE }],
    ['another chain', { ...VOTE, chainId: 'test-2' }],
  ])('is bad when its sign bytes are of %s, though its checksum holds', (_name, says) => {
    const signBytes = SignBytes.encode(says).bytes;
    const strange = changed(encodeRecord({ binding: BINDING, sequence: 9n, watermark: stored(VOTE) }), (copy) => {
      copy.fill(0, 116, 452);
      copy.set([0, signBytes.length], 116);
      copy.set(signBytes, 118);
      copy.set(sha256(copy.subarray(0, 480)), 480);
    });
    expect(decodeRecord(strange)).toEqual({ kind: 'bad' });
    expect(() => encodeRecord({ binding: BINDING, sequence: 9n, watermark: { ...stored(VOTE), height: 11n } })).toThrow(
      'sign bytes are stored under their own chain and place',
    );
  });

  it.each<[name: string, at: number, value: number]>([
    ['a flag that means nothing', 10, 8],
    ['a life that is not flagged', 467, 1],
    ['a pace that is not flagged', 471, 1],
    ['a second that is not flagged', 479, 1],
    ['no chain id', 64, 0],
    ['something behind its chain id', 80, 1],
    ['something behind the room for a chain id', 115, 1],
    ['something behind its sign bytes', 451, 1],
    ['a chain id that is no UTF-8', 65, 0xff],
  ])('is bad with %s, though its checksum holds', (_name, at, value) => {
    const watermark = { ...stored(VOTE), signBytes: undefined };
    const strange = changed(encodeRecord({ binding: BINDING, sequence: 9n, watermark }), (copy) => {
      copy[at] = value;
      copy.set(sha256(copy.subarray(0, 480)), 480);
    });
    expect(decodeRecord(strange)).toEqual({ kind: 'bad' });
  });

  it('is bad with a second beyond what numbers hold, though its checksum holds', () => {
    const watermark = { ...stored(VOTE), pace: { left: 1, atSecond: 1 } };
    const strange = changed(encodeRecord({ binding: BINDING, sequence: 9n, watermark }), (copy) => {
      copy[472] = 1;
      copy.set(sha256(copy.subarray(0, 480)), 480);
    });
    expect(decodeRecord(strange)).toEqual({ kind: 'bad' });
  });

  it.each<[name: string, at: number, value: number, watermark: Watermark, read: object]>([
    ['a vote', 10, 0, stored(VOTE), { kind: 'record', record: { watermark: { height: 10n, fresh: false } } }],
    ['one of a key that never signed', 10, 1, neverSigned(), { record: { watermark: { height: 0n, fresh: true } } }],
    [
      'a floor, which then took any first height',
      10,
      1,
      floorAtHeight(9n),
      { record: { watermark: { fresh: false } } },
    ],
    ['a pace, which it did not have', 10, 2, stored(VOTE), { kind: 'bad' }],
    ['a life, which it did not have', 10, 4, stored(VOTE), { kind: 'bad' }],
  ])('of version 1 is read: %s', (_name, at, value, watermark, read) => {
    const old = changed(encodeRecord({ binding: BINDING, sequence: 9n, watermark }), (copy) => {
      copy[9] = 1;
      copy[at] = value;
      copy.set(sha256(copy.subarray(0, 480)), 480);
    });
    expect(decodeRecord(old)).toMatchObject(read);
  });

  it('has room for the longest sign bytes that there are', () => {
    const hash = new Uint8Array(32);
    const { bytes } = SignBytes.encode({
      step: STEP_PROPOSAL,
      chainId: 'x'.repeat(MAX_CHAIN_ID_BYTES),
      height: INT64_MAX,
      round: INT32_MAX,
      // A negative number takes ten bytes.
      polRound: -1n,
      blockId: { hash, partsTotal: 2 ** 32 - 1, partsHash: hash },
      timestamp: { seconds: -1n, nanos: 999_999_999 },
    });
    expect(bytes.length).toBeLessThanOrEqual(MAX_STORED_SIGN_BYTES);
  });

  it('is bad when any byte of it is changed', () => {
    const record = encodeRecord({ binding: BINDING, sequence: 9n, watermark: watermarkOf(9n) });
    for (let at = 0; at < RECORD_BYTES; at++) {
      const damaged = changed(record, (copy) => (copy[at]! ^= 0x10));
      expect([at, decodeRecord(damaged).kind]).toEqual([at, 'bad']);
    }
  });
});
