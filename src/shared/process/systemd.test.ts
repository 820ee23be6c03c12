import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { notifyReady, watchdogBeatMs, WatchdogBeats, watchdogMs } from './systemd.js';

const folder = mkdtempSync(join(tmpdir(), 'hekate-notify-'));
const called = join(folder, 'called');
afterEach(() => rmSync(called, { force: true }));

/** A systemd-notify that writes down how it was called. */
function fakeTool(then: string): NodeJS.ProcessEnv {
  const tool = join(folder, 'systemd-notify');
  writeFileSync(tool, `#!/bin/sh\necho "$NOTIFY_SOCKET $*" >> ${called}\n${then}\n`);
  chmodSync(tool, 0o755);
  return { NOTIFY_SOCKET: '/run/notify', PATH: `${folder}:/bin:/usr/bin` };
}

describe('READY=1 for systemd', () => {
  it('is sent for the main process when there is a socket to send it to', async () => {
    expect(await notifyReady(fakeTool('exit 0'), 4711).told).toBeUndefined();
    expect(readFileSync(called, 'utf8')).toBe('/run/notify --ready --pid=4711\n');
  });

  it.each([
    ['the tool fails', (): NodeJS.ProcessEnv => fakeTool('exit 3'), 'systemd-notify exited with 3'],
    ['the tool hangs', (): NodeJS.ProcessEnv => fakeTool('exec sleep 600'), 'systemd-notify did not end within 0.3 s'],
    [
      'there is no tool',
      (): NodeJS.ProcessEnv => ({ NOTIFY_SOCKET: '/x', PATH: '/nowhere' }),
      'spawn systemd-notify ENOENT',
    ],
  ])('%s: says why', async (_name, environment, problem) => {
    expect(await notifyReady(environment(), 1, 300).told).toBe(problem);
  });

  it('nobody asked: nothing is started', async () => {
    expect(await notifyReady({ ...fakeTool('exit 0'), NOTIFY_SOCKET: '' }, 1).told).toBeUndefined();
    expect(existsSync(called)).toBe(false);
  });
});

it.each<[name: string, environment: NodeJS.ProcessEnv, periodMs: number | undefined]>([
  ['nobody asked', {}, undefined],
  ['for this process', { NOTIFY_SOCKET: '/x', WATCHDOG_USEC: '1500000', WATCHDOG_PID: '5' }, 1_500],
  ['for whatever process', { NOTIFY_SOCKET: '/x', WATCHDOG_USEC: '1500000' }, 1_500],
  ['for another process', { NOTIFY_SOCKET: '/x', WATCHDOG_USEC: '1500000', WATCHDOG_PID: '6' }, undefined],
  ['nowhere to say it', { WATCHDOG_USEC: '1500000', WATCHDOG_PID: '5' }, undefined],
  ['off', { NOTIFY_SOCKET: '/x', WATCHDOG_USEC: '0' }, undefined],
  ['not a number', { NOTIFY_SOCKET: '/x', WATCHDOG_USEC: '1s' }, undefined],
  ['endless', { NOTIFY_SOCKET: '/x', WATCHDOG_USEC: '18446744073709551615' }, undefined],
])('does systemd wait for WATCHDOG=1: %s', (_name, environment, periodMs) => {
  expect(watchdogMs(environment, 5)).toBe(periodMs);
});

it('WATCHDOG=1 is said more often than twice a period', () => {
  expect(watchdogBeatMs(1_000)).toBeLessThan(500);
});

describe('WATCHDOG=1', () => {
  it('is said at each beat', async () => {
    const said: string[] = [];
    new WatchdogBeats(fakeTool('exit 0'), (reason) => said.push(reason)).beat();
    await vi.waitFor(() => expect(readFileSync(called, 'utf8')).toBe('/run/notify WATCHDOG=1\n'), 10_000);
    expect(said).toEqual([]);
  });

  it.each([
    ['fails', 'exit 3', 'systemd-notify exited with 3', 1],
    ['hangs', 'exec sleep 600', 'systemd-notify did not end in time', 2],
  ])('a tool that %s is told once, and is called again', async (_name, then, reason, toldBy) => {
    const said: string[] = [];
    const beats = new WatchdogBeats(fakeTool(then), (text) => said.push(text));
    for (let calls = 1; calls <= 3; calls++) {
      beats.beat();
      await vi.waitFor(() => expect(readFileSync(called, 'utf8').split('\n')).toHaveLength(calls + 1), 10_000);
      // One that is still about to end would be killed by the next beat.
      if (calls >= toldBy) await vi.waitFor(() => expect(said).toEqual([reason]), 10_000);
    }
    expect(said).toEqual([reason]);
    beats.abandon();
  });
});
