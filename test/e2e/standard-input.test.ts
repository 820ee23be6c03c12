import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
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
async function bash(line: string, input = ''): Promise<string> {
  const script = `hekate() { "${process.execPath}" "${HEKATE_MAIN}" "$@"; }; cd "${folder.path}"; ${line}`;
  const running = promisify(execFile)('bash', ['-c', `${script} 2>&1; echo "exit code $?"`]);
  running.child.stdin?.end(input);
  return (await running).stdout;
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
  [
    'a pipe that somebody made non-blocking',
    `(sleep 1; cat "${keyFile}") | (node -e "process.stdin.resume(); setTimeout(() => process.kill(process.pid, 'SIGKILL'), 300)"; ` +
      'hekate keys verify shares --key -)',
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
  [
    'where the state comes from, by another name',
    'hekate init new --chain-id a-1 --node a:1 --threshold 2 --cosigner b:1 c:1 --key - --state /dev/stdin < /dev/null',
    /^USAGE: two files cannot both come from standard input.*\nexit code 2\n$/,
  ],
  [
    'standard input for hekate dev',
    `cat "${keyFile}" | hekate dev --dir never --never-signed --key -`,
    /^USAGE: this command reads nothing from standard input.*\nexit code 2\n$/,
  ],
  [
    'text in UTF-16',
    `iconv -t UTF-16 "${keyFile}" | hekate keys verify shares --key -`,
    /^USAGE: standard input is UTF-16, .*UTF-8\nexit code 2\n$/,
  ],
])('a key does not come from %s', async (_name, line, expected) => {
  expect(await bash(line)).toMatch(expected);
});

it.each(['-', '/dev/stdin', '/dev/fd/0'])('a key comes from a socket that is standard input, %s', async (name) => {
  const key = readFileSync(keyFile, 'utf8');
  expect(await bash(`hekate keys verify shares --key ${name}`, key)).toMatch(/the key file holds[^]*exit code 0\n$/);
});

it('a named pipe that is gone once it was read is no error', async () => {
  const made = await bash(
    `mkfifo gone; (cat "${keyFile}"; rm gone) > gone & hekate keys split --key gone --threshold 2 --count 3 --chain-id a-1 --out b`,
  );
  expect(made).toMatch(/^Dealt 3 shares[^]*exit code 0\n$/);
});

it.each([
  ['keys split', 'keys split --threshold 2 --count 3 --chain-id a-1 --out never --key -'],
  ['init', 'init never --chain-id a-1 --node a:1 --threshold 2 --cosigner b:1 c:1 --never-signed --key -'],
])('Ctrl-C ends %s that waits for a key, at once', async (_name, command) => {
  // What still waits when `timeout` is done would go on to say that the key is none, once `sleep` ends.
  const line = `sleep 4 | timeout -s INT 2 "${process.execPath}" "${HEKATE_MAIN}" ${command}`;
  expect(await bash(line)).toBe('exit code 124\n');
});

it('init deals a key from a pipe', async () => {
  const shape = '--chain-id in-2 --node unix:///n.sock --threshold 2 --cosigner 127.0.0.1:1 127.0.0.1:2 --never-signed';
  expect(await bash(`cat "${keyFile}" | hekate init made --key - ${shape}`)).toMatch(/exit code 0\n$/);
  expect(await bash(`hekate keys verify made --key "${keyFile}"`)).toMatch(/any 2 of these make[^]*exit code 0\n$/);
});
