import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { DONE, FAILED, MemoryDisk, type Fates } from '../../../test/support/memory-disk.js';
import { HekateError, isHekateError } from '../errors.js';
import { InvariantViolation } from '../invariant.js';
import type { Disk } from '../ports/disk.js';
import { DiskError } from '../ports/disk-error.js';
import type { CanonicalVote } from '../privval/canonical.js';
import { SignBytes } from '../privval/sign-bytes.js';
import { RECORD_BYTES, type StateBinding } from './slot-record.js';
import { createState } from '../../setup/state-init.js';
import { inspectState } from '../../setup/state-report.js';
import { WatermarkStore } from './store.js';
import { compareHrs, floorAtHeight, neverSigned, type Watermark } from './watermark.js';

const BINDING: StateBinding = { chainId: 'test-1', groupPublicKey: new Uint8Array(32).fill(7) };
const PATH = 'dir/test-1.state';
const MARK = `${PATH}.mark`;

const noLocks = (): Error => new HekateError('STATE_LOCK_UNSUPPORTED', 'made up');
const failing = (code: string): Error => Object.assign(new Error(`${code}: made up`), { code });

/** Some writes are done; from then on the machine stops after `length` bytes of each. */
function tornAfter(writes: number, length: number): Fates {
  let left = writes;
  return () => (left-- > 0 ? {} : { kept: length, fails: 'EIO' });
}

function vote(height: bigint, nanos = 0, fill = 1): Watermark {
  const canonical: CanonicalVote = {
    chainId: 'test-1',
    height,
    round: 0,
    step: 3,
    blockId: { hash: new Uint8Array(32).fill(fill), partsTotal: 1, partsHash: new Uint8Array(32).fill(fill) },
    timestamp: { seconds: 1_700_000_000n, nanos },
  };
  return { height, round: 0, step: 3, signBytes: SignBytes.encode(canonical), fresh: false };
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'done';
  } catch (error) {
    if (isHekateError(error)) return error.code;
    return error instanceof InvariantViolation ? 'InvariantViolation' : String(error);
  }
}

async function created(initial = neverSigned()): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  await createState(disk, PATH, BINDING, initial);
  return disk;
}

const open = (disk: Disk, binding = BINDING): Promise<WatermarkStore> => WatermarkStore.open(disk, PATH, binding);

