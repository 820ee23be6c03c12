import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { HEKATE_MAIN, TestFolder } from '../support/project.js';
import { runHekate } from '../support/run-hekate.js';
import { writeValidatorKey } from '../support/validator-key.js';

const folder = new TestFolder('stdin');
const { keyFile } = writeValidatorKey(folder.path);
const shares = folder.file('shares');

beforeAll(async () => {
  const how = ['--threshold', '2', '--count', '3', '--chain-id', 'in-1', '--out', shares];
  expect(await runHekate(['keys', 'split', '--key', keyFile, ...how])).toMatchObject({ code: 0 });
});
afterAll(() => folder.remove());

/** `hekate` in a line of bash. */
async function bash(line: string): Promise<string> {
  const script = `hekate() { "${process.execPath}" "${HEKATE_MAIN}" "$@"; }; cd "${folder.path}"; ${line}`;
  const { stdout } = await promisify(execFile)('bash', ['-c', `${script} 2>&1; echo "exit code $?"`]);
  return stdout;
}

it.each([
  ['a pipe', `cat "${keyFile}" | hekate keys verify shares --key -`],
  ['a file', `hekate keys verify shares --key - < "${keyFile}"`],
  ['a substituted process', `hekate keys verify shares --key <(cat "${keyFile}")`],
  ['a named pipe', `mkfifo named; cat "${keyFile}" > named & hekate keys verify shares --key named`],
  [
    'a slow writer',
    `(head -c 50 "${keyFile}"; sleep 0.2; tail -c +51 "${keyFile}") | hekate keys verify shares --key -`,
  ],
  ['a byte order mark', `(printf '\\xef\\xbb\\xbf'; cat "${keyFile}") | hekate keys verify shares --key -`],
])('a key comes from %s', async (_name, line) => {
  expect(await bash(line)).toMatch(/the key file holds the key that the shares make[^]*exit code 0\n$/);
});

it.each([
  ['nothing', 'hekate keys verify shares --key - < /dev/null', /^KEY_INVALID: .*not JSON.*\nexit code 1\n$/],
  [
    'no end',
    'hekate keys verify shares --key - < /dev/zero',
    /^USAGE: standard input has more than 65536 bytes.*\nexit code 2\n$/,
  ],
  [
    'a folder',
    'hekate keys verify shares --key shares',
    /^USAGE: the key file shares is not a plain file.*\nexit code 2\n$/,
  ],
  [
    'where the state comes from, too',
    'hekate init new --chain-id a-1 --node a:1 --threshold 2 --cosigner b:1 c:1 --key - --state - < /dev/null',
    /^USAGE: two files cannot both come from standard input.*\nexit code 2\n$/,
  ],
])('a key does not come from %s', async (_name, line, expected) => {
  expect(await bash(line)).toMatch(expected);
});

it('init deals a key from a pipe', async () => {
  const shape = '--chain-id in-2 --node unix:///n.sock --threshold 2 --cosigner 127.0.0.1:1 127.0.0.1:2 --never-signed';
  expect(await bash(`cat "${keyFile}" | hekate init made --key - ${shape}`)).toMatch(/exit code 0\n$/);
  expect(await bash(`hekate keys verify made --key "${keyFile}"`)).toMatch(/any 2 of these make[^]*exit code 0\n$/);
});
