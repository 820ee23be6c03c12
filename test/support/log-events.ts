import { readFileSync } from 'node:fs';

/** One line of a process's JSON log. */
export interface LogEvent {
  readonly level: string;
  readonly event: string;
  readonly [field: string]: unknown;
}

/** The event of a line, or undefined for a line that is not one (a stack trace, a warning of Node itself). */
export function parseEvent(line: string): LogEvent | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const value = JSON.parse(line) as Partial<LogEvent>;
    return typeof value.event === 'string' ? (value as LogEvent) : undefined;
  } catch {
    return undefined;
  }
}

/** All events of a log file, oldest first; none when there is no file yet. */
export function readEvents(logFile: string): LogEvent[] {
  try {
    return readFileSync(logFile, 'utf8')
      .split('\n')
      .flatMap((line) => parseEvent(line) ?? []);
  } catch {
    return [];
  }
}
