import { expect, it } from 'vitest';
import { HekateError } from '../src/shared/errors.js';
import { cosignerProblems, type CosignerSituation } from './cosigner-status.js';

const OLD = new Map([['sentry-link-2', { version: '0.1.0', protocol: 0, features: [] }]]);
const GOOD = { chainId: 'test-1', halted: undefined };
const SIGNS: CosignerSituation = {
  reports: [GOOD],
  haltedAtStart: [],
  waits: new Map(),
  links: ['sentry-link-1'],
  leader: 'sentry-link-1',
  releases: new Map(),
};
const NO_LINK = { links: [], leader: undefined };

it.each<[name: string, situation: Partial<CosignerSituation>, codes: readonly string[]]>([
  ['it signs', {}, []],
  ['no link', NO_LINK, ['NO_LINK']],
  ['a link that does not lead', { links: ['sentry-link-2'], leader: undefined }, ['NO_LEADER']],
  ['the leader is connected to others only, and leads on', { links: ['sentry-link-2'] }, []],
  ['a link of an older release beside one that leads', { releases: OLD }, []],
  ['a link of an older release alone', { ...NO_LINK, releases: OLD }, ['PROTOCOL_OLD']],
  [
    'a chain of two is halted',
    { reports: [GOOD, { chainId: 'other-1', halted: 'STATE_WRITE_FAILED' }] },
    ['STATE_WRITE_FAILED'],
  ],
  ['a chain waits after the start', { waits: new Map([['test-1', 'waiting: heard 0 of 2 others']]) }, ['WAITING']],
])('what keeps a cosigner from signing: %s', (_name, situation, codes) => {
  expect(cosignerProblems({ ...SIGNS, ...situation }).map(({ code }) => code)).toEqual(codes);
});

it('a chain that was halted at the start: what is wrong with it, and the fix of this very case', () => {
  const error = new HekateError('SHARE_MISSING', 'there is no x/share.key', { fix: 'look for it' });
  const reports = [GOOD, { chainId: 'other-1', halted: error.code }];
  const [problem, ...rest] = cosignerProblems({ ...SIGNS, reports, haltedAtStart: [{ chainId: 'other-1', error }] });
  expect(rest).toEqual([]);
  expect(problem).toMatchObject({
    code: 'SHARE_MISSING',
    message: 'chain other-1: this cosigner signs nothing: there is no x/share.key',
    fix: 'look for it',
  });
});
