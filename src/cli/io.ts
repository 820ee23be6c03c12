import { standardError } from '../shared/ports/standard-streams.js';

/** Where a command writes; tests collect it. */
export interface Io {
  /** Results, on standard output. */
  out(text: string): void;
  /** Warnings and errors, on standard error. */
  err(text: string): void;
}

export const processIo: Io = {
  out: (text) => void process.stdout.write(text),
  // A process that could not start ends, whether or not somebody reads why.
  err: (text) => standardError().write(text),
};

/** One line, or many. */
export function print(io: Io, ...lines: readonly string[]): void {
  io.out(`${lines.join('\n')}\n`);
}

export function printJson(io: Io, value: unknown): void {
  const text = JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? part.toString() : part), 2);
  io.out(`${text}\n`);
}

export function warn(io: Io, text: string): void {
  io.err(`warning: ${text}\n`);
}
