import { Writable } from 'node:stream';
import { logOutput } from './log-output.js';
import { LogSink } from './log-sink.js';
import type { Clock } from './clock.js';

/** So long the end of a process waits for a reader that does not read. */
const FLUSH_MS = 200;

const sinks = new Map<number, LogSink>();

/** The one way of a process to its standard output that nobody who reads it can hold up; with the descriptor as it is at first use. */
export function standardOutput(): LogSink {
  return sinkOf(1);
}

/** The same of standard error. */
export function standardError(): LogSink {
  return sinkOf(2);
}

/**
 * Writes what is queued, before the process ends; at each normal end this is done. False where process.exit() would wait for
 * a write that hangs.
 */
export function flushStandardStreams(): boolean {
  return [...sinks.values()].map((sink) => sink.flush(FLUSH_MS)).every((over) => over);
}

/**
 * From now on what libraries print and Node warns of goes that way too: `process.stderr` waits for whoever reads a terminal
 * or a disk, and keeps what a pipe does not take, without a bound. `warn` is told Node's own warnings, which go round it.
 */
export function neverWaitForReaders(warn: (name: string, message: string) => void): void {
  for (const [name, sink] of [
    ['stdout', standardOutput],
    ['stderr', standardError],
  ] as const)
    Object.defineProperty(process, name, { configurable: true, enumerable: true, value: streamTo(sink) });
  process.removeAllListeners('warning');
  process.on('warning', ({ name, message }) => warn(name, message));
}

function streamTo(sink: () => LogSink): Writable {
  return new Writable({
    decodeStrings: false,
    write: (chunk: string | Buffer, _encoding, done) => {
      sink().write(chunk.toString());
      done();
    },
  });
}

function sinkOf(fd: number): LogSink {
  const opened = sinks.get(fd);
  if (opened !== undefined) return opened;
  if (sinks.size === 0) process.on('exit', flushStandardStreams);
  const sink = new LogSink(logOutput(fd), unheldClock);
  sinks.set(fd, sink);
  return sink;
}

/** A reader that does not read keeps no process alive; a write that has begun does. */
const unheldClock: Clock = {
  nowMs: () => performance.now(),
  schedule(delayMs, task) {
    if (delayMs <= 0) {
      const immediate = setImmediate(task);
      return { cancel: () => clearImmediate(immediate) };
    }
    const timeout = setTimeout(task, delayMs);
    timeout.unref();
    return { cancel: () => clearTimeout(timeout) };
  },
};