describe('a watermark store', () => {
  it('keeps what it was given over restarts, and its numbers only rise', async () => {
    const disk = await created();
    let last = 0n;
    for (const height of [1n, 2n, 3n]) {
      const store = await open(disk);
      expect(store.sequence).toBeGreaterThan(last);
      if (height > 1n) expect(store.current).toEqual(vote(height - 1n));
      await store.advance(vote(height));
      expect(store.current).toEqual(vote(height));
      last = store.sequence;
      await store.close();
    }
  });

  it('starts the write at once and moves on only when it is durable', async () => {
    const disk = await created();
    const store = await open(disk);
    const before = disk.writes.length;
    let finish = (): void => undefined;
    disk.fates = () => new Promise((resolve) => (finish = () => resolve({})));
    const advanced = store.advance(vote(1n));
    expect(disk.writes.length).toBe(before + 1);
    expect(store.current).toEqual(neverSigned());
    finish();
    await advanced;
    expect(store.current).toEqual(vote(1n));
  });

  it('refuses a second write while one is in flight', async () => {
    const disk = await created();
    const store = await open(disk);
    let finish = (): void => undefined;
    disk.fates = () => new Promise((resolve) => (finish = () => resolve({})));
    const first = store.advance(vote(1n));
    expect(await codeOf(store.advance(vote(2n)))).toBe('InvariantViolation');
    finish();
    expect(await codeOf(first)).toBe('done');
    expect(store.current).toEqual(vote(1n));
  });

  it.each<[name: string, next: Watermark, expected: string]>([
    ['up', vote(6n), 'done'],
    ['later timestamp of the same vote', vote(5n, 900), 'done'],
    ['the same again', vote(5n, 500), 'InvariantViolation'],
    ['earlier timestamp of the same vote', vote(5n, 100), 'InvariantViolation'],
    ['other block at the same place', vote(5n, 900, 2), 'InvariantViolation'],
    ['down', vote(4n, 900), 'InvariantViolation'],
    ['up to a floor', { ...vote(6n), signBytes: undefined }, 'done'],
    ['to a floor in its place', { ...vote(5n), signBytes: undefined }, 'done'],
    ['down to a floor', { ...vote(4n), signBytes: undefined }, 'InvariantViolation'],
    ['up but fresh', { ...vote(6n), fresh: true }, 'InvariantViolation'],
  ])('moves %s', async (_name, next, expected) => {
    const disk = await created();
    const store = await open(disk);
    await store.advance(vote(5n, 500));
    const before = disk.writes.length;
    expect(await codeOf(store.advance(next))).toBe(expected);
    expect(store.current).toEqual(expected === 'done' ? next : vote(5n, 500));
    expect(disk.writes.length).toBe(before + (expected === 'done' ? 1 : 0));
  });

  it('is halted for good by one failed write', async () => {
    const disk = await created();
    const store = await open(disk);
    await store.advance(vote(1n));
    disk.fates = FAILED;
    expect(await codeOf(store.advance(vote(2n)))).toBe('STATE_WRITE_FAILED');
    disk.fates = DONE;
    const before = disk.writes.length;
    expect(await codeOf(store.advance(vote(3n)))).toBe('STATE_WRITE_FAILED');
    expect([store.halted, store.current, disk.writes.length]).toEqual(['STATE_WRITE_FAILED', vote(1n), before]);
    await store.close();
    expect(store.halted).toBe('STATE_WRITE_FAILED');
  });

  it('waits for the write in flight when it closes, gives the lock back, and takes no more', async () => {
    const disk = await created();
    const store = await open(disk);
    let finish = (): void => undefined;
    disk.fates = () => new Promise((resolve) => (finish = () => resolve({})));
    const advanced = store.advance(vote(1n));
    const closed = store.close();
    expect(disk.locked.has(PATH)).toBe(true);
    finish();
    await Promise.all([advanced, closed]);
    expect(disk.locked.has(PATH)).toBe(false);
    expect(await codeOf(store.advance(vote(2n)))).toBe('STATE_CLOSED');
  });

  it('is raised by an operator, and never lowered', async () => {
    const disk = await created();
    const store = await open(disk);
    await store.advance(vote(5n));
    await store.raiseTo(floorAtHeight(900_000n));
    expect(store.current).toEqual(floorAtHeight(900_000n));
    expect(await codeOf(store.raiseTo(floorAtHeight(899_999n)))).toBe('InvariantViolation');
    await store.close();
    expect((await open(disk)).current).toEqual(floorAtHeight(900_000n));
  });

  it('that was raised is known to its mark: a copy from before counts from there', async () => {
    const disk = await created();
    const store = await open(disk);
    await store.advance(vote(5n));
    const before = disk.file(PATH).slice();
    await store.raiseTo(floorAtHeight(900_000n));
    await store.close();
    disk.file(PATH).set(before);
    expect((await open(disk)).current).toEqual(floorAtHeight(900_000n));
  });
});

