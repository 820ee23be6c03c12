import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.js';
import { LogSink, MAX_QUEUED_BYTES, type LogOutput } from './log-sink.js';

/** A pipe with some room, or none; it may be broken. */
class Pipe implements LogOutput {
  readonly collects: boolean = false;
  room = Infinity;
  broken: string | undefined;
  readonly #taken: Uint8Array[] = [];

  get text(): string {
    return Buffer.concat(this.#taken).toString();
  }

  write(chunk: string | Uint8Array): number | undefined {
    if (this.broken !== undefined) throw new Error(this.broken);
    const taken = Buffer.from(chunk).subarray(0, this.room);
    this.room -= taken.length;
    this.#taken.push(taken);
    return taken.length;
  }

  writeLast(chunk: string | Uint8Array): number | undefined {
    return this.write(chunk);
  }
}

/** A file: one write at a time, which is over when the test says so. */
class File implements LogOutput {
  readonly collects = true;
  readonly writes: string[] = [];
  over: (written?: number, error?: unknown) => void = () => undefined;
  hangs = false;

  write(chunk: string | Uint8Array, done: (written: number, error?: unknown) => void): undefined {
    const text = Buffer.from(chunk).toString();
    this.writes.push(text);
    this.over = (written = text.length, error) => done(written, error);
  }

