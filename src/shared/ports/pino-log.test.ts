import { describe, expect, it } from 'vitest';
import type { LogFields } from './log.js';
import { humanLine, jsonLine } from './log-line.js';
import { pinoLog, type PinoLogOptions } from './pino-log.js';

const lines = (
  options: Omit<PinoLogOptions, 'destination'>,
  use: (log: ReturnType<typeof pinoLog>) => void,
): string[] => {
  const written: string[] = [];
  use(pinoLog({ ...options, destination: { write: (line: string) => void written.push(line) } }));
  return written;
};

describe('a line for people', () => {
  const at = 86_400_000 * 20_000 + ((9 * 60 + 5) * 60 + 7) * 1_000 + 42.9;
  const table: [name: string, event: string, fields: LogFields, line: string][] = [
    ['no fields', 'ready', {}, '09:05:07.042 info  ready\n'],
    [
      'plain values',
      'signed',
      { h: 5n, ms: 1.5, ok: true, a: 'b' },
      '09:05:07.042 info  signed h=5 ms=1.5 ok=true a=b\n',
    ],
    ['left out', 'ready', { code: undefined, a: 1 }, '09:05:07.042 info  ready a=1\n'],
    ['spaces', 'x', { reason: 'not now' }, '09:05:07.042 info  x reason="not now"\n'],
    ['empty', 'x', { holder: '' }, '09:05:07.042 info  x holder=""\n'],
    ['quotes and =', 'x', { a: 'b="c"' }, '09:05:07.042 info  x a="b=\\"c\\""\n'],
    ['a forged line', 'x', { a: 'b\n09:05:07.043 info  y' }, '09:05:07.042 info  x a="b?09:05:07.043 info  y"\n'],
    ['colours', 'x\u001b[31m', { a: '\u001b[0m' }, '09:05:07.042 info  x?[31m a="?[0m"\n'],
    ['before 1970', 'x', {}, '09:05:07.042 info  x\n'],
  ];
  it.each(table)('%s', (name, event, fields, line) => {
    expect(humanLine(name === 'before 1970' ? at - 86_400_000 * 30_000 : at, 'info', event, fields)).toBe(line);
  });
});

it('text: levels below the chosen one are left out, base fields are in every line', () => {
  const written = lines({ format: 'text', level: 'warn', base: { chain: 'a' }, wallMs: () => 0 }, (log) => {
    log.debug('one');
    log.info('two');
    log.warn('three');
    log.error('four', { code: 'X' });
  });
  expect(written).toEqual(['00:00:00.000 warn  three chain=a\n', '00:00:00.000 error four chain=a code=X\n']);
});

it('json: one object a line, bigint as text, own keys kept', () => {
  const written = lines({ format: 'json', level: 'info', base: { process: 'cosigner-1' } }, (log) => {
    log.debug('not this');
    log.info('signed', { height: 2n ** 63n, ms: 1.5, missing: undefined, level: 'mine', event: 'mine', time: 'mine' });
  });
  expect(written).toHaveLength(1);
  const [line = ''] = written;
  expect(line.endsWith('\n')).toBe(true);
  expect(JSON.parse(line)).toEqual({
    level: 'info',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
    process: 'cosigner-1',
    height: '9223372036854775808',
    ms: 1.5,
    level_: 'mine',
    event_: 'mine',
    time_: 'mine',
    event: 'signed',
  });
});

it.each(['json', 'text'] as const)(
  '%s: the level counts from the next line on, also for who has a part of the log',
  (format) => {
    const written = lines({ format, level: 'info' }, (log) => {
      const debug = log.debug.bind(log);
      debug('one');
      log.setLevel('debug');
      debug('two');
      log.setLevel('error');
      log.warn('three');
      expect(log.level).toBe('error');
    });
    expect(written).toHaveLength(1);
    expect(written[0]).toContain('two');
  },
);

it('json: a line that is made without the library is the same', () => {
  const fields = { height: 2n ** 63n, ms: 1.5, missing: undefined, level: 'mine', reason: 'a "b"\n' };
  const [line = ''] = lines({ format: 'json', level: 'info', base: { process: 'a' } }, (log) => log.error('x', fields));
  const { time } = JSON.parse(line) as { time: string };
  expect(jsonLine(Date.parse(time), 'error', 'x', { process: 'a', ...fields })).toBe(line);
});
