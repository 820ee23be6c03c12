import type { Clock } from './clock.js';

/** Where bytes of a log go. Nothing here waits for whoever reads them. */
export interface LogOutput {
  /** Whether lines of one turn of the loop are collected: a write costs more than a line. */
  readonly collects: boolean;
  /**
   * Returns how many bytes it has taken, 0 where it takes none now; or undefined, and `done` is called later. Throws, or gives
   * `done`, what the kernel says.
   */
  write(chunk: Chunk, done: (written: number, error?: unknown) => void): number | undefined;
  /**
   * At the end of the process, when no callback comes any more: as `write`. Undefined: whether it was written is not seen
   * within `limitMs`, and the end would wait for it.
   */
  writeLast(chunk: Chunk, limitMs: number): number | undefined;
}

type Chunk = string | Uint8Array;

/** More than an hour of what a validator logs at `info`; little beside what a process takes anyway. */
export const MAX_QUEUED_BYTES = 256 * 1024;
const MAX_CHUNK_BYTES = 64 * 1024;
/** Whoever reads again is noticed after so long; at first soon. */
const FIRST_RETRY_MS = 20;
const MAX_RETRY_MS = 320;
/** A disk is full, a reader is gone: nothing that passes within moments. */
const FAILED_RETRY_MS = 1_000;
const LAST_PAUSE_MS = 5;

/**
 * Takes lines and never waits: what the output does not take is queued, within a bound, and written later in order, a line
 * whole. What does not fit is counted and said in a line of its own, in its place, once there is room. A write that fails is
 * tried again, so that no half line stays where a disk was full for a while.
 */
export class LogSink {
  readonly #output: LogOutput;
  readonly #clock: Clock;
  /** Not begun, oldest first. */
  #lines: string[] = [];
  /** Begun, or the rest of it. */
  #chunk: Chunk | undefined;
  #chunkBytes = 0;
  /** Of what is not written. */
  #bytes = 0;
  #dropped = 0;
  /** An answer of the output is waited for, or the time to ask again. */
  #waits = false;
  /** Of these, the answer. */
  #underWay = false;
  #writes = 0;
  #retryMs = FIRST_RETRY_MS;
  #failed = false;
  #ended = false;
  /** The line that says how many are missing. */
  describeDropped: (count: number) => string = (count) => `log lines were dropped count=${count}\n`;
  /** Called with what the kernel says, each time. */
  onError: (error: unknown) => void = () => undefined;

  constructor(output: LogOutput, clock: Clock) {
    this.#output = output;
    this.#clock = clock;
  }

  /** Lines that are lost and not yet said. */
  get dropped(): number {
    return this.#dropped;
  }

  /** `line` ends with a line end. */
  write(line: string): void {
    const bytes = Buffer.byteLength(line);
    // Not at the first byte that is free: a slow reader would get such a line for each line.
    if (this.#dropped > 0 && this.#bytes <= MAX_QUEUED_BYTES / 2) this.#sayDropped();
    if (this.#dropped > 0 || this.#bytes + bytes > MAX_QUEUED_BYTES) {
      this.#dropped++;
      return;
    }
    this.#lines.push(line);
    this.#bytes += bytes;
    if (this.#waits) return;
    if (this.#output.collects) this.#later(0);
    else this.#pump();
  }

  /**
   * The process ends: writes what is there, at once, but waits for nobody longer than `limitMs`. False where the process would
   * wait, at its exit, for a write that hangs.
   */
  flush(limitMs: number): boolean {
    // Nothing is to be hoped for where a write has just failed, or where this was tried before.
    if (this.#failed || this.#ended) return true;
    this.#ended = true;
    this.#writes++;
    if (this.#underWay) this.#advance(this.#chunkBytes);
    const untilMs = this.#clock.nowMs() + limitMs;
    try {
      for (let chunk = this.#next(); chunk !== undefined; chunk = this.#next()) {
        const leftMs = untilMs - this.#clock.nowMs();
        const written = this.#output.writeLast(chunk, Math.max(0, leftMs));
        if (written === undefined) return false;
        this.#advance(written);
        if (written > 0) continue;
        if (leftMs <= 0) return true;
        pause(Math.min(LAST_PAUSE_MS, leftMs));
      }
    } catch {
      // Nobody is left to be told.
    }
    return true;
  }

  #pump(): void {
    for (let chunk = this.#next(); chunk !== undefined; chunk = this.#next()) {
      const write = ++this.#writes;
      let written: number | undefined;
      try {
        written = this.#output.write(chunk, (later, error) => this.#answered(write, later, error));
      } catch (error) {
        return this.#failedWith(error);
      }
      if (written === undefined) {
        this.#waits = this.#underWay = true;
        return;
      }
      this.#failed = false;
      if (!this.#advance(written)) return this.#retry();
    }
  }

  #answered(write: number, written: number, error: unknown): void {
    // The end of the process did not wait for it.
    if (write !== this.#writes) return;
    this.#waits = this.#underWay = false;
    if (error !== undefined && error !== null) return this.#failedWith(error);
    this.#failed = false;
    if (this.#advance(written) || written > 0) this.#pump();
    else this.#retry();
  }

  /** False: it has not taken all. */
  #advance(written: number): boolean {
    this.#bytes -= written;
    this.#chunkBytes -= written;
    if (written > 0) this.#retryMs = FIRST_RETRY_MS;
    if (this.#chunkBytes > 0) {
      if (written > 0) this.#chunk = bytesOf(this.#chunk ?? '').subarray(written);
      return false;
    }
    this.#chunk = undefined;
    return true;
  }

  /** What is to be written next: as many lines as one write should have. */
  #next(): Chunk | undefined {
    if (this.#chunk !== undefined) return this.#chunk;
    if (this.#lines.length === 0 && this.#dropped > 0) this.#sayDropped();
    const [first] = this.#lines;
    if (first === undefined) return undefined;
    let count = 1;
    let bytes = Buffer.byteLength(first);
    for (; count < this.#lines.length; count++) {
      const more = Buffer.byteLength(this.#lines[count] ?? '');
      if (bytes + more > MAX_CHUNK_BYTES) break;
      bytes += more;
    }
    this.#chunk = count === 1 ? first : this.#lines.slice(0, count).join('');
    this.#chunkBytes = bytes;
    if (count === this.#lines.length) this.#lines = [];
    else this.#lines.splice(0, count);
    return this.#chunk;
  }

  #sayDropped(): void {
    const line = this.describeDropped(this.#dropped);
    this.#dropped = 0;
    this.#lines.push(line);
    this.#bytes += Buffer.byteLength(line);
  }

  #retry(): void {
    this.#later(this.#retryMs);
    this.#retryMs = Math.min(2 * this.#retryMs, MAX_RETRY_MS);
  }

  #failedWith(error: unknown): void {
    this.#failed = true;
    this.#later(FAILED_RETRY_MS);
    this.onError(error);
  }

  #later(delayMs: number): void {
    this.#waits = true;
    this.#clock.schedule(delayMs, () => {
      this.#waits = false;
      if (!this.#ended) this.#pump();
    });
  }
}

function bytesOf(chunk: Chunk): Uint8Array {
  return typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
}

/** Nothing else runs meanwhile. */
function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
