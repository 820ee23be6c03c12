import { expect, test } from 'vitest';
import { VERSION } from '../shared/version.js';
import { versionLine } from './version-line.js';

const COMMIT = '0123456789abcdef0123456789abcdef01234567';

test.each<[string, string, string]>([
  ['a commit', `{"commit":"${COMMIT}","changed":false}\n`, `commit ${COMMIT}`],
  ['a commit with changes', `{"commit":"${COMMIT}","changed":true}\n`, `commit ${COMMIT} with changes`],
  ['no commit', '', 'unknown commit'],
  ['something else', '{"commit":"main"}', 'unknown commit'],
])('the version of a build from %s', (_name, builtFrom, expected) => {
  expect(versionLine(builtFrom, 'v20.19.0')).toBe(`hekate ${VERSION}, ${expected}, Node v20.19.0`);
});
