import fc from 'fast-check';
import { parse, stringify } from 'smol-toml';
import { expect, test } from 'vitest';
import { TomlPositions, type TomlPath } from './toml-positions.js';

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
  const positions = new TomlPositions(TEXT);
  const text = ({ line, column }: { line: number; column: number }): string => `${line}:${column}`;
  expect([text(positions.key(path)), text(positions.value(path))]).toEqual([key, value]);
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
      const positions = new TomlPositions(text);
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

/** Paths of the values that stand behind a key. */
function leavesOf(value: unknown, path: TomlPath = []): TomlPath[] {
  if (Array.isArray(value) && value.every((part) => typeof part === 'object'))
    return value.length === 0 ? [path] : value.flatMap((part, i) => leavesOf(part, [...path, i]));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [path];
  return Object.entries(value).flatMap(([name, part]) => leavesOf(part, [...path, name]));
}
