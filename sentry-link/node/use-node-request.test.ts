import { expect, it } from 'vitest';
import { HekateError, isHekateError } from '../../src/shared/errors.js';
import { useNodeRequest, type CanUseNode } from './use-node-request.js';

const LEADS: CanUseNode = {
  name: 'a',
  term: () => 7,
  leader: () => ({ name: 'a', term: 7 }),
  use: (node, chain = 'test-1') => [{ chainId: chain, node, before: null }],
};

it.each<[name: string, link: CanUseNode, params: unknown, said: RegExp]>([
  ['a node', LEADS, { node: 'n' }, /^\{"used":\[\{"chainId":"test-1","node":"n","before":null\}\]\}$/],
  ['a node of one chain', LEADS, { node: 'n', chain: 'test-2' }, /"chainId":"test-2"/],
  ['no node', LEADS, {}, /^COMMAND_INVALID: node/],
  ['a node of too many letters', LEADS, { node: 'n'.repeat(513) }, /^COMMAND_INVALID: node/],
  ['what it does not know', LEADS, { node: 'n', for: '1h' }, /^COMMAND_INVALID/],
  [
    'an unknown one',
    {
      ...LEADS,
      use: () => {
        throw new HekateError('NODE_UNKNOWN', 'no node is named "n"');
      },
    },
    { node: 'n' },
    /^NODE_UNKNOWN: no node is named "n"/,
  ],
  [
    'where another leads',
    { ...LEADS, term: () => undefined, leader: () => ({ name: 'b', term: 8 }) },
    { node: 'n' },
    /^NOT_LEADER: a does not lead, b does\. Fix: run it on the host of b/,
  ],
  [
    'where nobody leads',
    { ...LEADS, term: () => undefined, leader: () => undefined },
    { node: 'n' },
    /^NOT_LEADER: no sentry-link leads now/,
  ],
])('hekate node use: %s', async (_name, link, params, said) => {
  const answer = await useNodeRequest(link)(params).then(
    (answered) => JSON.stringify(answered),
    (error: unknown) => (isHekateError(error) ? error.toLine() : String(error)),
  );
  expect(answer).toMatch(said);
});
