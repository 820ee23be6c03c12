import { expect, it } from 'vitest';
import type { ErrorCode } from '../../src/shared/error-codes.js';
import { heightReached, inabilities, listInabilities, type Observed } from './ability.js';

/** Height of its watermark; undefined: never heard from. */
interface State {
  readonly at?: bigint;
  readonly lost?: ErrorCode;
  readonly bad?: string;
  readonly halted?: ErrorCode;
  /** Its state was not read: what it reports is no place. */
  readonly unread?: true;
}

const cosigner = ({ at, lost, bad, halted, unread }: State, index: number): Observed => ({
  id: index + 1,
  problem: lost,
  stream: { connected: at !== undefined && lost === undefined },
  chains: {
    leftOut: () => bad,
    report: (chainId) =>
      at === undefined || chainId !== 'test-1'
        ? undefined
        : {
            chainId,
            groupPublicKey: new Uint8Array(32),
            height: at,
            round: 2 ** 31 - 1,
            step: 3,
            sequence: unread === true ? 0n : 1n,
            maxHeightJump: 100_000n,
            halted,
          },
  },
});

const FAR = 40_694_660n;
it.each<[name: string, states: readonly State[], asked: bigint | undefined, unable: string]>([
  ['all is well', [{ at: 100n }, { at: 100n }, { at: 100n }], undefined, ''],
  ['one was never reached', [{ at: 100n }, { at: 100n }, {}], undefined, 'cosigner-3 being dialled'],
  ['one does not run', [{ at: 100n }, { lost: 'PEER_REFUSED' }, { at: 9n }], undefined, 'cosigner-2 PEER_REFUSED'],
  ['one was lost', [{ at: 100n }, { at: 100n, lost: 'PEER_SILENT' }, { at: 9n }], undefined, 'cosigner-2 PEER_SILENT'],
  ['one is left out', [{ at: 100n }, { at: 100n, bad: 'x' }, { at: 9n }], undefined, 'cosigner-2 COSIGNER_BAD'],
  [
    'one is halted',
    [{ at: 100n }, { at: 100n, halted: 'STATE_WRITE_FAILED' }, { at: 9n }],
    undefined,
    'cosigner-2 STATE_WRITE_FAILED',
  ],
  [
    'one was halted with its state unread: it may be up there too',
    [{ at: 100n }, { at: 0n, halted: 'STATE_MISSING', unread: true }, { at: FAR }],
    undefined,
    'cosigner-2 STATE_MISSING',
  ],
  [
    'two were: how far the chain is nobody knows',
    [{ at: 0n, halted: 'SHARE_MISSING', unread: true }, { at: 0n, halted: 'STATE_MISSING', unread: true }, { at: FAR }],
    undefined,
    'cosigner-1 SHARE_MISSING, cosigner-2 STATE_MISSING',
  ],
  [
    'one was halted with its state read: it is where it says',
    [{ at: 100n }, { at: 100n, halted: 'STATE_WRITE_FAILED' }, { at: FAR }],
    undefined,
    'cosigner-2 STATE_WRITE_FAILED, cosigner-3 WATERMARK_AHEAD',
  ],
  ['the third was not asked for long', [{ at: 5_000n }, { at: 5_000n }, { at: 4_000n }], undefined, ''],
  ['a half-finished vote', [{ at: 101n }, { at: 100n }, { at: 100n }], undefined, ''],
  ['one is far up', [{ at: 100n }, { at: 100n }, { at: FAR }], undefined, 'cosigner-3 WATERMARK_AHEAD'],
  ['one is just too far up', [{ at: 100n }, { at: 100n }, { at: 111n }], undefined, 'cosigner-3 WATERMARK_AHEAD'],
  ['one is as far up as may be', [{ at: 100n }, { at: 100n }, { at: 110n }], undefined, ''],
  ['two are: then the chain is there', [{ at: 100n }, { at: FAR }, { at: FAR }], undefined, ''],
  [
    'one is far up, for all that is known: the one that is not heard may be there too',
    [{ at: 100n }, {}, { at: FAR }],
    undefined,
    'cosigner-2 being dialled',
  ],
  [
    'one that was lost was low then: it may have gone on with others',
    [{ at: 5_000n }, { at: 100n, lost: 'PEER_SILENT' }, { at: 90n }],
    undefined,
    'cosigner-2 PEER_SILENT',
  ],
  [
    'but the node asks for lower heights',
    [{ at: 100n }, { lost: 'PEER_REFUSED' }, { at: FAR }],
    101n,
    'cosigner-2 PEER_REFUSED, cosigner-3 WATERMARK_AHEAD',
  ],
  [
    'the node is behind: nobody can sign',
    [{ at: 500n }, { at: 500n }, { at: 480n }],
    101n,
    'cosigner-1 WATERMARK_AHEAD, cosigner-2 WATERMARK_AHEAD, cosigner-3 WATERMARK_AHEAD',
  ],
  ['never signed, and one far up', [{ at: 0n }, { at: 0n }, { at: FAR }], undefined, 'cosigner-3 WATERMARK_AHEAD'],
])('2 of 3: %s', (_name, states, asked, unable) => {
  const peers = states.map(cosigner);
  const reached = asked ?? heightReached('test-1', 2, peers);
  expect(listInabilities(inabilities('test-1', peers, reached))).toBe(unable);
});

it.each<[name: string, states: readonly State[], why: string]>([
  ['a chain that it does not know', [{ at: 1n }], 'does not know this chain'],
  ['left out', [{ at: 1n, bad: 'bad signature share' }], 'left out: bad signature share'],
])('in words: %s', (_name, states, why) => {
  const chainId = why.startsWith('left') ? 'test-1' : 'other-1';
  expect(inabilities(chainId, states.map(cosigner), undefined).map((one) => one.why)).toEqual([why]);
});

it('in words: a watermark that is far up', () => {
  const states = [{ at: 4_069_466n }, { at: 4_069_466n }, { at: FAR }];
  const found = inabilities('test-1', states.map(cosigner), 4_069_466n);
  expect(found.map(({ why }) => why)).toEqual([
    'its watermark, all of height 40694660, is 36625194 heights above height 4069466, where the chain is',
  ]);
});