  writeLast(chunk: string | Uint8Array): number | undefined {
    if (this.hangs) return undefined;
    this.write(chunk, () => undefined);
    return chunk.length;
  }
}

const LINE = `${'x'.repeat(1023)}\n`;
const FIT = MAX_QUEUED_BYTES / LINE.length;

function pipe(): { clock: ManualClock; output: Pipe; sink: LogSink } {
  const clock = new ManualClock();
  const output = new Pipe();
  const sink = new LogSink(output, clock);
  sink.describeDropped = (count) => `dropped ${count}\n`;
  return { clock, output, sink };
}

/** Beginnings of lines, how many of each in a row. */
function shape(text: string): string[] {
  expect(text.endsWith('\n')).toBe(true);
  const kinds: [string, number][] = [];
  for (const line of text.slice(0, -1).split('\n')) {
    const kind = line.startsWith('x') ? (line.length === 1023 ? 'x' : 'torn') : line;
    const last = kinds.at(-1);
    if (last?.[0] === kind) last[1]++;
    else kinds.push([kind, 1]);
  }
  return kinds.map(([kind, count]) => (count === 1 ? kind : `${kind} × ${count}`));
}

describe('a reader', () => {
  it('that reads gets each line at once', () => {
    const { output, sink, clock } = pipe();
    sink.write('one\n');
    expect(output.text).toBe('one\n');
    sink.write('two\n');
    expect(output.text).toBe('one\ntwo\n');
    expect(clock.pending).toBe(0);
  });

  it('that reads in small pieces gets whole lines in order', () => {
    const { output, sink, clock } = pipe();
    for (let i = 0; i < 20; i++) sink.write(`line ${i} ü\n`);
    output.room = 3;
    for (let i = 20; i < 40; i++) sink.write(`line ${i} ü\n`);
    for (let i = 0; i < 200; i++, output.room = 3) clock.advance(1_000);
    expect(output.text).toBe(Array.from({ length: 40 }, (_, i) => `line ${i} ü\n`).join(''));
    expect(clock.pending).toBe(0);
  });

  it('that stops for a while misses nothing that fits', () => {
    const { output, sink, clock } = pipe();
    output.room = 0;
    for (let i = 0; i < FIT; i++) sink.write(LINE);
    expect(sink.dropped).toBe(0);
    output.room = Infinity;
    clock.advance(1_000);
    expect(shape(output.text)).toEqual([`x × ${FIT}`]);
  });

  it('that stops for long is told how many lines are missing, where they are missing', () => {
    const { output, sink, clock } = pipe();
    output.room = 0;
    for (let i = 0; i < 5 * FIT; i++) sink.write(LINE);
    expect(sink.dropped).toBe(4 * FIT);
    clock.advance(3_600_000);
    output.room = Infinity;
    clock.advance(1_000);
    sink.write('after\n');
    expect(shape(output.text)).toEqual([`x × ${FIT}`, `dropped ${4 * FIT}`, 'after']);
  });

  it('that is slow is told once it has read half of what waits, not line by line', () => {
    const { output, sink, clock } = pipe();
    output.room = 0;
    for (let i = 0; i < 2 * FIT; i++) sink.write(LINE);
    for (let i = 0; i < FIT; i++) {
      output.room = LINE.length;
      clock.advance(1_000);
      sink.write(LINE);
    }
    output.room = Infinity;
    clock.advance(1_000);
    const told = shape(output.text).filter((kind) => kind.startsWith('dropped'));
    expect(told.length).toBeLessThan(5);
    const missing = told.reduce((sum, line) => sum + Number(line.split(' ')[1]), 0);
    expect(output.text.split(LINE).length - 1 + missing).toBe(3 * FIT);
  });
});

describe('a write that fails', () => {
  it('is tried again, within the bound, and leaves no half line', () => {
    const { output, sink, clock } = pipe();
    const errors: string[] = [];
    sink.onError = (error) => errors.push(String(error));
    output.room = 100;
    sink.write(LINE);
    output.broken = 'ENOSPC';
    clock.advance(60_000);
    for (let i = 0; i < 2 * FIT; i++) sink.write(LINE);
    expect(errors[0]).toBe('Error: ENOSPC');
    expect(errors.length).toBeLessThan(100);
    output.broken = undefined;
    output.room = Infinity;
    clock.advance(2_000);
    expect(shape(output.text)).toEqual([`x × ${FIT}`, `dropped ${FIT + 1}`]);
  });
});

describe('a file', () => {
  const file = (): { clock: ManualClock; output: File; sink: LogSink } => {
    const clock = new ManualClock();
    const output = new File();
    return { clock, output, sink: new LogSink(output, clock) };
  };

  it('gets what one turn of the loop logs, and then what was logged meanwhile', () => {
    const { clock, output, sink } = file();
    sink.write('1\n');
    sink.write('2\n');
    expect(output.writes).toEqual([]);
    clock.advance(0);
    sink.write('3\n');
    sink.write('4\n');
    clock.advance(0);
    expect(output.writes).toEqual(['1\n2\n']);
    output.over();
    expect(output.writes).toEqual(['1\n2\n', '3\n4\n']);
  });

  it('that took a part gets the rest', () => {
    const { clock, output, sink } = file();
    sink.write('12345\n');
    clock.advance(0);
    output.over(2);
    expect(output.writes).toEqual(['12345\n', '345\n']);
  });

  it.each<[name: string, hangs: boolean, over: boolean, writes: string[]]>([
    ['is written out at the end, and what was under way not twice', false, true, ['1\n', '2\n3\n']],
    ['that hangs at the end is said to', true, false, ['1\n']],
  ])('%s', (_name, hangs, over, writes) => {
    const { clock, output, sink } = file();
    sink.write('1\n');
    clock.advance(0);
    sink.write('2\n');
    sink.write('3\n');
    output.hangs = hangs;
    expect(sink.flush(0)).toBe(over);
    output.over();
    expect(output.writes).toEqual(writes);
  });
});

describe('at the end', () => {
  it.each<[name: string, room: number, broken: string | undefined, text: string]>([
    ['all is written', Infinity, undefined, 'one\ntwo\n'],
    ['what there is room for is written', 5, undefined, 'one\nt'],
    ['nobody is waited for who is gone', 0, 'EPIPE', ''],
  ])('%s', (_name, room, broken, text) => {
    const { output, sink } = pipe();
    output.room = 0;
    sink.write('one\n');
    sink.write('two\n');
    Object.assign(output, { room, broken });
    expect(sink.flush(0)).toBe(true);
    expect(output.text).toBe(text);
  });
});
