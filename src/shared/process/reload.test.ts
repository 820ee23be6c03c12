import { expect, it } from 'vitest';
import type { LogConfig } from '../config/log-config.js';
import { HekateError } from '../errors.js';
import { pinoLog, type LogLevel } from '../ports/pino-log.js';
import { reloader } from './reload.js';

interface Config {
  readonly log: LogConfig;
  readonly name: string;
  readonly place: () => string;
}

const config = (level: LogLevel, more: Partial<Config & LogConfig> = {}): Config => ({
  log: { level, format: more.format ?? 'text' },
  name: more.name ?? 'a',
  // A new one each time.
  place: () => 'here',
});
const READ = (to: LogLevel, from: LogLevel): string => `info  configuration read again logLevel=${to} before=${from}`;
const REST = 'warn  the configuration was changed beside the log level: that counts from the next start on';

it.each<
  [name: string, from: LogLevel, to: Config | Error, override: LogLevel | undefined, now: LogLevel, said: string[]]
>([
  ['the same', 'info', config('info'), undefined, 'info', [READ('info', 'info')]],
  ['more', 'info', config('debug'), undefined, 'debug', [READ('debug', 'info')]],
  ['less: the last that is seen of this level', 'info', config('error'), undefined, 'error', [READ('error', 'info')]],
  ['more than nearly nothing', 'error', config('info'), undefined, 'info', [READ('info', 'error')]],
  ['the command line goes over it', 'warn', config('debug'), 'warn', 'warn', []],
  [
    'another name, which is not read again',
    'info',
    config('info', { name: 'b' }),
    undefined,
    'info',
    [READ('info', 'info'), REST],
  ],
  ['another format', 'info', config('info', { format: 'json' }), undefined, 'info', [READ('info', 'info'), REST]],
  [
    'one that is broken',
    'info',
    new HekateError('CONFIG_INVALID', 'a.toml:1:1: not TOML', { fix: 'mend it' }),
    undefined,
    'info',
    [
      'error configuration not read again: everything stays as it is code=CONFIG_INVALID reason="a.toml:1:1: not TOML" fix="mend it"',
    ],
  ],
])('a configuration that is read again: %s', async (_name, from, to, override, now, said) => {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line.slice('00:00:00.000 '.length, -1)) };
  const log = pinoLog({ format: 'text', level: from, destination });
  const load = (): Promise<Config> => (to instanceof Error ? Promise.reject(to) : Promise.resolve(to));
  await reloader({ log, load, running: config(from), overrides: override && { level: override } })();
  expect([log.level, lines]).toEqual([now, said]);
});
