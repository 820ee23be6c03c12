import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  constants,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  promises as fsp,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { isHekateError } from '../errors.js';
import { createState } from '../../setup/state-init.js';
import { SignBytes } from '../privval/sign-bytes.js';
import { WatermarkStore } from '../watermark/store.js';
import { neverSigned, type Watermark } from '../watermark/watermark.js';
import { diskErrorCode } from './disk-error.js';
import { nodeDisk } from './node-disk.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hekate-disk-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const at = (name: string): string => join(folder, name);
const mode = (path: string): number => statSync(path).mode & 0o7777;

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'done';
  } catch (error) {
    return (isHekateError(error) ? error.code : diskErrorCode(error)) ?? String(error);
  }
}

describe('create', () => {
  it('makes a file with mode 0600 and leaves nothing else behind', async () => {
    await nodeDisk.create(at('a'), Uint8Array.of(1, 2, 3));
    expect(await nodeDisk.read(at('a'))).toEqual(Uint8Array.of(1, 2, 3));
    expect(mode(at('a'))).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['a']);
  });

  it.each<[name: string, umask: number]>([
    ['a loose umask', 0],
    ['a umask that takes everything', 0o777],
  ])('makes mode 0600 under %s', async (_name, umask) => {
    const before = process.umask(umask);
    try {
      await nodeDisk.create(at('a'), new Uint8Array(8));
    } finally {
      process.umask(before);
    }
    expect(mode(at('a'))).toBe(0o600);
  });

  it('never replaces anything', async () => {
    await nodeDisk.create(at('a'), Uint8Array.of(1));
    expect(await codeOf(nodeDisk.create(at('a'), Uint8Array.of(2)))).toBe('EEXIST');
    symlinkSync(at('nowhere'), at('link'));
    expect(await codeOf(nodeDisk.create(at('link'), Uint8Array.of(2)))).toBe('EEXIST');
    expect(await nodeDisk.read(at('a'))).toEqual(Uint8Array.of(1));
    expect(readdirSync(folder).sort()).toEqual(['a', 'link']);
  });

  it('fails in a folder that is not there', async () => {
    expect(await codeOf(nodeDisk.create(at('no/a'), Uint8Array.of(1)))).toBe('ENOENT');
  });
});

describe('open', () => {
  it('overwrites in place', async () => {
    await nodeDisk.create(at('a'), new Uint8Array(8));
    const file = await nodeDisk.open(at('a'));
    await file.write(2, Uint8Array.of(7, 8));
    await file.close();
    expect(await nodeDisk.read(at('a'))).toEqual(Uint8Array.of(0, 0, 7, 8, 0, 0, 0, 0));
  });

  it('does not let a file grow', async () => {
    await nodeDisk.create(at('a'), new Uint8Array(8));
    const file = await nodeDisk.open(at('a'));
    expect(() => file.write(7, Uint8Array.of(1, 2))).toThrow('never grows');
    await file.close();
    expect(() => file.write(0, Uint8Array.of(1))).toThrow('closed file');
    await file.close();
  });

  it.each<[name: string, prepare: (path: string) => void, expected: string]>([
    ['a missing file', () => undefined, 'ENOENT'],
    ['mode 0600', (path) => writeFileSync(path, 'x', { mode: 0o600 }), 'done'],
    ['mode 0604', (path) => (writeFileSync(path, 'x'), chmodSync(path, 0o604)), 'EMODE'],
    ['mode 0604', (path) => (writeFileSync(path, 'x'), chmodSync(path, 0o604)), 'EMODE'],
    ['mode 0602', (path) => (writeFileSync(path, 'x'), chmodSync(path, 0o602)), 'EMODE'],
    ['a read-only file', (path) => (writeFileSync(path, 'x'), chmodSync(path, 0o400)), 'EACCES'],
    ['a folder', (path) => mkdirSync(path), 'EISDIR'],
    ['a file far too large', (path) => execFileSync('truncate', ['-s', '17M', path]), 'EUNFIT'],
  ])('%s: %s', async (_name, prepare, expected) => {
    prepare(at('a'));
    expect(await codeOf(nodeDisk.open(at('a')).then((file) => file.close()))).toBe(expected);
  });
});

