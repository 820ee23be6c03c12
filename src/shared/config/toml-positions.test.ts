import fc from 'fast-check';
import { parse, stringify } from 'smol-toml';
import { expect, test } from 'vitest';
import { tomlPositions, type Position, type TomlPath } from './toml-positions.js';

const TEXT = `# comment with [brackets] and "quotes"
version = 1
"odd key" = 'single # no comment'
nested.dotted = """
three = lines
"quoted" \\"""" # after
list = [1, # one
  { a = "x", b = [true] },
]

[table]
inside = 1979-05-27 07:32:00

[[many]]
id = 1
[[many]]
id = 2
[many.sub]
deep = '''x'''
`;

test.each<[string, TomlPath, string, string]>([
  ['top level', ['version'], '2:1', '2:11'],
  ['quoted key', ['odd key'], '3:1', '3:13'],
  ['dotted key', ['nested', 'dotted'], '4:8', '4:17'],
  ['array', ['list'], '7:1', '7:8'],
  ['element', ['list', 0], '7:9', '7:9'],
  ['inline table in an array', ['list', 1, 'b'], '8:14', '8:18'],
  ['deeper', ['list', 1, 'b', 0], '8:19', '8:19'],
  ['table', ['table'], '11:1', '11:1'],
  ['in a table', ['table', 'inside'], '12:1', '12:10'],
  ['first of many', ['many', 0, 'id'], '15:1', '15:6'],
  ['second of many', ['many', 1, 'id'], '17:1', '17:6'],
  ['table of the second', ['many', 1, 'sub', 'deep'], '19:1', '19:8'],
  ['missing key: its table', ['many', 1, 'name'], '16:1', '16:1'],
  ['nothing at all', ['nowhere'], '1:1', '1:1'],
])('%s', (_name, path, key, value) => {
  parse(TEXT);
  const positions = tomlPositions(TEXT);
  expect([shown(positions.key(path)), shown(positions.value(path))]).toEqual([key, value]);
});

test.each<[string, string, TomlPath, string, string]>([
  ['after a byte order mark', '\ufeffa = 1', ['a'], '1:2', '1:6'],
  ['columns are UTF-16 units', 'a = ["😀", 1]', ['a', 1], '1:12', '1:12'],
  ['lines of Windows', 'a = 1\r\nb = 2\r\n', ['b'], '2:1', '2:5'],
  ['what TOML 1.1 brought', 'a = {\n  b = "\\e", # one\n  c = 07:32,\n}', ['a', 'c'], '3:3', '3:7'],
  ['a table before the one around it', '[a.b]\n[a]\nc = 1', ['a'], '2:1', '2:1'],
  ['a table around one alone', '\n[a.b]', ['a'], '2:1', '2:1'],
  ['the array of tables itself', '\n[[a]]\n[[a]]', ['a'], '2:1', '2:1'],
  ['a date that only smol-toml takes', '\n\na = 2021-02-30', ['a'], '1:1', '1:1'],
  ['a string that only smol-toml takes', `\n\na = "${'x'.repeat(1_000_000)}"`, ['a'], '1:1', '1:1'],
])('%s', (_name, text, path, key, value) => {
  parse(text);
  const positions = tomlPositions(text);
  expect([shown(positions.key(path)), shown(positions.value(path))]).toEqual([key, value]);
});

/** With a cost that grows with the square of a path's length this would not end. */
test('a path as long as a configuration can be', () => {
  const text = `\na${'.a'.repeat(520_000)} = 1`;
  const path = Array<string>(520_001).fill('a');
  const positions = tomlPositions(text);
  expect([shown(positions.key(path)), shown(positions.value(path))]).toEqual(['2:1040001', '2:1040005']);
});

test('finds every key of any document that smol-toml writes', () => {
  const leaf = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.array(fc.string(), { maxLength: 3 }));
  const key = fc.stringMatching(/^[a-z][a-z .'"#=\]]{0,6}$/);
  const table = fc.dictionary(key, leaf, { maxKeys: 4 });
  const document = fc.dictionary(key, fc.oneof(leaf, table, fc.array(table, { minLength: 1, maxLength: 3 })), {
    maxKeys: 5,
  });
  fc.assert(
    fc.property(document, (value) => {
      const text = stringify(value);
      const positions = tomlPositions(text);
      const lines = text.split('\n');
      for (const path of leavesOf(value)) {
        const { line, column } = positions.key(path);
        const at = lines[line - 1]?.slice(column - 1) ?? '';
        const name = String(path.at(-1));
        expect([name, JSON.stringify(name)].some((form) => at.startsWith(`${form} =`))).toBe(true);
      }
    }),
    { numRuns: 300 },
  );
});

function shown({ line, column }: Position): string {
  return `${line}:${column}`;
}

/** Paths of the values that stand behind a key. */
function leavesOf(value: unknown, path: TomlPath = []): TomlPath[] {
  if (Array.isArray(value) && value.every((part) => typeof part === 'object'))
    return value.length === 0 ? [path] : value.flatMap((part, i) => leavesOf(part, [...path, i]));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [path];
  return Object.entries(value).flatMap(([name, part]) => leavesOf(part, [...path, name]));
}
