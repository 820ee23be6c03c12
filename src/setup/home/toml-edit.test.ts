import { parse } from 'smol-toml';
import { expect, test } from 'vitest';
import {
  addEntry,
  addKey,
  entriesOf,
  entryWith,
  quote,
  removeEntry,
  removeKey,
  setKey,
  setTopKey,
} from './toml-edit.js';

const TEXT = `# head
id = 1 # mine
listen = "[::]:7001" # all

# The links.
[[link]]
name = "a" # the first
pin = "1" # its pin

[[link]]
# in Frankfurt
name = 'b'
  pin = "2"

# The others.
[[cosigner]]
id = 2
pin = "3"
`;
const INLINE = `link = [{ name = "a", pin = "1" }, { name = "b", pin = "2" }]\n`;
const link = (text: string, name: string): ReturnType<typeof entryWith> => entryWith(text, 'link', 'name', name);

/** `- ` and `+ ` lines of what was changed, as far as they differ. */
function difference(before: string, after: string): string[] {
  const [a, b] = [before.split('\n'), after.split('\n')];
  const shorter = Math.min(a.length, b.length);
  let [from, same] = [0, 0];
  while (from < shorter && a[from] === b[from]) from++;
  while (same < shorter - from && a.at(-1 - same) === b.at(-1 - same)) same++;
  const [out, into] = [a.slice(from, a.length - same), b.slice(from, b.length - same)];
  return [...out.map((line) => `- ${line}`), ...into.map((line) => `+ ${line}`)];
}

test.each<[name: string, before: string, edit: (text: string) => string, lines: string[]]>([
  ['a value', TEXT, (t) => setKey(t, link(t, 'a'), 'pin', '"9"'), ['- pin = "1" # its pin', '+ pin = "9" # its pin']],
  ['a value that is indented', TEXT, (t) => setKey(t, link(t, 'b'), 'pin', '"9"'), ['-   pin = "2"', '+   pin = "9"']],
  [
    'a number as key',
    TEXT,
    (t) => setKey(t, entryWith(t, 'cosigner', 'id', 2), 'pin', '"9"'),
    ['- pin = "3"', '+ pin = "9"'],
  ],
  [
    'a key of the top',
    TEXT,
    (t) => setTopKey(t, 'listen', '"x"'),
    ['- listen = "[::]:7001" # all', '+ listen = "x" # all'],
  ],
  ['one more key', TEXT, (t) => addKey(t, link(t, 'a'), 'pin', 'next_pin', '"9"'), ['+ next_pin = "9"']],
  ['one more key, indented', TEXT, (t) => addKey(t, link(t, 'b'), 'pin', 'next_pin', '"9"'), ['+   next_pin = "9"']],
  ['a key less', TEXT, (t) => removeKey(t, link(t, 'a'), 'pin'), ['- pin = "1" # its pin']],
  [
    'one more section',
    TEXT,
    (t) => addEntry(t, 'link', { name: '"c"', pin: '"4"' }),
    ['+ [[link]]', '+ name = "c"', '+ pin = "4"', '+ '],
  ],
  [
    'one more section at the end',
    TEXT,
    (t) => addEntry(t, 'chain', { id: '"c"' }),
    ['+ [[chain]]', '+ id = "c"', '+ '],
  ],
  [
    'a section less',
    TEXT,
    (t) => removeEntry(t, link(t, 'a')),
    ['- name = "a" # the first', '- pin = "1" # its pin', '- ', '- [[link]]'],
  ],
  [
    'the last section of its kind less',
    TEXT,
    (t) => removeEntry(t, link(t, 'b')),
    ['- [[link]]', '- # in Frankfurt', "- name = 'b'", '-   pin = "2"', '- '],
  ],
  [
    'the last section of all less',
    TEXT,
    (t) => removeEntry(t, entryWith(t, 'cosigner', 'id', 2)),
    ['- [[cosigner]]', '- id = 2', '- pin = "3"'],
  ],
  [
    'in one line, a value',
    INLINE,
    (t) => setKey(t, link(t, 'b'), 'pin', '"9"'),
    [`- ${INLINE.trim()}`, `+ ${INLINE.trim().replace('"2"', '"9"')}`],
  ],
  [
    'in one line, one more key',
    INLINE,
    (t) => addKey(t, link(t, 'a'), 'pin', 'n', '3'),
    [`- ${INLINE.trim()}`, `+ ${INLINE.trim().replace('"1"', '"1", n = 3')}`],
  ],
  [
    'in one line, a key less',
    INLINE,
    (t) => removeKey(t, link(t, 'a'), 'pin'),
    [`- ${INLINE.trim()}`, `+ ${INLINE.trim().replace(', pin = "1"', '')}`],
  ],
])('%s, and no other line is touched', (_name, before, edit, lines) => {
  expect(difference(before, edit(before))).toEqual(lines);
  // Lines that end as on Windows, a byte order mark, no line end at the end: the same.
  const windows = before.replaceAll('\n', '\r\n');
  expect(edit(windows)).toBe(edit(before).replaceAll('\n', '\r\n'));
  expect(edit(`\ufeff${before}`)).toBe(`\ufeff${edit(before)}`);
  expect(parse(edit(before.trimEnd()))).toEqual(parse(edit(before)));
});

test.each<[name: string, edit: () => unknown]>([
  ['a section that is not there', () => link(TEXT, 'c')],
  ['a key that is not there', () => setKey(TEXT, link(TEXT, 'a'), 'next_pin', '"9"')],
  ['a key of the top that is not there', () => setTopKey(TEXT, 'name', '"9"')],
  ['a new section in an array of one line', () => addEntry(INLINE, 'link', { name: '"c"' })],
  ['a section less of an array of one line', () => removeEntry(INLINE, link(INLINE, 'a'))],
  ['what is no TOML', () => entriesOf('a = ', 'link')],
])('not editable: %s', (_name, edit) => {
  expect(edit).toThrowError();
});

test.each(['a', '"', '\\', '\u007f', 'ü\n'])('%j is quoted as TOML reads it', (text) => {
  expect(parse(`x = ${quote(text)}`)).toEqual({ x: text });
});
