import { HekateError } from '../../src/shared/errors.js';
import type { RunFile, RunFolder } from '../../src/shared/ports/run-folder.js';

/** The run-time folder of a host, in memory: `clear` is what a reboot does to it. */
export class MemoryRunFolder implements RunFolder {
  readonly #open = new Set<string>();
  /** What fails, with this code. */
  fails: { readonly write?: string; readonly remove?: string } = {};

  constructor(
    readonly path = '/run/hekate',
    /** Of the host, by path. */
    readonly files = new Map<string, Uint8Array>(),
  ) {}

  pathOf(name: string): string {
    return `${this.path}/${name}`;
  }

  open(name: string): RunFile {
    const path = this.pathOf(name);
    if (this.#open.has(path)) throw new HekateError('STATE_LOCKED', `${path} is held`);
    this.#open.add(path);
    return {
      read: () => (this.files.get(path) ?? new Uint8Array()).slice(),
      write: (contents) => {
        if (this.fails.write !== undefined) throw Object.assign(new Error('no write'), { code: this.fails.write });
        // Of a Buffer, slice() would be a view.
        this.files.set(path, new Uint8Array(contents));
      },
      remove: () => this.#remove(path),
      close: () => void this.#open.delete(path),
    };
  }

  /** As the port of the same name, of this folder and of those that were here before. */
  readonly removeRunFile = (path: string): void => this.#remove(path);

  /** The process that held its files is gone. */
  kill(): void {
    this.#open.clear();
  }

  /** The host was rebooted. */
  clear(): void {
    this.kill();
    this.files.clear();
  }

  #remove(path: string): void {
    if (this.fails.remove !== undefined) throw Object.assign(new Error('no removal'), { code: this.fails.remove });
    this.files.delete(path);
  }
}
