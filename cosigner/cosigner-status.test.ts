import { expect, it } from 'vitest';
import { cosignerProblems } from './cosigner-status.js';

const OLD = new Map([['sentry-link-2', { version: '0.1.0', protocol: 0, features: [] }]]);
const GOOD = { chainId: 'test-1', halted: undefined };

it.each<[name: string, args: Parameters<typeof cosignerProblems>, codes: readonly string[]]>([
  ['it signs', [[GOOD], ['sentry-link-1'], 'sentry-link-1'], []],
  ['no link', [[GOOD], [], undefined], ['NO_LINK']],
  ['a link that does not lead', [[GOOD], ['sentry-link-2'], undefined], ['NO_LEADER']],
  ['the leader is connected to others only, and leads on', [[GOOD], ['sentry-link-2'], 'sentry-link-1'], []],
  ['a link of an older release beside one that leads', [[GOOD], ['sentry-link-1'], 'sentry-link-1', OLD], []],
  ['a link of an older release alone', [[GOOD], [], undefined, OLD], ['PROTOCOL_OLD']],
  [
    'a chain of two is halted',
    [[GOOD, { chainId: 'other-1', halted: 'STATE_WRITE_FAILED' }], ['sentry-link-1'], 'sentry-link-1'],
    ['STATE_WRITE_FAILED'],
  ],
])('what keeps a cosigner from signing: %s', (_name, args, codes) => {
  expect(cosignerProblems(...args).map(({ code }) => code)).toEqual(codes);
});
