import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../test/support/manual-clock.js';
import type { Log, LogFields } from '../src/shared/ports/log.js';
import type { Inability } from './cosigners/ability.js';
import { LinkWatch, type ChainSituation, type LinkSituation } from './link-watch.js';

const CHAIN: ChainSituation = { chainId: 'test-1', threshold: 2, count: 3, connected: 3, reached: 100n, unable: [] };
const refused = (...ids: number[]): Inability[] =>
  ids.map((cosigner) => ({ cosigner, code: 'PEER_REFUSED', why: 'not connected' }));
const AHEAD: Inability = { cosigner: 3, code: 'WATERMARK_AHEAD', why: 'far up' };

let clock: ManualClock;
let lines: string[];
let situation: LinkSituation;
let watch: LinkWatch;

beforeEach(() => {
  clock = new ManualClock();
  lines = [];
  situation = { term: 1, leader: undefined, chains: [CHAIN], claims: [] };
  const write =
    (level: string) =>
    (event: string, { chain, reason, cosigner, leader, code }: LogFields = {}): void => {
      const fields = { chain, reason: event.includes('quorum') ? reason : undefined, cosigner, leader, code };
      const told = Object.entries(fields).flatMap(([key, value]) =>
        value === undefined ? [] : `${key}=${String(value)}`,
      );
      lines.push([level, event, ...told].join(' '));
    };
  const log: Log = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  watch = new LinkWatch({ name: 'link-1', situation: () => situation, clock, log });
});

/** What is so from now on, for so long. */
const then = (change: Partial<LinkSituation>, ms: number): void => {
  situation = { ...situation, ...change };
  watch.look();
  clock.advance(ms);
};
/** The chain, when these cannot sign for it. */
const without = (unable: readonly Inability[]): ChainSituation => {
  const lost = unable.filter(({ code }) => code === 'PEER_REFUSED').length;
  return { ...CHAIN, unable, connected: CHAIN.count - lost };
};
const quorum = (unable: readonly Inability[], ms: number): void => then({ chains: [without(unable)] }, ms);
const start = (): void => {
  watch.start();
  clock.advance(1_000);
  lines.splice(0);
};

describe('the quorum', () => {
  const LOST =
    'error quorum lost chain=test-1 reason=no quorum: 1 of 3 cosigners within reach, 2 needed: cosigner-1 PEER_REFUSED, cosigner-2 PEER_REFUSED code=QUORUM_LOST';
  const BACK = 'info quorum is back chain=test-1 reason=3 of 3 cosigners can sign, 2 needed';
  const STILL = LOST.replace('quorum lost', 'still no quorum');
  it.each<[name: string, happens: () => void, told: readonly string[]]>([
    ['there all the time', () => quorum([], 600_000), []],
    ['one cosigner comes and goes', () => (quorum(refused(1), 5_000), quorum([], 5_000)), []],
    ['lost and back', () => (quorum(refused(1, 2), 20_000), quorum([], 600_000)), [LOST, BACK]],
    ['lost: told at once', () => quorum(refused(1, 2), 0), [LOST]],
    ['lost for three minutes', () => quorum(refused(1, 2), 180_000), [LOST, STILL, STILL, STILL]],
    [
      'back with one missing',
      () => (quorum(refused(1, 2), 5_000), quorum(refused(2), 5_000)),
      [LOST, 'info quorum is back chain=test-1 reason=2 of 3 cosigners can sign, 2 needed: cosigner-2 PEER_REFUSED'],
    ],
    [
      'it comes and goes twice a second, for a minute',
      () => {
        for (let i = 0; i < 120; i++) quorum(i % 2 === 0 ? refused(1, 2) : [], 500);
      },
      Array<string[]>(6).fill([LOST, BACK]).flat(),
    ],
    [
      'a watermark that is far up counts as missing',
      () => quorum([...refused(1), AHEAD], 0),
      [
        'error quorum lost chain=test-1 reason=no quorum: 1 of 3 cosigners can sign, 2 needed: cosigner-1 PEER_REFUSED, cosigner-3 WATERMARK_AHEAD code=QUORUM_LOST',
        'error cosigner cannot sign chain=test-1 cosigner=cosigner-3 code=WATERMARK_AHEAD',
      ],
    ],
    [
      'lost for five chains: one line',
      () => {
        const chains = ['a', 'b', 'c', 'd', 'e'].map((chainId) => ({ ...without(refused(1, 2)), chainId }));
        then({ chains: chains.map(({ chainId }) => ({ ...CHAIN, chainId })) }, 0);
        lines.splice(0);
        then({ chains }, 0);
      },
      [LOST.replace('test-1', 'a, b, c and 2 more')],
    ],
  ])('%s', (_name, happens, told) => {
    start();
    happens();
    expect(lines).toEqual(told);
  });

  const starting = (unable: readonly Inability[], ms: number): void => {
    situation = { ...situation, chains: [without(unable)] };
    watch.start();
    clock.advance(ms);
  };
  it.each<[name: string, happens: () => void, told: readonly string[]]>([
    [
      'at once',
      () => starting([], 10_000),
      ['info quorum reached chain=test-1 reason=3 of 3 cosigners can sign, 2 needed'],
    ],
    [
      'after two seconds: the cosigners start as well',
      () => (starting(refused(1, 2), 2_000), quorum([], 9_000)),
      ['info quorum reached chain=test-1 reason=3 of 3 cosigners can sign, 2 needed'],
    ],
    [
      'after five seconds',
      () => (starting(refused(1, 2), 5_000), quorum([], 9_000)),
      [LOST.replace('quorum lost', 'no quorum yet'), BACK],
    ],
  ])('at a start, reached %s', (_name, happens, told) => {
    happens();
    expect(lines).toEqual(told);
  });
});

