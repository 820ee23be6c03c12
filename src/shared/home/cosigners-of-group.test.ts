import { expect, it } from 'vitest';
import { isHekateError } from '../errors.js';
import { checkOtherCosigners } from './cosigners-of-group.js';

it.each<readonly [name: string, id: number, others: readonly number[], count: number, told: string]>([
  ['all others of three', 1, [2, 3], 3, ''],
  ['in any order', 2, [3, 1], 3, ''],
  ['the other of two', 2, [1], 2, ''],
  ['none of them', 1, [], 3, 'no [[cosigner]] section of cosigner-2, cosigner-3'],
  ['one left out', 2, [1], 3, 'no [[cosigner]] section of cosigner-3'],
  ['the last of many left out', 1, [2, 3, 4], 5, 'no [[cosigner]] section of cosigner-5'],
  ['one too many', 1, [2, 3, 4], 3, 'names cosigner-4'],
  ['as many as there should be, but another', 1, [2, 4], 3, 'names cosigner-4'],
])('a cosigner lists %s', (_name, id, others, count, told) => {
  const cosigners = others.map((other) => ({ id: other, pin: '' }));
  const problem = problemOf(() => checkOtherCosigners({ id, cosigners, file: 'F' }, { chainId: 'test-1', count }));
  expect(problem).toBe(
    told && `GROUP_MISMATCH: chain test-1 was dealt to ${count} cosigners, F ${told.replace(/^no/, 'has no')}`,
  );
});

function problemOf(check: () => void): string {
  try {
    check();
    return '';
  } catch (error) {
    if (!isHekateError(error)) throw error;
    return `${error.code}: ${error.message}`;
  }
}
