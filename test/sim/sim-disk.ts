import type { Clock } from '../../src/shared/ports/clock.js';
import type { Disk } from '../../src/shared/ports/disk.js';
import type { SlotFile } from '../../src/shared/ports/slot-file.js';
import type { Prng } from './prng.js';

export interface DiskFaults {
  /** A write that fails with EIO after any part of it has been written. */
  writeFailure: number;
  /** A write that takes very long. */
  slowWrite: number;
  /** Breaks durable-first on purpose: writes say they are done before they are. */
  lies: boolean;
}

interface Pending {
  readonly path: string;
  readonly offset: number;
  readonly bytes: Uint8Array;
  cancelled: boolean;
}

/** One host's disk: keeps what was durable over crashes, and tears or loses what was not. */
export class SimDisk implements Disk {
  readonly #clock: Clock;
  readonly #random: Prng;
  readonly #faults: DiskFaults;
  readonly #files = new Map<string, Uint8Array>();
  readonly #locks = new Set<string>();
  #pending: Pending[] = [];
  #incarnation = 0;

  constructor(clock: Clock, random: Prng, faults: DiskFaults) {
    this.#clock = clock;
    this.#random = random;
    this.#faults = faults;
  }

  /** What would be there after a power cut at this moment. */
  durable(path: string): Uint8Array {
    const contents = this.#files.get(path);
    if (contents === undefined) throw withCode('ENOENT');
    return contents.slice();
  }

  async read(path: string): Promise<Uint8Array> {
    return this.durable(path);
  }

  async create(path: string, contents: Uint8Array): Promise<void> {
    if (this.#files.has(path)) throw withCode('EEXIST');
    this.#files.set(path, contents.slice());
  }

  async open(path: string): Promise<SlotFile> {
    if (!this.#files.has(path)) throw withCode('ENOENT');
    if (this.#locks.has(path)) throw withCode('ELOCKED');
    this.#locks.add(path);
    const incarnation = this.#incarnation;
    return {
      write: (offset, bytes) => this.#write(path, offset, bytes, incarnation),
      close: async () => {
        if (incarnation === this.#incarnation) this.#locks.delete(path);
      },
    };
  }

  /** The process dies: every unfinished write is done, lost, or torn at any byte; nobody hears of it. */
  crash(): void {
    for (const pending of this.#pending) {
      pending.cancelled = true;
      this.#apply(pending, this.#random.pick(['lost', 'torn', 'done'] as const));
    }
    this.#pending = [];
    this.#locks.clear();
    this.#incarnation++;
  }

  #write(path: string, offset: number, bytes: Uint8Array, incarnation: number): Promise<void> {
    return new Promise((resolve, reject) => {
      // A process that is dead writes nothing; its promises never settle.
      if (incarnation !== this.#incarnation) return;
      const pending: Pending = { path, offset, bytes: bytes.slice(), cancelled: false };
      this.#pending.push(pending);
      const slow = this.#random.chance(this.#faults.slowWrite);
      const fails = this.#random.chance(this.#faults.writeFailure);
      this.#clock.schedule(slow ? this.#random.between(50, 2_000) : this.#random.between(0.1, 3), () => {
        if (pending.cancelled) return;
        this.#pending = this.#pending.filter((one) => one !== pending);
        this.#apply(pending, fails ? 'torn' : 'done');
        if (fails) reject(withCode('EIO'));
        else resolve();
      });
      if (this.#faults.lies) resolve();
    });
  }

  #apply(pending: Pending, how: 'lost' | 'torn' | 'done'): void {
    if (how === 'lost') return;
    const file = this.#files.get(pending.path)!;
    const length = how === 'done' ? pending.bytes.length : this.#random.below(pending.bytes.length);
    file.set(pending.bytes.subarray(0, length), pending.offset);
  }
}

function withCode(code: string): Error {
  return Object.assign(new Error(`simulated ${code}`), { code });
}