describe('what is on the medium', () => {
  /** Files that were synced, in order, each with whether the final name was there by then. */
  async function syncsOf(work: () => Promise<void>): Promise<readonly [string, boolean][]> {
    const synced: [string, boolean][] = [];
    const handle = await fsp.open(folder);
    const prototype = Object.getPrototypeOf(handle) as FileHandle;
    await handle.close();
    const real = prototype.sync; // eslint-disable-line @typescript-eslint/unbound-method -- it is called on its handle
    const spy = vi.spyOn(prototype, 'sync').mockImplementation(async function (this: FileHandle) {
      synced.push([readlinkSync(`/proc/self/fd/${this.fd}`), existsSync(at('a'))]);
      return real.call(this);
    });
    await work().finally(() => spy.mockRestore());
    return synced;
  }

  it.runIf(process.platform === 'linux')('a new file: first its contents, then its name', async () => {
    const synced = await syncsOf(() => nodeDisk.create(at('a'), Uint8Array.of(1)));
    expect(synced).toEqual([
      [expect.stringContaining(at('.a.')), false],
      [folder, true],
    ]);
  });

  it.runIf(process.platform === 'linux')('an open file is written through: O_DSYNC is on its descriptor', async () => {
    await nodeDisk.create(at('a'), new Uint8Array(8));
    const file = await nodeDisk.open(at('a'));
    const fd = readdirSync('/proc/self/fd').find((one) => linkOf(`/proc/self/fd/${one}`) === at('a'));
    const flags = /flags:\s*([0-7]+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '';
    await file.close();
    expect(Number.parseInt(flags, 8) & constants.O_DSYNC).toBe(constants.O_DSYNC);
  });

  const linkOf = (path: string): string => {
    try {
      return readlinkSync(path);
    } catch {
      return '';
    }
  };

  it('a file that is exchanged between open and lock is not taken', async () => {
    await nodeDisk.create(at('a'), new Uint8Array(8));
    await nodeDisk.create(at('b'), new Uint8Array(8));
    const spy = vi.spyOn(fsp, 'stat').mockImplementationOnce(async (path) => {
      renameSync(at('b'), at('a'));
      return statSync(path);
    });
    expect(await codeOf(nodeDisk.open(at('a')))).toBe('ELOCKED');
    spy.mockRestore();
    await (await nodeDisk.open(at('a'))).close();
  });
});

describe('the lock', () => {
  const path = (): string => at('a');
  beforeEach(() => nodeDisk.create(path(), new Uint8Array(8)));

  it('excludes a second open in the same process until the first is closed', async () => {
    const first = await nodeDisk.open(path());
    expect(await codeOf(nodeDisk.open(path()))).toBe('ELOCKED');
    await first.close();
    await (await nodeDisk.open(path())).close();
  });

  it('is not lost when the file is read, or another descriptor of it is closed', async () => {
    const file = await nodeDisk.open(path());
    await nodeDisk.read(path());
    expect(await codeOf(nodeDisk.open(path()))).toBe('ELOCKED');
    expect(await codeOf(nodeDisk.open(path()))).toBe('ELOCKED');
    await file.close();
  });

  it('holds for every name of the file', async () => {
    linkSync(path(), at('b'));
    symlinkSync(path(), at('c'));
    const file = await nodeDisk.open(path());
    expect(await codeOf(nodeDisk.open(at('b')))).toBe('ELOCKED');
    expect(await codeOf(nodeDisk.open(at('c')))).toBe('ELOCKED');
    await file.close();
  });

  it('stays with a file that is renamed, so a new file under the old name is another one', async () => {
    const file = await nodeDisk.open(path());
    renameSync(path(), at('moved'));
    expect(await codeOf(nodeDisk.open(at('moved')))).toBe('ELOCKED');
    await file.close();
  });

  /** Another process that takes the same lock by its own means and says whether it got it. */
  async function startHolder(): Promise<{ child: ChildProcess; answer: string }> {
    const script = `
      const { tryLock } = require(${JSON.stringify(createRequire(import.meta.url).resolve('fs-native-extensions'))});
      const fd = require('node:fs').openSync(${JSON.stringify(path())}, 'r+');
      process.stdout.write(tryLock(fd) ? 'held' : 'refused');
      setInterval(() => fd, 1000);`;
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
    return { child, answer: chunk.toString() };
  }

  async function kill(child: ChildProcess): Promise<void> {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  it('excludes another process', async () => {
    const file = await nodeDisk.open(path());
    const { child, answer } = await startHolder();
    await kill(child);
    await file.close();
    expect(answer).toBe('refused');
  });

  it('is excluded by another process, and free again when that is killed', async () => {
    const { child, answer } = await startHolder();
    const whileHeld = await codeOf(nodeDisk.open(path()));
    await kill(child);
    expect([answer, whileHeld]).toEqual(['held', 'ELOCKED']);
    await (await nodeDisk.open(path())).close();
  });
});

/** Runs when the command works here; under CI a machine where it does not is a failure, not a skip. */
function available(command: string, ...args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return process.env['CI'] === 'true';
  }
}

const BINDING = { chainId: 'test-1', groupPublicKey: new Uint8Array(32).fill(7) };
function mark(height: bigint): Watermark {
  const says = { chainId: 'test-1', height, round: 0, step: 2, blockId: undefined } as const;
  const signBytes = SignBytes.encode({ ...says, timestamp: { seconds: 1n, nanos: 0 } });
  return { height, round: 0, step: 2, signBytes, fresh: false };
}
const create = (): Promise<void> => createState(nodeDisk, at('x.state'), BINDING, neverSigned());
const open = (): Promise<WatermarkStore> => WatermarkStore.open(nodeDisk, at('x.state'), BINDING);

describe('a watermark store on this disk', () => {
  it('keeps its state, alone', async () => {
    await create();
    const store = await open();
    await store.advance(mark(5n));
    expect(await codeOf(open())).toBe('STATE_LOCKED');
    await store.close();
    const again = await open();
    expect(again.current).toEqual(mark(5n));
    await again.close();
    expect([mode(at('x.state')), mode(at('x.state.mark'))]).toEqual([0o600, 0o600]);
  });

  it.each<[name: string, mode: number, expected: string]>([
    ['looser', 0o606, 'STATE_MODE'],
    ['read-only', 0o400, 'STATE_NOT_WRITABLE'],
  ])('refuses a file with a mode that is %s', async (_name, to, expected) => {
    await create();
    chmodSync(at('x.state'), to);
    expect(await codeOf(open())).toBe(expected);
  });

  // The kernel refuses writes past the first 4096 bytes of any file, which is what the odd slot needs.
  const limit = (bytes: string): void =>
    void execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:`]);
  it.skipIf(!available('prlimit', '--version'))(
    'fails when the kernel takes a part of a write only (skipped without prlimit)',
    async () => {
      await nodeDisk.create(at('a'), new Uint8Array(8192));
      const file = await nodeDisk.open(at('a'));
      limit('4608');
      const code = await codeOf(file.write(4096, new Uint8Array(1024))).finally(() => limit('unlimited'));
      await file.close();
      expect(code).toBe('ESHORT');
    },
  );

  it.skipIf(!available('prlimit', '--version'))(
    'halts when the kernel refuses a write (skipped without prlimit)',
    async () => {
      await create();
      const store = await open();
      if (store.sequence % 2n === 0n) await store.advance(mark(1n));
      await store.advance(mark(2n));
      if (store.sequence % 2n === 1n) await store.advance(mark(3n));
      const before = store.current;
      let codes: readonly string[];
      limit('4096');
      try {
        codes = [await codeOf(store.advance(mark(4n))), await codeOf(store.advance(mark(5n)))];
      } finally {
        limit('unlimited');
      }
      expect([...codes, store.halted]).toEqual(['STATE_WRITE_FAILED', 'STATE_WRITE_FAILED', 'STATE_WRITE_FAILED']);
      expect(store.current).toEqual(before);
      await store.close();
      const again = await open();
      expect(again.current).toEqual(before);
      await again.close();
    },
  );
});

/** A file system of 64 KiB; needs the right to mount. */
const canMount = ((): boolean => {
  const probe = mkdtempSync(join(tmpdir(), 'hekate-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', probe], { stdio: 'ignore' });
    execFileSync('umount', [probe]);
    return true;
  } catch {
    return process.env['CI'] === 'true';
  } finally {
    rmSync(probe, { recursive: true, force: true });
  }
})();

describe.skipIf(!canMount)('a file system of 64 KiB (skipped without the right to mount)', () => {
  beforeEach(() => void execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]));
  afterEach(() => void execFileSync('umount', [folder]));

  const fill = async (): Promise<void> => {
    for (let n = 0; (await codeOf(nodeDisk.create(at(`fill-${n}`), new Uint8Array(4096)))) === 'done'; n++);
  };

  it('when full, cannot create a state, and leaves nothing of it', async () => {
    await fill();
    expect(await codeOf(nodeDisk.create(at('a'), new Uint8Array(4096)))).toBe('ENOSPC');
    expect(await codeOf(create())).toBe('STATE_WRITE_FAILED');
    expect(readdirSync(folder).filter((name) => !name.startsWith('fill-'))).toEqual([]);
  });

  it('when full, still takes the writes of a state that is there', async () => {
    await create();
    await fill();
    const store = await open();
    await store.advance(mark(5n));
    expect(store.current).toEqual(mark(5n));
    await store.close();
  });

  it('when read-only, does not open a state', async () => {
    await create();
    execFileSync('mount', ['-o', 'remount,ro', folder]);
    expect(await codeOf(open())).toBe('STATE_NOT_WRITABLE');
  });
});
