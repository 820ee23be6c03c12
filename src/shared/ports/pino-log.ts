import { pino, type DestinationStream } from 'pino';
import type { Log, LogFields } from './log.js';
import { humanLine, plainFields } from './log-line.js';
import { standardOutput } from './standard-streams.js';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFormat = 'json' | 'text';

export interface PinoLogOptions {
  /** `json`: one object a line, with `time`, `level` and `event`. `text`: one line for people. */
  readonly format: LogFormat;
  readonly level: LogLevel;
  /** Fields of every line. */
  readonly base?: LogFields;
  /** Standard output when absent. */
  readonly destination?: DestinationStream;
  /** Wall clock in ms, for the stamp of a line and nothing else. */
  readonly wallMs?: () => number;
}

/** The log of a process. */
export interface ProcessLog extends Log {
  readonly format: LogFormat;
  readonly base: LogFields;
  readonly level: LogLevel;
  /** From the next line on. */
  setLevel(level: LogLevel): void;
}

const RANKS: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/**
 * A log on standard output that nobody who reads it can hold up (log-sink.ts); what a pipe or a terminal has room for is
 * written at once in the calling thread, so that the last line before a crash is there. What is logged is what the caller
 * names, value by value: objects, errors and messages of peers do not get in.
 */
export function pinoLog(options: PinoLogOptions): ProcessLog {
  const { format, base = {} } = options;
  let { level } = options;
  const write = (options.format === 'json' ? jsonLines : textLines)(options, options.destination ?? ownOutput(options));
  const at =
    (to: LogLevel): Log['info'] =>
    (event, fields = {}) => {
      if (RANKS[to] >= RANKS[level]) write(to, event, fields);
    };
  return {
    format,
    base,
    get level() {
      return level;
    },
    setLevel: (to) => void (level = to),
    ...{ debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
  };
}

type WriteLine = (level: LogLevel, event: string, fields: LogFields) => void;

/** Which levels are written is decided before. */
function jsonLines({ base = {} }: PinoLogOptions, destination: DestinationStream): WriteLine {
  const logger = pino(
    {
      level: 'debug',
      base: plainFields(base),
      messageKey: 'event',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  return (level, event, fields) => logger[level](plainFields(fields), event);
}

function textLines({ base = {}, wallMs = Date.now }: PinoLogOptions, destination: DestinationStream): WriteLine {
  return (level, event, fields) => void destination.write(humanLine(wallMs(), level, event, { ...base, ...fields }));
}

/** That lines were lost is a line as the others are. */
function ownOutput(options: PinoLogOptions): DestinationStream {
  const output = standardOutput();
  let line = '';
  const destination = { write: (text: string) => void (line = text) };
  const write = (options.format === 'json' ? jsonLines : textLines)(options, destination);
  output.describeDropped = (count) => {
    write('warn', 'log lines were dropped', { count, reason: 'nobody read them' });
    return line;
  };
  return output;
}
