import { beforeAll, describe, expect, it } from 'vitest';
import { AskedCluster, type Ballot } from '../support/asked-cluster.js';
import { cleanupAfterAll } from '../support/cleanup.js';

// The watermark rules, row by row, as a node sees them: an encrypted connection to real processes.
const cleanup = cleanupAfterAll();
let at: AskedCluster;
let lastHeight = 0n;

beforeAll(async () => {
  at = await AskedCluster.start(cleanup, { name: 'watermark' });
});

/** One of a row's requests: a ballot whose height counts from the row's own, free of what rows before it signed. */
type Asked = Omit<Ballot, 'height'> & { readonly up?: bigint };

/** `own timestamp` and `first timestamp` are signatures; anything else is the code of a refusal. */
type Row = readonly [name: string, first: Asked, second: Asked, answer: string];

const T1 = { seconds: 1_790_000_001n, nanos: 1 };
const T2 = { seconds: 1_790_000_001n, nanos: 2 };

const HIGHER: readonly Row[] = [
  ['the next height', { step: 'Precommit' }, { step: 'Proposal', up: 1n }, 'own timestamp'],
  ['a later height', { step: 'Prevote' }, { step: 'Precommit', up: 7n, round: 0 }, 'own timestamp'],
  ['a later round, an earlier step', { step: 'Precommit' }, { step: 'Proposal', round: 1 }, 'own timestamp'],
  ['a later round, another block', { step: 'Precommit' }, { step: 'Precommit', round: 9, block: 'Y' }, 'own timestamp'],
  ['a proposal, then a prevote for its block', { step: 'Proposal' }, { step: 'Prevote' }, 'own timestamp'],
  [
    'a proposal, then a prevote for another block',
    { step: 'Proposal' },
    { step: 'Prevote', block: 'Y' },
    'own timestamp',
  ],
  ['a proposal, then a prevote for nil', { step: 'Proposal' }, { step: 'Prevote', block: 'nil' }, 'own timestamp'],
  [
    'a prevote, then a precommit for another block',
    { step: 'Prevote' },
    { step: 'Precommit', block: 'Y' },
    'own timestamp',
  ],
  ['a prevote, then a precommit for nil', { step: 'Prevote' }, { step: 'Precommit', block: 'nil' }, 'own timestamp'],
  ['a proposal, then a precommit', { step: 'Proposal' }, { step: 'Precommit' }, 'own timestamp'],
];

const SAME_PLACE: readonly Row[] = [
  ['the same proposal again', { step: 'Proposal' }, { step: 'Proposal' }, 'own timestamp'],
  ['the same prevote again', { step: 'Prevote' }, { step: 'Prevote' }, 'own timestamp'],
  ['the same precommit again', { step: 'Precommit' }, { step: 'Precommit' }, 'own timestamp'],
  ['the same nil vote again', { step: 'Prevote', block: 'nil' }, { step: 'Prevote', block: 'nil' }, 'own timestamp'],
  ['a prevote 1 ns later', { step: 'Prevote', timestamp: T1 }, { step: 'Prevote', timestamp: T2 }, 'first timestamp'],
  ['a prevote 1 ns earlier', { step: 'Prevote', timestamp: T2 }, { step: 'Prevote', timestamp: T1 }, 'first timestamp'],
  ['a precommit later', { step: 'Precommit' }, { step: 'Precommit', timestamp: T1 }, 'first timestamp'],
  [
    'a nil vote later',
    { step: 'Precommit', block: 'nil' },
    { step: 'Precommit', block: 'nil', timestamp: T1 },
    'first timestamp',
  ],
  ['a proposal later', { step: 'Proposal', timestamp: T1 }, { step: 'Proposal', timestamp: T2 }, 'PROPOSAL_TIMESTAMP'],
  [
    'a proposal earlier',
    { step: 'Proposal', timestamp: T2 },
    { step: 'Proposal', timestamp: T1 },
    'PROPOSAL_TIMESTAMP',
  ],
  ['a proposal of another block', { step: 'Proposal' }, { step: 'Proposal', block: 'Y' }, 'DOUBLE_SIGN'],
  ['a proposal with another POL round', { step: 'Proposal' }, { step: 'Proposal', polRound: 0 }, 'DOUBLE_SIGN'],
  ['a prevote for another block', { step: 'Prevote' }, { step: 'Prevote', block: 'Y' }, 'DOUBLE_SIGN'],
  ['a prevote for other parts of the block', { step: 'Prevote' }, { step: 'Prevote', partsTotal: 2 }, 'DOUBLE_SIGN'],
  ['a block after nil', { step: 'Prevote', block: 'nil' }, { step: 'Prevote' }, 'DOUBLE_SIGN'],
  ['nil after a block', { step: 'Precommit' }, { step: 'Precommit', block: 'nil' }, 'DOUBLE_SIGN'],
  [
    'another block and timestamp',
    { step: 'Precommit' },
    { step: 'Precommit', block: 'Y', timestamp: T1 },
    'DOUBLE_SIGN',
  ],
];

