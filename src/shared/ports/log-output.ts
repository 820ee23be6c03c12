import { constants, fstatSync, openSync, readFileSync, write, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { diskErrorCode } from './disk-error.js';
import type { LogOutput } from './log-sink.js';

/**
 * The way to an open file descriptor on which nothing waits, whatever it is. Pipes and terminals are opened anew, for whether
 * a write waits is a property of the open file description (open(2), O_NONBLOCK), which others have too: a shell's terminal
 * stays as it was. A socket cannot be opened anew, nor what belongs to another user (a container's log pipe); those are
 * made so as they are. Files have no such thing, and a disk that dies keeps a write for ever: a thread writes there.
 */
export function logOutput(fd: number): LogOutput {
  let kind: ReturnType<typeof fstatSync>;
  try {
    kind = fstatSync(fd);
  } catch {
    return NOWHERE;
  }
  if (kind.isFile()) return new ThreadOutput(fd, true);
  const own = kind.isSocket() ? undefined : openedAnew(fd);
  if (own !== undefined) return new InstantOutput(own);
  return (kind.isSocket() || kind.isFIFO()) && makeInstant(fd) ? new InstantOutput(fd) : new ThreadOutput(fd, false);
}

/** There is no such descriptor. */
const NOWHERE: LogOutput = {
  collects: false,
  write: (chunk) => Buffer.byteLength(chunk),
  writeLast: (chunk) => Buffer.byteLength(chunk),
};

function openedAnew(fd: number): number | undefined {
  try {
    // Without O_NOCTTY a process that leads its session would make that terminal its own, and end with it.
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return undefined;
  }
}

/** Kept: what is collected closes its descriptor. */
const sockets: Socket[] = [];

/** Node sets O_NONBLOCK on what it makes a socket of; it is used for nothing else. */
function makeInstant(fd: number): boolean {
  try {
    const socket = new Socket({ fd, readable: false, writable: true });
    socket.on('error', () => undefined);
    socket.unref();
    sockets.push(socket);
    return true;
  } catch {
    return false;
  }
}

/** A descriptor with O_NONBLOCK: takes what there is room for, at once. */
class InstantOutput implements LogOutput {
  readonly collects = false;
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  write(chunk: string | Uint8Array): number {
    try {
      return typeof chunk === 'string' ? writeSync(this.#fd, chunk) : writeSync(this.#fd, chunk);
    } catch (error) {
      if (diskErrorCode(error) === 'EAGAIN') return 0;
      throw error;
    }
  }

  writeLast(chunk: string | Uint8Array): number {
    return this.write(chunk);
  }
}

/** One write at a time, in a thread. */
class ThreadOutput implements LogOutput {
  readonly collects = true;
  readonly #fd: number;
  readonly #isFile: boolean;
  #busy = false;

  constructor(fd: number, isFile: boolean) {
    this.#fd = fd;
    this.#isFile = isFile;
  }

  write(chunk: string | Uint8Array, done: (written: number, error?: unknown) => void): undefined {
    this.#busy = true;
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    write(this.#fd, bytes, 0, bytes.length, null, (error, written) => {
      this.#busy = false;
      done(written, error);
    });
  }

  /**
   * Even now in a thread: it begins at once, and that it is over is seen in the place in the file (proc_pid_fdinfo(5)), as
   * nothing else tells of it without a turn of the loop. Where there is no place to be seen it is taken to be over.
   */
  writeLast(chunk: string | Uint8Array, limitMs: number): number | undefined {
    // What was begun before is over by then where a disk is well; where it is not, the next one hangs as well, and is seen to.
    if (this.#busy) wait(Math.min(BEGUN_MS, limitMs));
    const before = this.#isFile ? this.#place() : undefined;
    this.write(chunk, () => undefined);
    if (before === undefined) wait(Math.min(BEGUN_MS, limitMs));
    const untilMs = performance.now() + limitMs;
    while (before !== undefined && this.#place() === before) {
      if (performance.now() >= untilMs) return undefined;
      wait(1);
    }
    return Buffer.byteLength(chunk);
  }

  #place(): string | undefined {
    try {
      return /^pos:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${this.#fd}`, 'utf8'))?.[1];
    } catch {
      return undefined;
    }
  }
}

const BEGUN_MS = 10;

function wait(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
