import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { notifyReady } from './systemd.js';

/** A systemd-notify that writes down how it was called. */
function fakeTool(folder: string, exitCode: number): NodeJS.ProcessEnv {
  const tool = join(folder, 'systemd-notify');
  writeFileSync(tool, `#!/bin/sh\necho "$NOTIFY_SOCKET $*" > ${join(folder, 'called')}\nexit ${exitCode}\n`);
  chmodSync(tool, 0o755);
  return { NOTIFY_SOCKET: '/run/notify', PATH: `${folder}:/bin:/usr/bin` };
}

describe('READY=1 for systemd', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hekate-notify-'));
  afterEach(() => rmSync(join(folder, 'called'), { force: true }));

  it('is sent for this process when there is a socket to send it to', async () => {
    expect(await notifyReady(fakeTool(folder, 0))).toBeUndefined();
    expect(readFileSync(join(folder, 'called'), 'utf8')).toBe(`/run/notify --ready --pid=${process.pid}\n`);
  });

  it.each([
    ['the tool fails', (): NodeJS.ProcessEnv => fakeTool(folder, 3), 'systemd-notify exited with 3'],
    [
      'there is no tool',
      (): NodeJS.ProcessEnv => ({ NOTIFY_SOCKET: '/x', PATH: '/nowhere' }),
      'spawn systemd-notify ENOENT',
    ],
  ])('%s: says why', async (_name, environment, problem) => {
    expect(await notifyReady(environment())).toBe(problem);
  });

  it('nobody asked: nothing is started', async () => {
    expect(await notifyReady({ ...fakeTool(folder, 0), NOTIFY_SOCKET: '' })).toBeUndefined();
    expect(() => readFileSync(join(folder, 'called'))).toThrow('ENOENT');
  });
});
