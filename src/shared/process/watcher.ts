import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { FIXES } from '../error-codes.js';
import type { LogFields } from '../ports/log.js';
import { humanLine, jsonLine } from '../ports/log-line.js';
import { flushStandardStreams, standardOutput } from '../ports/standard-streams.js';
import { parseToParent, PASSED_ON, type PassedOn, type ToChild } from './parent-channel.js';
import { RestartDelay } from './restart-delay.js';
import { watchLoop } from './watch-loop.js';

/** How a process ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface WatcherOptions {
  /** Starts the process that is watched, with an IPC channel. */
  readonly start: () => ChildProcess;
  /** Tells what happened to it; on standard output as it logs itself, when absent. */
  readonly say?: (event: string, fields: LogFields) => void;
  readonly restartDelay?: RestartDelay;
}

/**
 * The parent of one process: starts it, kills it when its loop stands still, and starts it again then. Any other end of it is
 * the end of this, in the same way, for whoever supervises both.
 */
export class Watcher {
  readonly #options: WatcherOptions;
  readonly #delay: RestartDelay;
  readonly ended: Promise<Ended>;
  #end: (ended: Ended) => void = () => undefined;
  #child: ChildProcess | undefined;
  /** What it said of itself. */
  #hears: { readonly process: string; readonly format: 'json' | 'text' } | undefined;
  #stoodStill = false;
  #toldToEnd = false;
  #again: PassedOn | undefined;
  #startedMs = 0;
  #restart: NodeJS.Timeout | undefined;

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.#delay = options.restartDelay ?? new RestartDelay();
    this.ended = new Promise((resolve) => (this.#end = resolve));
  }

  start(): void {
    const child = this.#options.start();
    this.#child = child;
    this.#hears = undefined;
    this.#stoodStill = false;
    this.#startedMs = performance.now();
    child.on('message', (message) => {
      const told = parseToParent(message);
      if (told?.kind === 'hears') this.#hears = told;
    });
    watchLoop(child, (stillMs) => this.#still(stillMs));
    child.once('exit', (code, signal) => this.#exited({ code, signal }));
    child.once('error', ({ message }) => {
      this.#say('the process could not be started', { reason: message });
      this.#end({ code: 1, signal: null });
    });
  }

  /** Passes a signal on: the first of a kind in order, as one that was sent to that process; a second one that ends it ends it at once. */
  signal(signal: PassedOn): void {
    const child = this.#child;
    if (signal === 'SIGHUP') return child === undefined ? undefined : this.#passOn(child, signal);
    if (this.#toldToEnd) {
      this.#again ??= signal;
      child?.kill('SIGKILL');
      return;
    }
    this.#toldToEnd = true;
    clearTimeout(this.#restart);
    if (child === undefined) this.#end({ code: 0, signal: null });
    else this.#passOn(child, signal);
  }

  #passOn(child: ChildProcess, signal: PassedOn): void {
    // Until it hears messages, signals do to it what they do to a program that has not begun; that one is not passed on.
    if (this.#hears === undefined) return void (signal === 'SIGHUP' || child.kill(signal));
    const message: ToChild = { kind: 'signal', signal };
    child.send(message, (error) => {
      if (error !== null) child.kill(signal);
    });
  }

  #still(stillMs: number): void {
    this.#stoodStill = true;
    const again = this.#toldToEnd ? 'it was to end' : 'it is started again';
    const reason = `its loop did not turn for ${(stillMs / 1_000).toFixed(1)} s; ${again}`;
    this.#say('stood still: killed', {
      code: 'LOOP_STOOD_STILL',
      reason,
      pid: this.#child?.pid,
      fix: FIXES.LOOP_STOOD_STILL,
    });
  }

  #exited(ended: Ended): void {
    this.#child = undefined;
    // Whatever ended it first: one that exited by itself in that very moment is ended.
    if (!this.#stoodStill || this.#toldToEnd || ended.signal !== 'SIGKILL')
      return this.#end(this.#again === undefined ? ended : { code: null, signal: this.#again });
    const delayMs = this.#delay.next(performance.now() - this.#startedMs);
    this.#restart = setTimeout(() => this.start(), delayMs);
  }

  #say(event: string, fields: LogFields): void {
    const { say } = this.#options;
    if (say !== undefined) return say(event, fields);
    const { process: name, format = 'text' } = this.#hears ?? {};
    const line = format === 'json' ? jsonLine : humanLine;
    standardOutput().write(line(Date.now(), 'error', event, { process: name, ...fields }));
  }
}

/** Runs the watcher in the foreground; resolves with the exit code. Where the process ended by a signal this one does too. */
export async function watchInForeground(start: () => ChildProcess): Promise<number> {
  const watcher = new Watcher({ start });
  for (const signal of PASSED_ON) process.on(signal, () => watcher.signal(signal));
  watcher.start();
  const { code, signal } = await watcher.ended;
  if (signal === null) return code ?? 1;
  flushStandardStreams();
  for (const one of PASSED_ON) process.removeAllListeners(one);
  process.kill(process.pid, signal);
  // Process 1 of a container does not die of its own signals.
  await new Promise((resolve) => setTimeout(resolve, 100));
  return 128 + constants.signals[signal];
}
