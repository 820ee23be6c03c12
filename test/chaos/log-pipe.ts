import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import type { Cleanup } from '../support/cleanup.js';
import { guardAgainstOrphan } from '../support/orphan-guard.js';

/** What is left free in the pipe when its reader stops: a handful of lines. */
const LEFT_BYTES = 2_048;
/** pipe(7) */
const CAPACITY_BYTES = 65_536;

/** A pipe to a reader that writes a log file, and that stops reading when it is told to: Ctrl-S, a log driver that hangs. */
export class LogPipe {
  private constructor(
    /** For the standard output of a process. */
    readonly output: number,
    private readonly filler: number,
    private readonly reader: ChildProcess,
  ) {}

  static create(path: string, logFile: string, cleanup: Cleanup): LogPipe {
    execFileSync('mkfifo', [path]);
    // Nobody waits for the other end where both are open already.
    const both = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    const output = openSync(path, constants.O_WRONLY);
    const log = openSync(logFile, 'a');
    const reader = spawn('cat', [path], { stdio: ['ignore', log, 'ignore'] });
    guardAgainstOrphan(reader);
    closeSync(log);
    cleanup.add(() => {
      reader.kill('SIGKILL');
      closeSync(both);
      closeSync(output);
    });
    return new LogPipe(output, both, reader);
  }

  /** Nearly full already, so that whoever writes notices at once. */
  stall(): void {
    this.reader.kill('SIGSTOP');
    const newlines = Buffer.alloc(1_024, '\n');
    try {
      for (let written = 0; written < CAPACITY_BYTES - LEFT_BYTES; written += newlines.length)
        writeSync(this.filler, newlines);
    } catch {
      // It is full: even better.
    }
  }

  resume(): void {
    this.reader.kill('SIGCONT');
  }
}
