import { parseTOML, type AST } from 'toml-eslint-parser';

/** A `[[name]]` section, or a table in an array that is written in one line. */
export interface TomlEntry {
  readonly inline: boolean;
  /** From its header, or its brace, to the end of its last pair or the closing brace. */
  readonly start: number;
  readonly end: number;
  readonly pairs: readonly Pair[];
}

interface Pair {
  readonly key: string;
  readonly start: number;
  readonly end: number;
  readonly value: Span;
}

interface Span {
  readonly start: number;
  readonly end: number;
}

/** What cannot be edited here: the parser of positions does not accept it, or it is written in a way that is not foreseen. */
export class NotEditable extends Error {}

/** The entries of `[[name]]`, in order. Throws NotEditable. */
export function entriesOf(text: string, name: string): readonly TomlEntry[] {
  const entries: TomlEntry[] = [];
  for (const node of parsed(text)) {
    if (node.type === 'TOMLTable') {
      if (node.resolvedKey.length !== 2 || node.resolvedKey[0] !== name) continue;
      const pairs = node.body.map(pairOf);
      const end = Math.max(node.key.range[1], ...pairs.map((pair) => pair.end));
      entries.push({ inline: false, start: node.range[0], end, pairs });
    } else if (nameOf(node) === name && node.value.type === 'TOMLArray') {
      for (const table of node.value.elements) {
        if (table.type !== 'TOMLInlineTable') continue;
        entries.push({ inline: true, start: table.range[0], end: table.range[1], pairs: table.body.map(pairOf) });
      }
    }
  }
  return entries;
}

/** The entry whose `key` is written as `literal`. Throws NotEditable. */
export function entryWith(text: string, name: string, key: string, value: string | number): TomlEntry {
  const found = entriesOf(text, name).find(({ pairs }) => {
    const pair = pairs.find((one) => one.key === key);
    return pair !== undefined && readLiteral(text.slice(pair.value.start, pair.value.end)) === value;
  });
  if (found === undefined) throw new NotEditable(`no [[${name}]] section with ${key} = ${String(value)} was found`);
  return found;
}

/** Gives a key of an entry another value. */
export function setKey(text: string, entry: TomlEntry, key: string, literal: string): string {
  return splice(text, pairIn(entry, key).value, literal);
}

/** Gives a key before the first section another value. Throws NotEditable. */
export function setTopKey(text: string, key: string, literal: string): string {
  const node = parsed(text).find((one) => one.type === 'TOMLKeyValue' && nameOf(one) === key);
  if (node?.type !== 'TOMLKeyValue') throw new NotEditable(`${key} was not found`);
  return splice(text, spanOf(node.value), literal);
}

/** Adds a key behind another one of the same entry. */
export function addKey(text: string, entry: TomlEntry, after: string, key: string, literal: string): string {
  const { start, end } = pairIn(entry, after);
  if (entry.inline) return splice(text, { start: end, end }, `, ${key} = ${literal}`);
  const indent = /[ \t]*$/.exec(text.slice(0, start))?.[0] ?? '';
  const at = endOfLine(text, end);
  return splice(text, { start: at, end: at }, `${lineEndOf(text)}${indent}${key} = ${literal}`);
}

/** Removes a key that is not the first of its entry, with its line. */
export function removeKey(text: string, entry: TomlEntry, key: string): string {
  const { start, end } = pairIn(entry, key);
  const before = entry.pairs.findLast((pair) => pair.end <= start);
  if (entry.inline) return splice(text, { start: before?.end ?? start, end }, '');
  return splice(text, { start: startOfLine(text, start), end: startOfNextLine(text, end) }, '');
}

/** Adds a section behind the last one of its name, or at the end. Throws NotEditable. */
export function addEntry(text: string, name: string, pairs: Readonly<Record<string, string>>): string {
  const eol = lineEndOf(text);
  const lines = [`[[${name}]]`, ...Object.entries(pairs).map(([key, literal]) => `${key} = ${literal}`)];
  const last = entriesOf(text, name).at(-1);
  if (last?.inline === true) throw new NotEditable(`${name} is an array in one line`);
  if (last === undefined) return `${text}${text.endsWith('\n') ? '' : eol}${eol}${lines.join(eol)}${eol}`;
  const at = endOfLine(text, last.end);
  return splice(text, { start: at, end: at }, `${eol}${eol}${lines.join(eol)}`);
}

/** Removes a section, and one blank line behind it. The comments above it stay. Throws NotEditable. */
export function removeEntry(text: string, { inline, start, end }: TomlEntry): string {
  if (inline) throw new NotEditable('it stands in an array in one line');
  const from = startOfLine(text, start);
  const to = startOfNextLine(text, end);
  const blank = /^[ \t]*\r?\n/.exec(text.slice(to))?.[0] ?? '';
  return splice(text, { start: from, end: to + blank.length }, '');
}

/** A TOML basic string: JSON's escapes are TOML's. */
export function quote(text: string): string {
  return JSON.stringify(text).replaceAll('\u007f', '\\u007f');
}

function parsed(text: string): readonly (AST.TOMLTable | AST.TOMLKeyValue)[] {
  try {
    // As in toml-positions.ts: a byte order mark is an error here.
    return parseTOML(text.replace(/^\ufeff/, ' '), { tomlVersion: '1.1.0' }).body[0].body;
  } catch (error) {
    throw new NotEditable('its lines were not understood', { cause: error });
  }
}

function pairOf(node: AST.TOMLKeyValue): Pair {
  return { key: nameOf(node), start: node.range[0], end: node.range[1], value: spanOf(node.value) };
}

function nameOf({ key }: AST.TOMLKeyValue): string {
  return key.keys.map((part) => (part.type === 'TOMLBare' ? part.name : part.value)).join('.');
}

function pairIn({ pairs }: TomlEntry, key: string): Pair {
  const pair = pairs.find((one) => one.key === key);
  if (pair === undefined) throw new NotEditable(`${key} was not found`);
  return pair;
}

function readLiteral(literal: string): unknown {
  if (literal.startsWith("'")) return literal.slice(1, -1);
  try {
    return JSON.parse(literal);
  } catch {
    return undefined;
  }
}

function spanOf({ range }: { readonly range: AST.Range }): Span {
  return { start: range[0], end: range[1] };
}

function splice(text: string, { start, end }: Span, by: string): string {
  return text.slice(0, start) + by + text.slice(end);
}

function lineEndOf(text: string): string {
  return /\r?\n/.exec(text)?.[0] ?? '\n';
}

function startOfLine(text: string, at: number): number {
  return text.lastIndexOf('\n', at - 1) + 1;
}

function endOfLine(text: string, at: number): number {
  const next = text.indexOf('\n', at);
  if (next === -1) return text.length;
  return text[next - 1] === '\r' && next > at ? next - 1 : next;
}

function startOfNextLine(text: string, at: number): number {
  const next = text.indexOf('\n', at);
  return next === -1 ? text.length : next + 1;
}
