import { expect, it } from 'vitest';
import { HekateError } from './errors.js';

it.each([
  [
    'with the usual fix',
    new HekateError('BUSY', 'too much'),
    'BUSY: too much. Fix: find out who sends so many requests: a node asks one at a time',
  ],
  [
    'with a fix of its own',
    new HekateError('USAGE', 'no node.', { fix: 'add --node' }),
    'USAGE: no node. Fix: add --node',
  ],
])('is one line: %s', (_name, error, line) => {
  expect(error.toLine()).toBe(line);
});

it('details are those of the code', () => {
  const details = { errno: 'ECONNRESET' };
  expect(new HekateError('SOCKET_RESET', 'gone', { details }).details).toEqual(details);
  expect(new HekateError('BUSY', 'too much').details).toBeUndefined();
  // @ts-expect-error -- a lost socket has no path
  expect(new HekateError('SOCKET_RESET', 'gone', { details: { path: '/x', disk: 'EIO' } })).toBeDefined();
  // @ts-expect-error -- this code has none
  expect(new HekateError('BUSY', 'too much', { details })).toBeDefined();
});
