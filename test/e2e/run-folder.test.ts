import { chownSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { must } from '../../src/shared/invariant.js';
import { cleanupAfterAll } from '../support/cleanup.js';
import { HekateCluster, HekateProcess } from '../support/hekate-cluster.js';
import { freePorts } from '../support/ports.js';
import { TestFolder } from '../support/project.js';
import { newRunFolder } from '../support/run-folder.js';
import { fillDisk, makeReadOnly, needsMount, putOnSmallDisk } from '../support/tmpfs.js';
import { writeValidatorKey } from '../support/validator-key.js';

// Where a cosigner leaves that only its process was restarted; where it cannot, it starts all the same, and waits.
const cleanup = cleanupAfterAll();
const folder = new TestFolder('run-folder');
cleanup.add(() => folder.remove());
const BEGINS_TO_WAIT = 'waits until it has heard the others';
const CHAIN_ID = 'run-1';

let cluster: HekateCluster;
let runFolder: string;
let cosigner: HekateProcess;

beforeAll(async () => {
  const { keyFile } = writeValidatorKey(folder.path);
  const nodeAddress = `unix://${folder.file('node.sock')}`;
  const env = (): Record<string, string> => ({ RUNTIME_DIRECTORY: runFolder });
  runFolder = newRunFolder(cleanup);
  cluster = await HekateCluster.create({ folder: folder.path, chainId: CHAIN_ID, nodeAddress, keyFile, links: 1, env });
  cosigner = must(cluster.cosigners[0], 'a cosigner');
  await cluster.start();
  await cosigner.stop();
});
beforeEach(() => {
  runFolder = newRunFolder(cleanup);
});

/** Events of one start and stop. */
async function started(
  one = cosigner,
): Promise<readonly { readonly event: string; readonly [field: string]: unknown }[]> {
  const before = one.events().length;
  await one.start();
  expect(await one.stop()).toBe(0);
  return one.events().slice(before);
}

interface Row {
  readonly needs?: 'root' | 'a mount';
  readonly make: () => string;
  readonly problem: RegExp;
}

describe('that cannot be used: the cosigner starts, and waits', () => {
  it.for<[name: string, row: Row]>([
    ['on a disk', { make: () => folder.file('on-disk'), problem: /is not on a tmpfs/ }],
    [
      'a link to elsewhere',
      {
        make: () => (symlinkSync(newRunFolder(cleanup), join(runFolder, 'link')), join(runFolder, 'link')),
        problem: /is a link or a file/,
      },
    ],
    ['below nothing', { make: () => join(runFolder, 'no/thing'), problem: /cannot be used \(ENOENT\)/ }],
    [
      'of another user',
      {
        needs: 'root',
        make: () => {
          const path = join(runFolder, 'theirs');
          mkdirSync(path);
          chownSync(path, 61_001, 61_001);
          return path;
        },
        problem: /belongs to user 61001, and not to user 0/,
      },
    ],
    [
      'read-only',
      {
        needs: 'a mount',
        make: () => {
          const path = join(runFolder, 'read-only');
          mkdirSync(path);
          putOnSmallDisk(path, cleanup);
          makeReadOnly(path);
          return path;
        },
        problem: /cannot be (used|opened) \(EROFS\)/,
      },
    ],
    [
      'full',
      {
        needs: 'a mount',
        make: () => {
          const path = join(runFolder, 'full');
          mkdirSync(path);
          putOnSmallDisk(path, cleanup);
          fillDisk(path);
          for (let i = 0; i < 100; i++) writeFileSync(join(path, `empty-${i}`), '');
          return path;
        },
        problem: /^$/,
      },
    ],
  ])('%s', async ([name, { needs, make, problem }], context) => {
    if (needs === 'root' && process.getuid?.() !== 0) context.skip('only root can be several users');
    if (needs === 'a mount') needsMount(context, runFolder);
    runFolder = make();
    const events = await started();
    const told = events.find(({ code }) => code === 'RUN_FOLDER_UNUSABLE');
    // A full one takes a file without contents: it shows when there is something to be left.
    if (name !== 'full') expect(told).toMatchObject({ reason: expect.stringMatching(problem) as string });
    expect(events.filter(({ event }) => event === BEGINS_TO_WAIT)).toHaveLength(1);
  });
});

it('an empty one: it waits once, and after it has signed a restart goes on at once', async () => {
  const before = cosigner.events().length;
  await cosigner.start();
  await cluster.untilNoneWaits();
  await cosigner.crash();
  const files = readdirSync(runFolder);
  expect(files).toEqual([expect.stringMatching(/^run-1\.[0-9a-f]{32}\.1\.run$/)]);
  expect(
    cosigner
      .events()
      .slice(before)
      .map(({ event }) => event),
  ).toContain(BEGINS_TO_WAIT);
  expect((await started()).map(({ event }) => event)).not.toContain(BEGINS_TO_WAIT);

  const file = join(runFolder, must(files[0], 'its record'));
  const record = readFileSync(file);
  writeFileSync(file, record.subarray(0, 63));
  expect((await started()).map(({ event }) => event)).toContain(BEGINS_TO_WAIT);
});

it('a copy of a home beside it, on the same host: the second is refused', async () => {
  await cosigner.start();
  const copy = folder.file('copies', 'cosigner-1');
  cpSync(cosigner.home, copy, { recursive: true, filter: (path) => !path.endsWith('.sock') });
  const [port] = await freePorts(1);
  const toml = join(copy, 'cosigner.toml');
  writeFileSync(toml, readFileSync(toml, 'utf8').replace(/(?<=^listen = "127\.0\.0\.1:)\d+/m, String(port)));
  const second = new HekateProcess('cosigner-1', 'cosigner', folder.file('copies'), {
    env: () => ({ RUNTIME_DIRECTORY: runFolder }),
  });
  await expect(second.start()).rejects.toThrow(
    /STATE_LOCKED: .*\.run is held by another process: it has a share of the same/,
  );
  await cosigner.stop();
});

it('another one than last time, where the record of last time cannot be removed: refused, and removed it starts', async () => {
  await started();
  const before = runFolder;
  const [name] = readdirSync(before);
  const file = join(before, must(name, 'its record'));
  rmSync(file);
  mkdirSync(file);
  runFolder = newRunFolder(cleanup);
  await expect(cosigner.start()).rejects.toThrow(/RUN_FOLDER_MOVED: .*, of an earlier start, cannot be removed/);
  rmSync(file, { recursive: true });
  expect((await started()).map(({ event }) => event)).toContain(BEGINS_TO_WAIT);
});
