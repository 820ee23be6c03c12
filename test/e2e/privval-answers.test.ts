import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { AskedCluster, type Ballot } from '../support/asked-cluster.js';
import { cleanupAfterAll } from '../support/cleanup.js';
import * as ask from '../support/privval-requests.js';
import { bytesField, bytesOf, integerOf, readFields, type ProtoField } from '../support/proto-fields.js';

// Everything that a node may ask beyond plain votes, and what it must not: answers come from real processes over tcp.
const cleanup = cleanupAfterAll();
let at: AskedCluster;
let lastHeight = 0n;

beforeAll(async () => {
  at = await AskedCluster.start(cleanup, { name: 'answers' });
});

const MIB = 1024 * 1024;
const extension = (bytes: number): Uint8Array => new Uint8Array(bytes).fill(0xe7);

type Asked = Omit<Ballot, 'height'>;

// AskedCluster.signed checks that there is an extension signature exactly where one belongs.
describe('vote extensions', () => {
  it.each<readonly [string, Asked]>([
    ['none on a precommit', { step: 'Precommit' }],
    ['a short one', { step: 'Precommit', extension: extension(1) }],
    ['100 kB', { step: 'Precommit', extension: extension(100_000) }],
    ['1 MiB, the most CometBFT allows', { step: 'Precommit', extension: extension(MIB) }],
    ['left out because 1.0 says so', { step: 'Precommit', extension: extension(9), skipExtensionSigning: true }],
    ['none on a precommit for nil', { step: 'Precommit', block: 'nil' }],
    ['none on a prevote', { step: 'Prevote' }],
  ])('%s: signed', async (_name, asked) => {
    await at.signed({ ...asked, height: ++lastHeight });
  });

  it('another one for the same precommit: both are signed, the precommit stays as it was', async () => {
    const precommit = { step: 'Precommit', height: ++lastHeight } as const;
    const { timestamp } = await at.signed({ ...precommit, extension: extension(3) });
    const later = { seconds: timestamp.seconds + 1n, nanos: 0 };
    const again = await at.signed({ ...precommit, extension: extension(4), timestamp: later });
    expect(again.timestamp).toEqual(timestamp);
  });

  it.each<readonly [string, Asked, string]>([
    ['on a prevote', { step: 'Prevote', extension: extension(1) }, 'EXTENSION_NOT_ALLOWED'],
    ['on a precommit for nil', { step: 'Precommit', block: 'nil', extension: extension(1) }, 'EXTENSION_NOT_ALLOWED'],
    ['of one byte too many', { step: 'Precommit', extension: extension(MIB + 1) }, 'REQUEST_INVALID'],
  ])('%s: refused, and without it signed', async (_name, asked, code) => {
    const height = ++lastHeight;
    expect((await at.refused({ ...asked, height })).error).toMatch(new RegExp(`^${code}: `));
    await at.signed({ ...asked, extension: extension(0), height });
  });
});

describe('timestamps come back as they were asked, to the nanosecond', () => {
  it.each([
    ['1 ns', { seconds: 1_790_000_000n, nanos: 1 }],
    ['999999999 ns', { seconds: 1_790_000_000n, nanos: 999_999_999 }],
    ['1970', { seconds: 0n, nanos: 0 }],
    ['the zero time of Go, year 1', { seconds: -62_135_596_800n, nanos: 0 }],
    ['before 1970, with nanoseconds', { seconds: -1n, nanos: 5 }],
    ['the last second of year 9999', { seconds: 253_402_300_799n, nanos: 999_999_999 }],
  ])('%s', async (_name, timestamp) => {
    const height = ++lastHeight;
    expect((await at.signed({ step: 'Prevote', height, timestamp })).timestamp).toEqual(timestamp);
    expect((await at.signed({ step: 'Precommit', height, timestamp })).timestamp).toEqual(timestamp);
  });
});