describe('opening', () => {
  it.each<[name: string, spoil: (disk: MemoryDisk) => unknown, expected: string]>([
    ['as it should be', () => undefined, 'done'],
    ['no state', (disk) => disk.files.delete(PATH), 'STATE_MISSING'],
    ['no mark', (disk) => disk.files.delete(MARK), 'STATE_MISSING'],
    ['neither', (disk) => disk.files.clear(), 'STATE_MISSING'],
    ['held by another', (disk) => disk.locked.add(PATH), 'STATE_LOCKED'],
    ['state cut short', (disk) => disk.files.set(PATH, disk.file(PATH).slice(0, 4096)), 'STATE_TRUNCATED'],
    ['mark cut short', (disk) => disk.files.set(MARK, disk.file(MARK).slice(0, 512)), 'STATE_TRUNCATED'],
    ['one sector of the state damaged', (disk) => disk.file(PATH).fill(0, 4096, 4608), 'done'],
    ['a whole slot damaged', (disk) => disk.file(PATH).fill(0, 4096, 8192), 'STATE_CORRUPT'],
    ['one sector of the mark damaged', (disk) => disk.file(MARK).fill(0, 0, 512), 'done'],
    ['the whole mark damaged', (disk) => disk.file(MARK).fill(0), 'STATE_CORRUPT'],
    ['no permission', (disk) => (disk.open = () => Promise.reject(failing('EACCES'))), 'STATE_NOT_WRITABLE'],
    ['a read-only disk', (disk) => (disk.open = () => Promise.reject(failing('EROFS'))), 'STATE_NOT_WRITABLE'],
    ['mode', (disk) => (disk.open = () => Promise.reject(new DiskError('EMODE', '0644'))), 'STATE_MODE'],
    ['no locks', (disk) => (disk.open = () => Promise.reject(noLocks())), 'STATE_LOCK_UNSUPPORTED'],
    ['unreadable', (disk) => (disk.read = () => Promise.reject(failing('EIO'))), 'STATE_UNREADABLE'],
    ['no write gets through', (disk) => (disk.fates = FAILED), 'STATE_WRITE_FAILED'],
  ])('%s', async (_name, spoil, expected) => {
    const disk = await created();
    spoil(disk);
    const wasLocked = disk.locked.has(PATH);
    expect(await codeOf(open(disk))).toBe(expected);
    if (expected !== 'done') expect(disk.locked.has(PATH)).toBe(wasLocked);
  });

  it.each<[name: string, binding: StateBinding]>([
    ['chain', { ...BINDING, chainId: 'test-2' }],
    ['key', { ...BINDING, groupPublicKey: new Uint8Array(32) }],
  ])('with the state of another %s', async (_name, binding) => {
    expect(await codeOf(open(await created(), binding))).toBe('STATE_FOREIGN');
  });

  it('says what to do', async () => {
    const error: unknown = await open(new MemoryDisk()).catch((thrown: unknown) => thrown);
    expect(isHekateError(error) && error.toLine()).toBe(
      'STATE_MISSING: state file dir/test-1.state: it does not exist. ' +
        'Fix: if it is lost, run `hekate state init` with a height at or above everything this key ever signed, and ' +
        'start this cosigner: it waits until it has heard the others',
    );
  });

  it.each([[0], [1], [511], [512], [513], [700], [1023]])(
    'goes on from starts that are cut short again and again, after %i bytes of every write',
    async (length) => {
      const disk = await created();
      for (let write = 1; write <= 40; write++) {
        disk.fates = tornAfter(write % 7, length);
        await open(disk).catch((error: unknown) => expect(error).toMatchObject({ code: 'STATE_WRITE_FAILED' }));
        disk.kill();
      }
      disk.fates = DONE;
      expect((await open(disk)).current.fresh).toBe(true);
    },
  );

  it('mends what is stale, then writes both slots anew, before anything is signed', async () => {
    const disk = await created();
    disk.file(PATH).fill(0, 512, 1024);
    disk.file(PATH).fill(0, 4096, 4608);
    expect((await inspectState(disk, PATH, BINDING)).staleCopies).toBe(2);
    await open(disk);
    expect((await inspectState(disk, PATH, BINDING)).staleCopies).toBe(0);
    expect(disk.writes).toEqual([PATH, PATH, PATH, PATH, MARK, MARK]);
  });

  it('counts an older copy that somebody put back from its mark, without the sign bytes', async () => {
    const disk = await created();
    const store = await open(disk);
    await store.advance(vote(1n));
    await store.close();
    const old = disk.file(PATH).slice();
    const again = await open(disk);
    await again.advance(vote(2n));
    await again.close();
    const third = await open(disk);
    await third.close();
    disk.files.set(PATH, old);
    const report = await inspectState(disk, PATH, BINDING);
    expect(report.rolledBack).toMatch(
      /is an old copy: it has number \d+ at height 1, .* had reached number \d+ at height 2,/,
    );
    const put = await open(disk);
    expect(put.current).toMatchObject({ height: 2n, step: 3, signBytes: undefined, fresh: false });
  });

  it.each([1, 2, 3, 4])('an older copy goes on from starts that are cut short at write %d', async (at) => {
    const disk = await created();
    const store = await open(disk);
    await store.close();
    const old = disk.file(PATH).slice();
    const again = await open(disk);
    for (let height = 1n; height < 6n; height++) await again.advance(vote(height));
    await again.close();
    await (await open(disk)).close();
    disk.files.set(PATH, old);
    for (let times = 0; times < 5; times++) {
      disk.fates = tornAfter(at, 0);
      await open(disk).catch((error: unknown) => expect(error).toMatchObject({ code: 'STATE_WRITE_FAILED' }));
      disk.kill();
    }
    disk.fates = DONE;
    expect((await open(disk)).current).toMatchObject({ height: 5n, signBytes: undefined });
  });

  it('shows a state without its lock and without writing', async () => {
    const disk = await created();
    const store = await open(disk);
    await store.advance(vote(5n));
    const before = disk.writes.length;
    const report = await inspectState(disk, PATH, BINDING);
    expect(report).toMatchObject({ chainId: 'test-1', sequence: store.sequence, staleCopies: 0 });
    expect(report.watermark).toMatchObject({ height: '5', place: 'height 5, round 0, precommit', fresh: false });
    expect(disk.writes.length).toBe(before);
  });
});

