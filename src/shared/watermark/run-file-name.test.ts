import { expect, it } from 'vitest';
import { isHekateError } from '../errors.js';
import {
  encodeRunFileName,
  MAX_RUN_FILE_PATH_BYTES,
  readRunFileNames,
  RUN_FILE_NAME_OFFSETS,
} from './run-file-name.js';

type Copy = '/run/a' | '/run/b' | '/' | 'torn' | (string & {}) | undefined;

function read(first: Copy, second: Copy): readonly string[] | string {
  const contents = new Uint8Array(8_192);
  for (const [i, copy] of [first, second].entries()) {
    if (copy === undefined) continue;
    const bytes = encodeRunFileName(copy === 'torn' ? '/run/torn' : copy);
    contents.set(copy === 'torn' ? bytes.subarray(0, 300) : bytes, RUN_FILE_NAME_OFFSETS[i]);
  }
  try {
    return readRunFileNames(contents, 'state');
  } catch (error) {
    if (!isHekateError(error)) throw error;
    return error.code;
  }
}

it.each<[name: string, first: Copy, second: Copy, names: readonly string[] | string]>([
  ['never started', undefined, undefined, []],
  ['named', '/run/a', '/run/a', ['/run/a']],
  ['named first, cut short', 'torn', undefined, []],
  ['named first, cut short between the two', '/run/a', undefined, ['/run/a']],
  ['named anew, cut short', 'torn', '/run/a', ['/run/a']],
  ['named anew, cut short between the two', '/run/b', '/run/a', ['/run/b', '/run/a']],
  ['named anew, cut short in the second', '/run/b', 'torn', ['/run/b']],
  ['damaged twice', 'torn', 'torn', 'STATE_CORRUPT'],
])('%s', (_name, first, second, names) => {
  expect(read(first, second)).toEqual(names);
});

it('any path that fits comes back', () => {
  for (const path of ['/', `/${'é'.repeat((MAX_RUN_FILE_PATH_BYTES - 1) / 2)}`])
    expect(read(path, path)).toEqual([path]);
  expect(() => encodeRunFileName('x'.repeat(MAX_RUN_FILE_PATH_BYTES + 1))).toThrow('the path of a run-time file fits');
});
