import { pino, type DestinationStream } from 'pino';
import type { Log, LogFields } from './log.js';
import { humanLine } from './log-line.js';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface PinoLogOptions {
  /** `json`: one object a line, with `time`, `level` and `event`. `text`: one line for people. */
  readonly format: 'json' | 'text';
  readonly level: LogLevel;
  /** Fields of every line. */
  readonly base?: LogFields;
  /** Standard output when absent. */
  readonly destination?: DestinationStream;
  /** Wall clock in ms, for the stamp of a line and nothing else. */
  readonly wallMs?: () => number;
}

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];
const RESERVED: ReadonlySet<string> = new Set(['time', 'level', 'event']);

/**
 * A log on standard output, written at once in the calling thread, so that the last line before a crash is there. What is
 * logged is what the caller names, value by value: objects, errors and messages of peers do not get in.
 */
export function pinoLog(options: PinoLogOptions): Log {
  return options.format === 'json' ? jsonLog(options) : textLog(options);
}

function jsonLog({ level, base = {}, destination = standardOutput() }: PinoLogOptions): Log {
  const logger = pino(
    {
      level,
      base: plain(base),
      messageKey: 'event',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  const write = (to: LogLevel): Log['info'] => {
    if (!logger.isLevelEnabled(to)) return () => {};
    return (event, fields = {}) => logger[to](plain(fields), event);
  };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

function textLog({ level, base = {}, destination = standardOutput(), wallMs = Date.now }: PinoLogOptions): Log {
  const write = (to: LogLevel): Log['info'] => {
    if (LEVELS.indexOf(to) < LEVELS.indexOf(level)) return () => {};
    return (event, fields = {}) => void destination.write(humanLine(wallMs(), to, event, { ...base, ...fields }));
  };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

/** JSON has no bigint, and a field must not take the place of the line's own. */
function plain(fields: LogFields): Record<string, string | number | boolean> {
  const entries = Object.entries(fields).flatMap(([key, value]) => {
    if (value === undefined) return [];
    return [[RESERVED.has(key) ? `${key}_` : key, typeof value === 'bigint' ? String(value) : value] as const];
  });
  return Object.fromEntries(entries);
}

function standardOutput(): DestinationStream {
  const destination = pino.destination({ fd: 1, sync: true });
  // Whoever read it is gone; a signer goes on signing without a log.
  destination.on('error', () => {});
  return destination;
}