describe('a request that no correct node sends is answered with an error', () => {
  it.each<readonly [string, Ballot, number, string]>([
    ['a vote of another chain', { step: 'Prevote', height: 900n, chainId: 'other-1' }, 3, 'WRONG_CHAIN'],
    ['a proposal of another chain', { step: 'Proposal', height: 900n, chainId: 'other-1' }, 3, 'WRONG_CHAIN'],
    ['a vote of no chain', { step: 'Prevote', height: 900n, chainId: '' }, 3, 'WRONG_CHAIN'],
    ['height 0', { step: 'Prevote', height: 0n }, 4, 'REQUEST_INVALID'],
    ['a negative height', { step: 'Precommit', height: -1n }, 4, 'REQUEST_INVALID'],
    ['a negative round', { step: 'Prevote', height: 900n, round: -1 }, 4, 'REQUEST_INVALID'],
    ['a proposal at height 0', { step: 'Proposal', height: 0n }, 4, 'REQUEST_INVALID'],
    ['a proposal without a block', { step: 'Proposal', height: 900n, block: 'nil' }, 4, 'REQUEST_INVALID'],
    ['a proposal with POL round -2', { step: 'Proposal', height: 900n, polRound: -2 }, 4, 'REQUEST_INVALID'],
    [
      'a second of 10^9 ns',
      { step: 'Prevote', height: 900n, timestamp: { seconds: 1n, nanos: 1e9 } },
      4,
      'REQUEST_INVALID',
    ],
    [
      'the year 10000',
      { step: 'Prevote', height: 900n, timestamp: { seconds: 253_402_300_800n, nanos: 0 } },
      4,
      'REQUEST_INVALID',
    ],
  ])('%s', async (_name, ballot, number, code) => {
    const { error, code: answered } = await at.refused(ballot);
    expect(error).toMatch(new RegExp(`^${code}: `));
    expect(answered).toBe(number);
    await expectSigningGoesOn();
  });

  it.each([0, 3, 32, -1])('a vote of type %i', async (type) => {
    const vote = { ...at.vote({ step: 'Prevote', height: 900n }), type };
    const answer = await at.node.vote(vote);
    expect(answer.kind === 'refused' && answer.error).toMatch(/^REQUEST_INVALID: /);
    await expectSigningGoesOn();
  });

  it('a block hash of 20 bytes', async () => {
    const hash = new Uint8Array(20).fill(1);
    const blockId = { hash, partsTotal: 1, partsHash: hash };
    const answer = await at.node.vote({ ...at.vote({ step: 'Prevote', height: 900n }), blockId });
    expect(answer.kind === 'refused' && answer.error).toMatch(/^REQUEST_INVALID: /);
    await expectSigningGoesOn();
  });

  it('the public key for another chain', async () => {
    await expect(at.node.publicKey('other-1')).rejects.toThrow(/^WRONG_CHAIN: /);
    expect(await at.node.publicKey()).toEqual(at.publicKey);
    await expectSigningGoesOn();
  });

  it('raw bytes to sign, as of a vote or not', async () => {
    const hash = createHash('sha256').update('raw').digest();
    const fields = await at.node.ask(ask.signBytes(hash), 10);
    expect(errorOf(fields)).toEqual([5, expect.stringMatching(/^REQUEST_UNSUPPORTED: /)]);
    expect(bytesOf(fields, 1)).toBeUndefined();
    await expectSigningGoesOn();
  });

  it.each([
    ['an unknown message', bytesField(99, Buffer.from('what is this'))],
    ['an answer', bytesField(4, bytesField(1))],
    ['an empty message', new Uint8Array()],
  ])('%s, with an empty answer', async (_name, message) => {
    expect(await at.node.ask(message, 0)).toEqual([]);
    await expectSigningGoesOn();
  });
});

it('all of it came over one connection, and nothing that was refused left a mark on any cosigner', async () => {
  expect(at.unexplainedDrops()).toBe(0);
  for (const watermark of await at.watermarks()) {
    const [height = ''] = watermark.split('/');
    expect(BigInt(height)).toBeLessThanOrEqual(lastHeight);
  }
});

async function expectSigningGoesOn(): Promise<void> {
  await at.signed({ step: 'Prevote', height: ++lastHeight });
}

function errorOf(fields: readonly ProtoField[]): readonly [number, string] {
  const error = readFields(bytesOf(fields, 2) ?? new Uint8Array());
  return [Number(integerOf(error, 1)), Buffer.from(bytesOf(error, 2) ?? []).toString()];
}
