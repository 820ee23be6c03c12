import type { Clock } from '../../src/shared/ports/clock.js';
import type { Disk } from '../../src/shared/ports/disk.js';
import type { SlotFile } from '../../src/shared/ports/slot-file.js';

/** A disk whose writes take a moment, fail or never end, as the test says. What `contents` has is what a power cut leaves. */
export class MemoryDisk implements Disk {
  readonly contents = new Map<string, Uint8Array>();
  writes: 'done' | 'failed' | 'stuck' = 'done';
  writeMs = 0.2;
  readonly #clock: Clock;
  #locked = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async read(path: string): Promise<Uint8Array> {
    return this.#file(path).slice();
  }

  async create(path: string, contents: Uint8Array): Promise<void> {
    if (this.contents.has(path)) throw withCode('EEXIST');
    this.contents.set(path, contents.slice());
  }

  async open(path: string): Promise<SlotFile> {
    this.#file(path);
    const locked = this.#locked;
    if (locked.has(path)) throw withCode('ELOCKED');
    locked.add(path);
    return {
      write: (offset, bytes) => this.#write(path, offset, bytes.slice()),
      close: async () => void locked.delete(path),
    };
  }

  /** The process that held files open is gone. */
  unlock(): void {
    this.#locked = new Set();
  }

  /** A copy of everything, for the operator who restores a backup. */
  backup(): ReadonlyMap<string, Uint8Array> {
    return new Map([...this.contents].map(([path, bytes]) => [path, bytes.slice()]));
  }

  restore(backup: ReadonlyMap<string, Uint8Array>): void {
    for (const [path, bytes] of backup) this.contents.set(path, bytes.slice());
  }

  #write(path: string, offset: number, bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#clock.schedule(this.writeMs, () => {
        if (this.writes === 'stuck') return;
        if (this.writes === 'failed') return reject(withCode('EIO'));
        this.#file(path).set(bytes, offset);
        resolve();
      });
    });
  }

  #file(path: string): Uint8Array {
    const file = this.contents.get(path);
    if (file === undefined) throw withCode('ENOENT');
    return file;
  }
}

function withCode(code: string): Error {
  return Object.assign(new Error(`disk says ${code}`), { code });
}
