import type { Clock } from '../../src/shared/ports/clock.js';
import type { Disk } from '../../src/shared/ports/disk.js';
import type { SlotFile } from '../../src/shared/ports/slot-file.js';

export interface DiskWrite {
  readonly path: string;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** What becomes of a write. */
export interface Fate {
  /** How many of its bytes reach the disk; default: all. */
  readonly kept?: number;
  /** The code that it fails with. */
  readonly fails?: string;
}

/** How much of an unfinished write a power cut leaves: so many of its bytes, or these of its 512-byte sectors. */
export type Kept = number | { readonly sectors: readonly number[] };

/** Decides about each write as it starts; the write is over when this is. */
export type Fates = (write: DiskWrite) => Fate | Promise<Fate>;

/** Writes that are done at once. */
export const DONE: Fates = () => ({});
export const FAILED: Fates = () => ({ kept: 0, fails: 'EIO' });
/** Writes that never end. */
export const STUCK: Fates = () => forEver();
export const doneAfter =
  (clock: Clock, ms: number): Fates =>
  () =>
    new Promise((resolve) => clock.schedule(ms, () => resolve({})));

const SECTOR_BYTES = 512;
/** More than one start and the votes after it write. */
const MOST_LOST = 64;

/**
 * A host's disk in memory: its files and locks, and whatever a test wants to become of writes. It keeps copies, which slice() of
 * a Buffer is not.
 */
export class MemoryDisk implements Disk {
  /** What a power cut now would leave. */
  readonly files = new Map<string, Uint8Array>();
  readonly locked = new Set<string>();
  /** The path of every write, in order. */
  readonly writes: string[] = [];
  fates: Fates;
  /** Writes say that they are done before they are. */
  lies = false;
  /** Asked before each read; the code that it fails with. */
  failsToRead: (path: string) => string | undefined = () => undefined;
  /** Told of each file whose contents have changed. */
  changed: (path: string) => void = () => undefined;
  /** What was there before the last writes that were done, the newest last. */
  #before: DiskWrite[] = [];
  #unfinished = new Set<DiskWrite>();
  #process = 0;

  constructor(fates: Fates = DONE) {
    this.fates = fates;
  }

  async read(path: string): Promise<Uint8Array> {
    const code = this.failsToRead(path);
    if (code !== undefined) throw withCode(code);
    return new Uint8Array(this.file(path));
  }

  async create(path: string, contents: Uint8Array): Promise<void> {
    if (this.files.has(path)) throw withCode('EEXIST');
    this.files.set(path, new Uint8Array(contents));
    this.#before = this.#before.filter((write) => write.path !== path);
    this.changed(path);
  }

  async open(path: string): Promise<SlotFile> {
    this.file(path);
    if (this.locked.has(path)) throw withCode('ELOCKED');
    this.locked.add(path);
    const opener = this.#process;
    return {
      write: (offset, bytes) => this.#write(opener, { path, offset, bytes: new Uint8Array(bytes) }),
      close: async () => {
        if (opener === this.#process) this.locked.delete(path);
      },
    };
  }

  /** The contents themselves, for tests that spoil them; throws with code ENOENT. */
  file(path: string): Uint8Array {
    const file = this.files.get(path);
    if (file === undefined) throw withCode('ENOENT');
    return file;
  }

  /** The process dies, and its locks with it. What it has begun to write goes on; it hears of nothing. */
  kill(): void {
    this.#process++;
    this.locked.clear();
  }

  /** Something is being written: a process that was killed meanwhile is not gone before that is done. */
  get writing(): boolean {
    return this.#unfinished.size > 0;
  }

  /** The machine stops: of every unfinished write there is as much as `kept` says. */
  powerCut(kept: (write: DiskWrite) => Kept): void {
    for (const write of this.#unfinished) this.#applyKept(write, kept(write));
    this.#unfinished.clear();
    this.kill();
  }

  /** The drive forgets the last writes that it said were done. Only after a power cut. Returns how many there were. */
  forget(writes: number): number {
    let forgotten = 0;
    for (; forgotten < writes; forgotten++) {
      const before = this.#before.pop();
      if (before === undefined) break;
      this.files.get(before.path)?.set(before.bytes, before.offset);
    }
    return forgotten;
  }

  /** Somebody puts this file there; what was written before is not what it lacks. Only after a power cut. */
  replace(path: string, contents: Uint8Array): void {
    this.files.set(path, new Uint8Array(contents));
    this.#before = this.#before.filter((write) => write.path !== path);
  }

  /** A copy of everything, for `putBack`. */
  copy(): ReadonlyMap<string, Uint8Array> {
    return new Map([...this.files].map(([path, contents]) => [path, new Uint8Array(contents)]));
  }

  /** These files are as they were in the copy. Only after a power cut. */
  putBack(copy: ReadonlyMap<string, Uint8Array>): void {
    for (const [path, contents] of copy) this.files.set(path, new Uint8Array(contents));
    this.#before = [];
  }

  async #write(writer: number, write: DiskWrite): Promise<void> {
    if (writer !== this.#process) return forEver();
    this.writes.push(write.path);
    this.#unfinished.add(write);
    const over = this.#finish(writer, write);
    if (!this.lies) return over;
    over.catch(() => undefined);
  }

  async #finish(writer: number, write: DiskWrite): Promise<void> {
    const { kept = write.bytes.length, fails } = await this.fates(write);
    if (!this.#unfinished.delete(write)) return forEver();
    this.#apply(write, kept);
    if (writer !== this.#process) return forEver();
    if (fails !== undefined) throw withCode(fails);
  }

  #applyKept(write: DiskWrite, kept: Kept): void {
    if (typeof kept === 'number') return this.#apply(write, kept);
    for (const sector of kept.sectors) {
      const at = sector * SECTOR_BYTES;
      const bytes = write.bytes.subarray(at, at + SECTOR_BYTES);
      this.#apply({ ...write, offset: write.offset + at, bytes }, bytes.length);
    }
  }

  #apply({ path, offset, bytes }: DiskWrite, kept: number): void {
    const file = this.file(path);
    this.#before.push({ path, offset, bytes: file.slice(offset, offset + kept) });
    if (this.#before.length > MOST_LOST) this.#before.shift();
    file.set(bytes.subarray(0, kept), offset);
    this.changed(path);
  }
}

/** What a dead process hears. */
function forEver(): Promise<never> {
  return new Promise(() => undefined);
}

function withCode(code: string): Error {
  return Object.assign(new Error(`disk says ${code}`), { code });
}
