import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { watchLoop } from '../shared/process/watch-loop.js';
import { childEnvironment } from './child-environment.js';

/** One line of a process's JSON log. */
export interface DevEvent {
  readonly process: string;
  readonly level: string;
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface DevProcessOptions {
  readonly name: string;
  readonly role: 'cosigner' | 'sentry-link';
  readonly dir: string;
  /** The compiled command line. */
  readonly main: string;
  /** Wait before the first restart in a row; 500 when absent. */
  readonly restartMs?: number;
  readonly onEvent: (event: DevEvent) => void;
  /** Started, for the first time or again. */
  readonly onStart: (name: string, pid: number | undefined) => void;
  /** Ended without having been told to by us; it is started again after that time. */
  readonly onDeath: (name: string, how: string, restartMs: number) => void;
  /** Ended again and again before it was ready: it is not started any more. */
  readonly onGivenUp: (name: string, why: string) => void;
}

/** A dead process is started again, as a service manager would: at first soon, then later each time. */
const FIRST_RESTART_MS = 500;
const MAX_RESTART_MS = 30_000;
/** One that has run this long was well: its next death is a first one. */
const WELL_MS = 10_000;
/** Starts in a row that never got ready. */
const MAX_FAILED_STARTS = 4;

/** A real process of the local cluster. It ends with us: its IPC channel breaks when we are gone. */
export class DevProcess {
  readonly name: string;
  readonly #options: DevProcessOptions;
  #child: ChildProcess | undefined;
  #restart: NodeJS.Timeout | undefined;
  #stopping = false;
  #failedStarts = 0;
  #deaths = 0;
  #startedMs = 0;
  /** Why it may have ended, in its own words. */
  #lastWords = '';
  /** It was killed because its loop stood still for so long. */
  #stillMs: number | undefined;
  /** Resolves when it says that it is ready, or has ended. */
  readonly ready: Promise<void>;
  #isReady: () => void = () => undefined;

  constructor(options: DevProcessOptions) {
    this.name = options.name;
    this.#options = options;
    this.ready = new Promise((resolve) => {
      this.#isReady = resolve;
    });
  }

  start(): void {
    const { name, role, dir, main, onStart } = this.#options;
    if (this.#stopping) return;
    const args = [main, role, 'start', '--home', join(dir, name), '--log-format', 'json'];
    // We are its watcher.
    if (role === 'sentry-link') args.push('--no-watcher');
    // A group of its own: Ctrl-C reaches us alone, and we end the others in order.
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
      env: childEnvironment(),
    });
    this.#child = child;
    this.#failedStarts++;
    this.#startedMs = performance.now();
    this.#lastWords = '';
    this.#stillMs = undefined;
    if (role === 'sentry-link') watchLoop(child, (stillMs) => (this.#stillMs = stillMs));
    if (child.pid !== undefined) onStart(name, child.pid);
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.#line(line));
    }
    child.once('error', ({ message }) => (this.#lastWords = message));
    // Not 'exit', which a process that could not be started does not emit; and by now its last words have been read.
    child.once('close', (code, signal) => this.#ended(this.#stoodStill() ?? signal ?? `exit code ${code}`));
  }

  /** SIGTERM, and SIGKILL when it has not gone after `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#restart);
    const child = this.#child;
    if (child === undefined) return;
    const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
    await gone;
    clearTimeout(timer);
  }

  /** At once, and for good. */
  kill(): void {
    this.#stopping = true;
    clearTimeout(this.#restart);
    this.#child?.kill('SIGKILL');
  }

  #stoodStill(): string | undefined {
    if (this.#stillMs === undefined) return undefined;
    return `killed: its loop stood still for ${(this.#stillMs / 1_000).toFixed(1)} s`;
  }

  #ended(how: string): void {
    const { name, restartMs: firstMs = FIRST_RESTART_MS, onDeath, onGivenUp } = this.#options;
    this.#child = undefined;
    this.#isReady();
    if (this.#stopping) return;
    if (this.#failedStarts >= MAX_FAILED_STARTS) return onGivenUp(name, this.#lastWords || how);
    this.#deaths = performance.now() - this.#startedMs < WELL_MS ? this.#deaths + 1 : 1;
    const atOnce = this.#stillMs !== undefined && this.#deaths === 1;
    const restartMs = atOnce ? 0 : Math.min(MAX_RESTART_MS, firstMs * 2 ** (this.#deaths - 1));
    this.#restart = setTimeout(() => this.start(), restartMs);
    onDeath(name, how, restartMs);
  }

  #line(line: string): void {
    const { name, onEvent } = this.#options;
    const { level, event, fields } = read(line);
    if (event === 'ready') {
      this.#failedStarts = 0;
      this.#isReady();
    }
    if (level === 'error') this.#lastWords = event;
    onEvent({ process: name, level, event, fields });
  }
}

/** What is no log line is what a process says that fails. */
function read(line: string): Omit<DevEvent, 'process'> {
  try {
    const { level, event, ...fields } = JSON.parse(line) as Record<string, unknown>;
    return { level: String(level), event: String(event), fields };
  } catch {
    return { level: 'error', event: line, fields: {} };
  }
}
