import { describe, expect, it } from 'vitest';
import { lastWords, runChild } from './child.js';

const never = new AbortController().signal;

function shell(script: string, signal = never, onLine?: (line: string) => void): ReturnType<typeof runChild> {
  return runChild('sh', ['-c', script], { cwd: '/', env: { WORD: 'ours' }, signal, ...(onLine && { onLine }) });
}

describe('runChild', () => {
  it.each([
    ['its output', 'echo out; echo err >&2', { code: 0, stdout: 'out\n', stderr: 'err\n' }],
    ['its exit code', 'exit 3', { code: 3, stdout: '', stderr: '' }],
    ['its end by a signal', 'kill -9 $$', { code: undefined, stdout: '', stderr: '' }],
    ['folder and environment are given', 'echo $WORD in $(pwd)', { code: 0, stdout: 'ours in /\n', stderr: '' }],
  ])('%s', async (_, script, expected) => expect(await shell(script)).toEqual(expected));

  it('hands on each line of stderr', async () => {
    const lines: string[] = [];
    await shell('echo one >&2; echo out; echo two >&2', never, (line) => lines.push(line));
    expect(lines).toEqual(['one', 'two']);
  });

  it('throws when there is no such program', async () => {
    await expect(runChild('no-such-program', [], { cwd: '/', signal: never })).rejects.toThrow('ENOENT');
  });

  it('starts nothing after it was told to stop', async () => {
    const stop = new AbortController();
    stop.abort(new Error('enough'));
    await expect(shell('exit 0', stop.signal)).rejects.toThrow('enough');
  });

  it('ends what the child started, too', async () => {
    const stop = new AbortController();
    // Its output stays open, and this waits, as long as any of the two sleeps.
    const running = shell('sleep 1000 & echo started >&2; sleep 1000', stop.signal, () =>
      stop.abort(new Error('enough')),
    );
    await expect(running).rejects.toThrow('enough');
  });
});

describe('lastWords', () => {
  it.each([
    ['of stderr', { stdout: 'a', stderr: 'b\nc\nd\n' }, 'c\nd'],
    ['of stdout when there is nothing else', { stdout: 'a\n', stderr: '\n' }, 'a'],
  ])('%s', (_, said, expected) => expect(lastWords({ code: 1, ...said }, 2)).toBe(expected));
});
