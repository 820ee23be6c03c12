import { expect, it } from 'vitest';
import { HekateError } from '../src/shared/errors.js';
import { cosignerProblems } from './cosigner-status.js';

const OLD = new Map([['sentry-link-2', { version: '0.1.0', protocol: 0, features: [] }]]);
const GOOD = { chainId: 'test-1', halted: undefined };

it.each<[name: string, args: Parameters<typeof cosignerProblems>, codes: readonly string[]]>([
  ['it signs', [[GOOD], [], ['sentry-link-1'], 'sentry-link-1'], []],
  ['no link', [[GOOD], [], [], undefined], ['NO_LINK']],
  ['a link that does not lead', [[GOOD], [], ['sentry-link-2'], undefined], ['NO_LEADER']],
  ['the leader is connected to others only, and leads on', [[GOOD], [], ['sentry-link-2'], 'sentry-link-1'], []],
  ['a link of an older release beside one that leads', [[GOOD], [], ['sentry-link-1'], 'sentry-link-1', OLD], []],
  ['a link of an older release alone', [[GOOD], [], [], undefined, OLD], ['PROTOCOL_OLD']],
  [
    'a chain of two is halted',
    [[GOOD, { chainId: 'other-1', halted: 'STATE_WRITE_FAILED' }], [], ['sentry-link-1'], 'sentry-link-1'],
    ['STATE_WRITE_FAILED'],
  ],
])('what keeps a cosigner from signing: %s', (_name, args, codes) => {
  expect(cosignerProblems(...args).map(({ code }) => code)).toEqual(codes);
});

it('a chain that was halted at the start: what is wrong with it, and the fix of this very case', () => {
  const error = new HekateError('SHARE_MISSING', 'there is no x/share.key', { fix: 'look for it' });
  const reports = [GOOD, { chainId: 'other-1', halted: error.code }];
  const [problem, ...rest] = cosignerProblems(
    reports,
    [{ chainId: 'other-1', error }],
    ['sentry-link-1'],
    'sentry-link-1',
  );
  expect(rest).toEqual([]);
  expect(problem).toMatchObject({
    code: 'SHARE_MISSING',
    message: 'chain other-1: this cosigner signs nothing: there is no x/share.key',
    fix: 'look for it',
  });
});
