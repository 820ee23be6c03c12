import { expect, test } from 'vitest';
import { whyNotPrivate, whyNotWritable } from './file-mode.js';

const REGULAR_FILE = 0o100000;

test.each([
  [0o600, undefined, undefined],
  [0o700, undefined, undefined],
  [0o400, undefined, 'has mode 0400: its owner may not write to it'],
  [0o000, undefined, 'has mode 0000: its owner may not write to it'],
  [0o640, 'has mode 0640: others than its owner may use it', undefined],
  [0o620, 'has mode 0620: others than its owner may use it', undefined],
  [0o610, 'has mode 0610: others than its owner may use it', undefined],
  [0o604, 'has mode 0604: others than its owner may use it', undefined],
  [0o602, 'has mode 0602: others than its owner may use it', undefined],
  [0o601, 'has mode 0601: others than its owner may use it', undefined],
  [0o4600, undefined, undefined],
])('mode %o', (mode, notPrivate, notWritable) => {
  expect([whyNotPrivate(REGULAR_FILE | mode), whyNotWritable(REGULAR_FILE | mode)]).toEqual([notPrivate, notWritable]);
});
