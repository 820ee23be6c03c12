import { parseTOML, type AST } from 'toml-eslint-parser';

export interface Position {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units as editors count. */
  readonly column: number;
}

export type TomlPath = readonly (string | number)[];

/** Where the keys and values of a TOML text stand, for messages: smol-toml says so only for errors of syntax. */
export interface TomlPositions {
  /** Of the value at `path`, or of the nearest table around it when there is none; the start of the text at last. */
  value(path: TomlPath): Position;
  /** Of the key that ends `path`, else as `value`. */
  key(path: TomlPath): Position;
}

/** A table, an array or a value, with what is in it: a path is walked, so that a long one costs no more than its length. */
interface Place {
  key: Position;
  value: Position;
  readonly inside: Map<string | number, Place>;
}

const START: Position = { line: 1, column: 1 };

/**
 * The positions in a text of TOML 1.1, which smol-toml has accepted. What the parser of positions does not accept all the
 * same (a 30 February, a string of some 100 KiB) has every position at its start.
 */
export function tomlPositions(text: string): TomlPositions {
  const root = placesOf(text);
  const nearest = (path: TomlPath): Place => {
    let place = root;
    for (const part of path) {
      const next = place.inside.get(part);
      if (next === undefined) break;
      place = next;
    }
    return place;
  };
  return { value: (path) => nearest(path).value, key: (path) => nearest(path).key };
}

function placesOf(text: string): Place {
  try {
    // A byte order mark is nothing to smol-toml and an error here; a space takes the same column.
    const [top] = parseTOML(text.replace(/^\ufeff/, ' '), { tomlVersion: '1.1.0' }).body;
    const root = newPlace(START, START);
    for (const entry of top.body) {
      if (entry.type === 'TOMLTable') addTable(root, entry);
      else addPair(root, entry);
    }
    return root;
  } catch {
    return newPlace(START, START);
  }
}

/** `[a.b]` or `[[a.b]]`. It stands for the tables around it too, unless they have a place of their own. */
function addTable(root: Place, table: AST.TOMLTable): void {
  const at = startOf(table);
  let place = root;
  for (const part of table.resolvedKey) place = placeInside(place, part, at, at);
  place.key = at;
  place.value = at;
  for (const pair of table.body) addPair(place, pair);
}

function addPair(table: Place, { key, value }: AST.TOMLKeyValue): void {
  let place = table;
  for (const part of key.keys)
    place = placeInside(place, part.type === 'TOMLBare' ? part.name : part.value, startOf(part), startOf(value));
  addContents(place, value);
}

function addContents(place: Place, value: AST.TOMLContentNode): void {
  if (value.type === 'TOMLInlineTable') for (const pair of value.body) addPair(place, pair);
  if (value.type !== 'TOMLArray') return;
  for (const [index, element] of value.elements.entries())
    addContents(placeInside(place, index, startOf(element), startOf(element)), element);
}

/** The place of a part; a new one when it has none yet. */
function placeInside(around: Place, part: string | number, key: Position, value: Position): Place {
  const known = around.inside.get(part);
  if (known !== undefined) return known;
  const place = newPlace(key, value);
  around.inside.set(part, place);
  return place;
}

function newPlace(key: Position, value: Position): Place {
  return { key, value, inside: new Map() };
}

function startOf({ loc }: AST.HasLocs): Position {
  return { line: loc.start.line, column: loc.start.column + 1 };
}
