import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { CosignerStatus } from './process-status.js';
import { silentLog, type LogFields } from '../ports/log.js';
import { readStatus, serveStatus, serveStatusIfPossible } from './status-socket.js';

const STATUS: CosignerStatus = {
  kind: 'cosigner',
  id: 1,
  version: '0',
  protocol: 2,
  features: [],
  node: process.version,
  pid: 1,
  uptimeSeconds: 2,
  term: 3,
  leader: null,
  links: [],
  peers: [],
  chains: [
    {
      chainId: 'test-1',
      height: '9007199254740993',
      round: 0,
      step: 3,
      place: 'height 9007199254740993, round 0, precommit',
      halted: null,
    },
  ],
  problems: [],
};

describe('status socket', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hekate-status-'));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it.each([
    ['a short path', 'home'],
    ['a path longer than a socket address', 'x'.repeat(120)],
  ])('answers at %s, over a file that a dead process left', async (_name, child) => {
    const home = join(folder, child);
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, 'status.sock'), '');
    const server = await serveStatus(home, () => STATUS);
    expect(await readStatus(home)).toEqual(STATUS);
    expect(statSync(join(home, 'status.sock')).mode & 0o777).toBe(0o600);
    server.close();
    await expect(readStatus(home)).rejects.toMatchObject({ code: 'NOT_RUNNING' });
  });

  it.each<[name: string, prepare: (home: string) => void, reason: RegExp]>([
    [
      'something else is in its place',
      (home) => mkdirSync(join(home, 'status.sock', 'x'), { recursive: true }),
      /EADDRINUSE/,
    ],
    ['there is no folder', (home) => rmSync(home, { recursive: true }), /ENOENT|EACCES/],
  ])('cannot be made, for %s: one warning, and the process runs on', async (_name, prepare, reason) => {
    const home = join(folder, 'home');
    mkdirSync(home, { recursive: true });
    prepare(home);
    const events: string[] = [];
    const warn = (event: string, fields: LogFields = {}): void =>
      void events.push(`${event}; ${String(fields['code'])}; ${String(fields['reason'])}`);
    const close = await serveStatusIfPossible(home, () => STATUS, { ...silentLog, warn });
    close();
    expect(events).toHaveLength(1);
    expect(events[0]).toMatch(/^no status can be asked for; STATUS_UNAVAILABLE; /);
    expect(events[0]).toMatch(reason);
  });

  it('is there: no warning', async () => {
    const home = join(folder, 'home');
    mkdirSync(home, { recursive: true });
    const warn = (event: string): void => expect.fail(event);
    const close = await serveStatusIfPossible(home, () => STATUS, { ...silentLog, warn });
    expect(await readStatus(home)).toEqual(STATUS);
    close();
  });
});
