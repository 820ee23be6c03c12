import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { CosignerStatus } from './process-status.js';
import { readStatus, serveStatus } from './status-socket.js';

const STATUS: CosignerStatus = {
  kind: 'cosigner',
  id: 1,
  version: '0',
  node: process.version,
  pid: 1,
  uptimeSeconds: 2,
  term: 3,
  leader: null,
  links: [],
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
});
