import { expect, it } from 'vitest';
import { linkProblems } from './link-status.js';
import type { ChainSituation, LinkSituation } from './link-watch.js';

const GOOD: ChainSituation = { chainId: 'test-1', threshold: 2, count: 3, connected: 3, reached: 100n, unable: [] };
const refused = (cosigner: number) => ({ cosigner, code: 'PEER_REFUSED', why: 'not connected' }) as const;
const AHEAD = {
  cosigner: 3,
  code: 'WATERMARK_AHEAD',
  why: 'its watermark, all of height 900, is 800 heights above height 100, where the chain is',
} as const;
const LEADER = { name: 'sentry-link-2', term: 4 };
const NODE = { chainId: 'test-1', address: 'tcp://10.0.0.1:1', connected: true, problem: null };
const DOWN = { ...NODE, connected: false, problem: 'DIAL_REFUSED' } as const;

const leads = (...chains: ChainSituation[]): LinkSituation => ({ term: 4, leader: undefined, chains, claims: [] });
const standsBy = (leader: LinkSituation['leader'], ...chains: ChainSituation[]): LinkSituation => ({
  term: undefined,
  leader,
  chains,
  claims: [],
});

it.each<
  [name: string, situation: LinkSituation, nodes: Parameters<typeof linkProblems>[2], problems: readonly string[]]
>([
  ['it leads and signs', leads(GOOD), [NODE], []],
  ['one cosigner is missing', leads({ ...GOOD, unable: [refused(2)] }), [NODE], []],
  ['one of two nodes is there', leads(GOOD), [DOWN, NODE], []],
  ['it stands by', standsBy(LEADER, GOOD), [{ ...DOWN, problem: null }], []],
  [
    'the leader has its name',
    standsBy({ name: 'sentry-link-1', term: 4 }, GOOD),
    [],
    [
      'LINK_REPLACED: the cosigners name this sentry-link as the leader, and it does not lead: it has just started, or another process has its identity',
    ],
  ],
  ['nobody leads', standsBy(undefined, GOOD), [], ['NO_LEADER: no sentry-link leads']],
  [
    'no node',
    leads(GOOD),
    [DOWN, { ...DOWN, address: 'unix:///n', problem: null }],
    ['NO_NODE: no node of chain test-1 is connected (tcp://10.0.0.1:1: DIAL_REFUSED, unix:///n: being dialled)'],
  ],
  [
    'no quorum for one chain of two',
    leads({ ...GOOD, unable: [refused(2), AHEAD] }, { ...GOOD, chainId: 'two' }),
    [NODE, { ...NODE, chainId: 'two' }],
    [
      `QUORUM_LOST: 1 of 3 cosigners can sign for chain test-1, 2 are needed: cosigner-2 not connected (PEER_REFUSED); cosigner-3 ${AHEAD.why} (WATERMARK_AHEAD)`,
    ],
  ],
  [
    'it could not take over',
    standsBy(LEADER, { ...GOOD, unable: [refused(1), refused(2)] }),
    [],
    [
      'QUORUM_LOST: 1 of 3 cosigners can sign for chain test-1, 2 are needed: cosigner-1 not connected (PEER_REFUSED); cosigner-2 not connected (PEER_REFUSED)',
    ],
  ],
])('what keeps a link from having something signed: %s', (_name, situation, nodes, problems) => {
  expect(linkProblems('sentry-link-1', situation, nodes).map(({ code, message }) => `${code}: ${message}`)).toEqual(
    problems,
  );
});

it('at a start, a cosigner that is being dialled has no code', () => {
  const dialled = [2, 3].map((cosigner) => ({ cosigner, code: undefined, why: 'being dialled' }));
  const [quorum] = linkProblems('sentry-link-1', leads({ ...GOOD, unable: dialled }), [NODE]);
  expect(quorum?.message).toMatch(/are needed: cosigner-2 being dialled; cosigner-3 being dialled$/);
  expect(quorum?.fix).toMatch(/^bring cosigners back/);
});

it('the fix is that of what is wrong', () => {
  const [quorum] = linkProblems('sentry-link-1', leads({ ...GOOD, unable: [refused(1), refused(2), AHEAD] }), [NODE]);
  expect(quorum?.fix).toMatch(/^start the cosigner, and check the port in its address; none needed if the chain soon/);
  expect(linkProblems('sentry-link-1', leads(GOOD), [DOWN])[0]?.fix).toMatch(/^start the node, and check/);
});
