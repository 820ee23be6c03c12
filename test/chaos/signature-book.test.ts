import { createPrivateKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { fromHex } from '../../src/shared/bytes.js';
import { blockIdField, PRECOMMIT, proposalSignBytes, voteSignBytes, type TestBlockId } from '../support/vote-bytes.js';
import { blockName, blockNameOf, readSignBytes, readSignedEvent, SignatureBook, type Place } from './signature-book.js';

const CHAIN = 'book-1';
const block = (byte: number): TestBlockId => ({
  hash: new Uint8Array(32).fill(byte),
  partsTotal: 1,
  partsHash: new Uint8Array(32).fill(byte + 1),
});
const [A, B] = [blockNameOf(block(0xaa)), blockNameOf(block(0xbb))];
const at = (height: bigint, round = 0): Place => ({ chainId: CHAIN, height, round, step: 'Precommit' });

describe('doubles', () => {
  it.each<[name: string, tell: (book: SignatureBook) => void, doubles: number]>([
    ['nothing', () => undefined, 0],
    [
      'one block, seen at two nodes and in a log',
      (book) => {
        book.signature('node 1', at(5n), A);
        book.signature('node 2', at(5n), A);
        book.signature('log', at(5n), A.slice(0, 10));
      },
      0,
    ],
    [
      'two blocks at two nodes',
      (book) => {
        book.signature('node 1', at(5n), A);
        book.signature('node 2', at(5n), B);
      },
      1,
    ],
    [
      'a block and nil',
      (book) => {
        book.signature('node 1', at(5n), A);
        book.signature('node 2', at(5n), '');
      },
      1,
    ],
    [
      'another block in a log alone',
      (book) => {
        book.signature('node 1', at(5n), A);
        book.signature('log', at(5n), B.slice(0, 10));
      },
      1,
    ],
    [
      'nil in a log, as at the node',
      (book) => {
        book.signature('node 1', at(5n), '');
        book.signature('log', at(5n), '');
      },
      0,
    ],
    [
      'the same hash with other parts',
      (book) => {
        book.signature('node 1', at(5n), A);
        book.signature('node 2', at(5n), blockNameOf({ ...block(0xaa), partsTotal: 2 }));
      },
      1,
    ],
    [
      'other heights, rounds, steps, chains',
      (book) => {
        book.signature('node', at(5n), A);
        book.signature('node', at(6n), B);
        book.signature('node', at(5n, 1), B);
        book.signature('node', { ...at(5n), step: 'Prevote' }, B);
        book.signature('node', { ...at(5n), chainId: 'book-2' }, B);
      },
      0,
    ],
    [
      'one cosigner has stored another block: a vote that was never finished',
      (book) => {
        book.signature('node', at(5n), A);
        book.storedBy('cosigner-1', at(5n), B);
        book.storedBy('cosigner-1', at(5n), B);
      },
      0,
    ],
    [
      'as many as a signature takes have stored another block',
      (book) => {
        book.signature('node', at(5n), A);
        book.storedBy('cosigner-1', at(5n), B);
        book.storedBy('cosigner-2', at(5n), B);
      },
      1,
    ],
    [
      'three blocks at one place, two at another',
      (book) => {
        for (const name of [A, B, '']) book.signature('node', at(5n), name);
        for (const name of [A, B]) book.signature('node', at(6n), name);
      },
      2,
    ],
  ])('%s', (_name, tell, doubles) => {
    const book = new SignatureBook(2);
    tell(book);
    expect(book.doubles()).toHaveLength(doubles);
  });

  it('names the place and who has which block', () => {
    const book = new SignatureBook(2);
    book.signature('node 1', at(5n, 2), A);
    book.signature('proof of sentry-link-2', at(5n, 2), '');
    expect(book.doubles()).toEqual([
      { place: 'book-1 Precommit 5/2', blocks: [`${A} (node 1)`, 'nil (proof of sentry-link-2)'] },
    ]);
  });
});

it('two unprotected signers of one key are found out by what they signed', () => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const signer = (key: KeyObject) => (bytes: Uint8Array) => {
    // A real signature, as a proof has it; what it is over is what counts.
    expect(sign(null, bytes, key)).toHaveLength(64);
    return bytes;
  };
  const copy = createPrivateKey({
    key: privateKey.export({ format: 'der', type: 'pkcs8' }),
    format: 'der',
    type: 'pkcs8',
  });
  const vote = { type: PRECOMMIT, height: 7n, round: 0, chainId: CHAIN, timestamp: { seconds: 1n, nanos: 0 } };
  const one = signer(privateKey)(voteSignBytes({ ...vote, blockId: block(1) }));
  const later = signer(privateKey)(voteSignBytes({ ...vote, blockId: block(1), timestamp: { seconds: 9n, nanos: 9 } }));
  const other = signer(copy)(voteSignBytes({ ...vote, blockId: block(2) }));
  const book = new SignatureBook(2);
  const tell = (where: string, bytes: Uint8Array): void => {
    const { place, block: name } = readSignBytes(bytes);
    book.signature(where, place, name);
  };
  tell('signer 1', one);
  tell('signer 1', later);
  expect(book.doubles()).toEqual([]);
  tell('signer 2', other);
  expect(book.doubles()).toHaveLength(1);
});

describe('readSignBytes', () => {
  const timestamp = { seconds: 1_790_000_000n, nanos: 5 };
  it.each([
    [
      'a precommit',
      voteSignBytes({ type: PRECOMMIT, height: 9n, round: 3, chainId: CHAIN, timestamp, blockId: block(0xaa) }),
      { place: at(9n, 3), block: A },
    ],
    [
      'a precommit for nil',
      voteSignBytes({ type: PRECOMMIT, height: 9n, round: 0, chainId: CHAIN, timestamp, blockId: undefined }),
      { place: at(9n), block: '' },
    ],
    [
      'a proposal',
      proposalSignBytes({ height: 9n, round: 1, polRound: -1, chainId: CHAIN, timestamp, blockId: block(0xbb) }),
      { place: { ...at(9n, 1), step: 'Proposal' }, block: B },
    ],
  ])('%s', (_name, bytes, expected) => expect(readSignBytes(bytes)).toEqual(expected));

  it('throws for bytes of no vote', () => {
    expect(() => readSignBytes(fromHex('0d2a0b088092b8c398feffffff01'))).toThrow('sign bytes of type 0');
  });
});

it.each([
  ['signed Precommit:AAAAAAAAAA at h/r/s 9/3/2 (1 ms)', { place: at(9n, 3), block: 'AAAAAAAAAA' }],
  ['signed Prevote:<nil> at h/r/s 9/0/1 (12 ms)', { place: { ...at(9n), step: 'Prevote' }, block: '' }],
  ['refused height 9, round 3, precommit for nil', undefined],
  ['ready', undefined],
])('readSignedEvent: %s', (event, expected) => expect(readSignedEvent(event, CHAIN)).toEqual(expected));

it.each([
  ['a block', blockIdField(1, block(0xaa)).subarray(2), A],
  ['no block', undefined, ''],
  ['an empty one, as CometBFT writes nil', new Uint8Array(), ''],
])('blockName: %s', (_name, encoded, expected) => expect(blockName(encoded)).toBe(expected));
