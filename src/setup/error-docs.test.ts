import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { EXIT_CODES } from '../cli/exit-codes.js';
import { errorTable } from './error-docs.js';

it('docs/errors.md has every code with its fix (npm run docs)', () => {
  expect(readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')).toBe(errorTable(EXIT_CODES));
});
