import { expect, test } from 'vitest';
import { whyNotWritable } from './file-mode.js';

const REGULAR_FILE = 0o100000;

test.each([
  [0o600, undefined],
  [0o660, undefined],
  [0o700, undefined],
  [0o400, 'has mode 0400: its owner may not write to it'],
  [0o200, 'has mode 0200: its owner may not write to it'],
  [0o060, 'has mode 0060: its owner may not write to it'],
])('mode %o', (mode, expected) => expect(whyNotWritable(REGULAR_FILE | mode)).toBe(expected));