describe('who leads', () => {
  const standby = (name: string | undefined, ms: number): void =>
    then({ term: undefined, leader: name === undefined ? undefined : { name, term: 7 } }, ms);
  it.each<[name: string, happens: () => void, told: readonly string[]]>([
    ['another link', () => standby('link-2', 60_000), ['info standing by leader=link-2']],
    [
      'another, then a third, a second between',
      () => (standby('link-2', 5_000), standby(undefined, 1_000), standby('link-3', 5_000)),
      ['info standing by leader=link-2', 'info standing by leader=link-3'],
    ],
    [
      'the same again, a second between',
      () => (standby('link-2', 5_000), standby(undefined, 1_000), standby('link-2', 5_000)),
      ['info standing by leader=link-2'],
    ],
    ['we lead: that has a line of its own', () => then({ term: 9 }, 60_000), []],
    [
      'nobody, for more than a minute',
      () => standby(undefined, 64_000),
      Array<string>(2).fill('warn no sentry-link leads code=NO_LEADER'),
    ],
    [
      'nobody, then another',
      () => (standby('link-2', 5_000), standby(undefined, 4_000), standby('link-2', 5_000)),
      ['info standing by leader=link-2', 'warn no sentry-link leads code=NO_LEADER', 'info standing by leader=link-2'],
    ],
    ['what we had before a restart', () => (standby('link-1', 900), then({ term: 9 }, 5_000)), []],
    [
      'a process with our name',
      () => standby('link-1', 5_000),
      ['error another process leads under the name of this sentry-link code=LINK_REPLACED'],
    ],
  ])('%s', (_name, happens, told) => {
    start();
    happens();
    expect(lines).toEqual(told);
  });

  it('nobody yet when the quorum is back: that takes a second or two', () => {
    start();
    then({ term: undefined, chains: [without(refused(1, 2))] }, 10_500);
    then({ chains: [CHAIN] }, 2_900);
    expect(lines.slice(1)).toEqual([expect.stringMatching(/^info quorum is back/)]);
    clock.advance(1_000);
    expect(lines.slice(2)).toEqual(['warn no sentry-link leads code=NO_LEADER']);
  });

  it('nobody, for want of a quorum: told once, as that', () => {
    start();
    then({ term: undefined, chains: [without(refused(1, 2))] }, 10_000);
    expect(lines).toEqual([expect.stringMatching(/^error quorum lost .*no quorum: 1 of 3 cosigners within reach/)]);
  });
});

it('a watermark that is far up is told once, and when it is no more', () => {
  start();
  quorum([AHEAD], 60_000);
  quorum(refused(3), 5_000);
  quorum([AHEAD], 60_000);
  // Too few are heard to know.
  then({ chains: [{ ...CHAIN, reached: undefined, unable: refused(2) }] }, 5_000);
  quorum([AHEAD], 5_000);
  quorum([], 5_000);
  expect(lines).toEqual([
    'error cosigner cannot sign chain=test-1 cosigner=cosigner-3 code=WATERMARK_AHEAD',
    'info cosigner can sign again chain=test-1 cosigner=cosigner-3',
  ]);
});

it('nothing is told after its end', () => {
  start();
  watch.stop();
  situation = { ...situation, chains: [{ ...CHAIN, unable: refused(1, 2, 3) }] };
  clock.advance(60_000);
  expect([lines, clock.pending]).toEqual([[], 0]);
});
