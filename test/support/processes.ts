import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { closeSync, constants, createWriteStream, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { guardAgainstOrphan } from './orphan-guard.js';
import { PROJECT_ROOT } from './project.js';

export interface ProcessOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** stdout and stderr are appended to this file, so that it holds every run of a restarted process. */
  readonly logFile: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The child writes to the file itself: no line is seen here, and none costs this process anything. */
  readonly unwatched?: boolean;
  /** Standard output is a pipe, as between two programs of a shell, and not the socket that Node makes. */
  readonly fifo?: boolean;
  /** The child writes here instead, a pipe say; whoever opened it closes it, and sees that it gets to the file. */
  readonly output?: number;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

type LineHandler = (line: string) => void;

/** One child process of a test, with its output in a file. Ends with its test, or with the test run at the latest. */
export class TestProcess {
  readonly name: string;
  readonly logFile: string;
  readonly exited: Promise<Exit>;
  private readonly child: ChildProcess;
  private readonly output: Readable | null;
  private readonly lineHandlers = new Set<LineHandler>();
  private exit: Exit | undefined;

  constructor(options: ProcessOptions) {
    this.name = options.name;
    this.logFile = options.logFile;
    mkdirSync(dirname(options.logFile), { recursive: true });
    const log = createWriteStream(options.logFile, { flags: 'a' });
    const file =
      options.unwatched === true && options.output === undefined ? openSync(options.logFile, 'a') : undefined;
    const output = options.output ?? file ?? 'pipe';
    const fifo = options.fifo === true ? openFifo(`${options.logFile}.fifo`) : undefined;
    this.child = spawn(options.command, options.args, {
      cwd: PROJECT_ROOT,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', fifo?.writeFd ?? output, output],
    });
    if (file !== undefined) closeSync(file);
    if (fifo !== undefined) closeSync(fifo.writeFd);
    guardAgainstOrphan(this.child);
    this.output = fifo?.read ?? this.child.stdout;
    for (const stream of [this.output, this.child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        log.write(`${line}\n`);
        for (const handler of this.lineHandlers) handler(line);
      });
    }
    this.exited = new Promise((resolve) => {
      const ended = (code: number | null, signal: NodeJS.Signals | null): void => {
        this.exit = { code, signal };
        log.end();
        resolve(this.exit);
      };
      this.child.once('error', (error) => {
        log.write(`${error.message}\n`);
        ended(null, null);
      });
      this.child.once('close', (code, signal) => {
        if (fifo === undefined || fifo.read.closed) return ended(code, signal);
        // What it said last is still in the pipe.
        fifo.read.once('close', () => ended(code, signal)).resume();
      });
    });
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error(`${this.name} did not start: ${tailOf(this.logFile)}`);
    return this.child.pid;
  }

  get running(): boolean {
    return this.exit === undefined;
  }

  /** Nobody reads its standard output any more. */
  pauseOutput(): void {
    this.output?.pause();
  }

  resumeOutput(): void {
    this.output?.resume();
  }

  /** Calls `handler` with every further line; returns how to stop that. */
  onLine(handler: LineHandler): () => void {
    this.lineHandlers.add(handler);
    return () => this.lineHandlers.delete(handler);
  }

  /** The next line that `matches`. Throws with the end of the log when the process ends or `timeoutMs` pass. */
  async waitForLine(what: string, matches: (line: string) => boolean, timeoutMs: number): Promise<string> {
    const stop = new AbortController();
    let forget = (): void => {};
    const line = new Promise<string>((resolve) => {
      forget = this.onLine((text) => {
        if (matches(text)) resolve(text);
      });
    });
    const ended = this.exited.then((exit) => `it ended with ${exit.signal ?? String(exit.code)}`);
    const late = delay(timeoutMs, `not within ${timeoutMs} ms`, { signal: stop.signal });
    late.catch(() => {});
    try {
      const first = await Promise.race([
        line.then((found) => ({ found })),
        Promise.race([ended, late]).then((failure) => ({ failure })),
      ]);
      if ('found' in first) return first.found;
      throw new Error(`${this.name}: no ${what}, ${first.failure}:\n${tailOf(this.logFile)}`);
    } finally {
      forget();
      stop.abort();
    }
  }

  kill(signal: NodeJS.Signals): void {
    if (this.running) this.child.kill(signal);
  }

  /** SIGTERM, and SIGKILL when that does not end it in time. Resolves when it has ended. */
  async stop(graceMs = 3000): Promise<Exit> {
    this.kill('SIGTERM');
    const stop = new AbortController();
    const late = delay(graceMs, 'late' as const, { signal: stop.signal });
    late.catch(() => {});
    if ((await Promise.race([this.exited, late])) === 'late') this.kill('SIGKILL');
    stop.abort();
    return this.exited;
  }

  /** SIGKILL: no goodbye, as in a crash. */
  async crash(): Promise<Exit> {
    this.kill('SIGKILL');
    this.resumeOutput();
    return this.exited;
  }
}

function openFifo(path: string): { readonly writeFd: number; readonly read: Readable } {
  rmSync(path, { force: true });
  execFileSync('mkfifo', [path]);
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { writeFd: openSync(path, 'w'), read: new Socket({ fd, readable: true, writable: false }) };
}

/** The last lines of a log, for the message of a failed test. */
export function tailOf(path: string, lines = 25): string {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '(no log)';
  }
}