describe('creating', () => {
  it('never replaces a state', async () => {
    const disk = await created();
    const before = disk.file(PATH).slice();
    expect(await codeOf(createState(disk, PATH, BINDING, floorAtHeight(5n)))).toBe('STATE_EXISTS');
    expect(disk.file(PATH)).toEqual(before);
  });

  it('goes on after a crash between mark and state', async () => {
    const disk = new MemoryDisk();
    const create = disk.create.bind(disk);
    disk.create = (path, contents) => (path === PATH ? Promise.reject(failing('ENOSPC')) : create(path, contents));
    expect(await codeOf(createState(disk, PATH, BINDING, neverSigned()))).toBe('STATE_WRITE_FAILED');
    expect(await codeOf(open(disk))).toBe('STATE_MISSING');
    disk.create = create;
    expect(await codeOf(createState(disk, PATH, BINDING, neverSigned()))).toBe('done');
    expect(await codeOf(open(disk))).toBe('done');
  });

  it('goes on with the numbers of a lost state, and not below what its mark knows', async () => {
    const disk = await created();
    const store = await open(disk);
    await store.advance(vote(5n));
    await store.close();
    const last = await open(disk);
    disk.files.delete(PATH);
    disk.kill();
    expect(await codeOf(createState(disk, PATH, BINDING, neverSigned()))).toBe('STATE_ROLLED_BACK');
    expect(await codeOf(createState(disk, PATH, BINDING, floorAtHeight(5n)))).toBe('done');
    expect((await open(disk)).sequence).toBeGreaterThan(last.sequence);
  });

  it('goes on after a number that others have seen', async () => {
    const disk = new MemoryDisk();
    await createState(disk, PATH, BINDING, floorAtHeight(5n), 1_000n);
    expect((await open(disk)).sequence).toBeGreaterThan(1_000n);
  });
});

type Step =
  | { readonly kind: 'advance' }
  | { readonly kind: 'restart' }
  | { readonly kind: 'crash'; readonly length: number; readonly afterWrites: number }
  | { readonly kind: 'damage'; readonly sector: number };

const crash = fc
  .tuple(fc.integer({ min: 0, max: 1024 }), fc.integer({ min: 0, max: 3 }))
  .map(([length, afterWrites]): Step => ({ kind: 'crash', length, afterWrites }));
const damage = fc.integer({ min: 0, max: 3 }).map((sector): Step => ({ kind: 'damage', sector }));
const calm = fc.constantFrom<Step>({ kind: 'advance' }, { kind: 'restart' });
const steps = fc.array(
  fc.oneof({ weight: 4, arbitrary: calm }, { weight: 2, arbitrary: crash }, { weight: 1, arbitrary: damage }),
  { maxLength: 30 },
);

describe('over any run of signatures, crashes in the middle of writes, restarts and damaged sectors', () => {
  it('a state never stands below what was durable, nor above what was written', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (run) => {
        const disk = await created();
        let store = await open(disk);
        let [height, durable] = [0n, neverSigned()];
        const reopen = async (): Promise<void> => {
          disk.kill();
          disk.fates = DONE;
          store = await open(disk);
          expect(compareHrs(store.current, durable)).toBeGreaterThanOrEqual(0);
          expect(store.current.height).toBeLessThanOrEqual(height);
          durable = store.current;
        };
        for (const step of run) {
          if (step.kind === 'damage') {
            // One fault at a time: the next start makes it good again.
            const at = (step.sector >> 1) * 4096 + (step.sector & 1) * RECORD_BYTES;
            disk.file(PATH).fill(0xee, at, at + RECORD_BYTES);
            await reopen();
          } else if (step.kind === 'advance') {
            await store.advance(vote(++height));
            durable = store.current;
          } else if (step.kind === 'restart') {
            await reopen();
          } else {
            // The machine stops in the middle of a signature's write, or of one of the writes of the restart after it.
            disk.fates = tornAfter(step.afterWrites, step.length);
            height += 1n;
            if ((await codeOf(store.advance(vote(height)))) === 'done') {
              durable = store.current;
              disk.kill();
              await codeOf(open(disk));
            }
            await reopen();
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
