import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { logOutput } from './log-output.js';

const folder = mkdtempSync(join(tmpdir(), 'hekate-output-'));
afterAll(() => rmSync(folder, { recursive: true }));

const CHUNK = `${'x'.repeat(4_095)}\n`;

/** Both ends of a pipe. */
function pipe(name: string): { readonly readFd: number; readonly writeFd: number } {
  const path = join(folder, name);
  execFileSync('mkfifo', [path]);
  const readFd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { readFd, writeFd: openSync(path, 'w') };
}

/** What proc_pid_fdinfo(5) says of the flags. */
function isNonBlocking(fd: number): boolean {
  const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '';
  return (parseInt(flags, 8) & constants.O_NONBLOCK) !== 0;
}

describe('a pipe', () => {
  it('takes what there is room for, then nothing, and goes on when somebody reads', () => {
    const { readFd, writeFd } = pipe('full');
    const output = logOutput(writeFd);
    let taken = 0;
    for (let last = 1; last > 0; taken += last) last = output.write(CHUNK, () => undefined) ?? 0;
    expect(taken).toBeGreaterThan(4_096);
    expect(output.writeLast(CHUNK, 0)).toBe(0);
    readSync(readFd, new Uint8Array(8_192));
    expect(output.write(CHUNK, () => undefined)).toBe(4_096);
    // Others that write to it are as they were.
    expect(isNonBlocking(writeFd)).toBe(false);
    closeSync(readFd);
    expect(() => output.write(CHUNK, () => undefined)).toThrow('EPIPE');
  });
});

describe('a file', () => {
  it('is appended to where it stands, also at the end of a process', async () => {
    const path = join(folder, 'file');
    const fd = openSync(path, 'w');
    const output = logOutput(fd);
    expect(await new Promise((resolve) => output.write('one\n', resolve))).toBe(4);
    expect(output.writeLast('two\n', 1_000)).toBe(4);
    expect(readFileSync(path, 'utf8')).toBe('one\ntwo\n');
  });

  it.skipIf(process.platform !== 'linux')('that is full says so', async () => {
    const output = logOutput(openSync('/dev/full', 'w'));
    expect(() => output.write('one\n', () => undefined)).toThrow('ENOSPC');
  });
});

it('no file at all swallows everything', () => {
  const fd = openSync('/dev/null', 'w');
  closeSync(fd);
  expect(logOutput(9_999).write('abc', () => undefined)).toBe(3);
});
