import { expect, test } from 'vitest';
import { FIXES } from '../shared/error-codes.js';
import { toldError } from './told-error.js';

test.each([
  ['SHARE_MISSING: no share. Fix: bring it back', 'it failed: SHARE_MISSING: no share. Fix: bring it back'],
  ['KEY_INVALID: not JSON. Fix: give a key. Or none', 'it failed: KEY_INVALID: not JSON. Fix: give a key. Or none'],
  ['Segmentation fault', `it failed: Segmentation fault. Fix: ${FIXES.DEV_INIT_FAILED}`],
])('%s', (said, expected) => {
  expect(toldError('DEV_INIT_FAILED', 'it failed', said).toLine()).toBe(`DEV_INIT_FAILED: ${expected}`);
});