const LOWER: readonly Row[] = [
  ['the height before', { step: 'Prevote', up: 1n }, { step: 'Precommit', round: 5 }, 'HEIGHT_REGRESSION'],
  ['the same vote at the height before', { step: 'Prevote', up: 1n }, { step: 'Prevote' }, 'HEIGHT_REGRESSION'],
  ['the round before', { step: 'Prevote', round: 2 }, { step: 'Precommit', round: 1 }, 'ROUND_REGRESSION'],
  ['a prevote after the precommit', { step: 'Precommit' }, { step: 'Prevote' }, 'STEP_REGRESSION'],
  ['a proposal after the prevote', { step: 'Prevote' }, { step: 'Proposal' }, 'STEP_REGRESSION'],
  ['a proposal after the precommit', { step: 'Precommit' }, { step: 'Proposal' }, 'STEP_REGRESSION'],
];

describe.each([
  ['higher than the watermark', HIGHER],
  ['at the watermark', SAME_PLACE],
  ['lower than the watermark', LOWER],
] as const)('%s', (_group, rows) => {
  it.each(rows)('%s', async (_name, { up: firstUp = 0n, ...first }, { up: secondUp = 0n, ...second }, answer) => {
    const height = lastHeight + 1n;
    lastHeight += 10n;
    const earlier = { ...first, height: height + firstUp };
    const ballot = { ...second, height: height + secondUp };
    const firstAnswer = await at.signed(earlier);
    if (answer === 'own timestamp') {
      const { timestamp } = await at.signed(ballot);
      if (ballot.step !== 'Proposal') expect(timestamp).toEqual(at.vote(ballot).timestamp);
    } else if (answer === 'first timestamp') {
      expect((await at.signed(ballot)).timestamp).toEqual(firstAnswer.timestamp);
    } else {
      const { error, code } = await at.refused(ballot);
      expect(error).toMatch(new RegExp(`^${answer}: `));
      expect(error).toContain(
        `the watermark is height ${earlier.height}, round ${earlier.round ?? 0}, ${earlier.step.toLowerCase()}`,
      );
      // What TMKMS says to a double sign; CometBFT logs the number.
      expect(code).toBe(2);
      // What was signed first is still signed, and so is what comes next.
      expect((await at.signed(earlier)).timestamp).toEqual(firstAnswer.timestamp);
    }
    await at.signed({ step: 'Prevote', height: height + 9n });
    expect(at.unexplainedDrops()).toBe(0);
  });
});

it('signed votes are logged in the line that operators of TMKMS know', async () => {
  const leader = await at.cluster.leader();
  const lines = leader.events().map(({ event }) => event);
  const signed = lines.filter((line) => /^signed Prevote:[0-9A-F]{10} at h\/r\/s \d+\/0\/1 \(\d+ ms\)$/.test(line));
  expect(signed.length).toBeGreaterThan(LOWER.length);
  expect(lines).toContainEqual(expect.stringMatching(/^signed Proposal:[0-9A-F]{10} at h\/r\/s \d+\/0\/0 \(\d+ ms\)$/));
  expect(lines).toContainEqual(expect.stringMatching(/^signed Precommit:<nil> at h\/r\/s \d+\/0\/2 \(\d+ ms\)$/));
});
