import { expect, test } from 'vitest';
import { z } from 'zod';
import { text, wholeNumber } from '../../shared/config/fields.js';
import { isHekateError } from '../../shared/errors.js';
import { list, mapping, parseYaml } from './yaml-file.js';

const schema = mapping({
  name: text,
  count: wholeNumber(1, 9).optional(),
  on: z.boolean().optional(),
  list: list(mapping({ addr: text })),
});

function problemsOf(yaml: string): readonly string[] {
  try {
    parseYaml('f.yaml', yaml, schema);
    return [];
  } catch (error) {
    if (!isHekateError(error) || error.code !== 'OLD_CONFIG_INVALID') throw error;
    return [...error.message.matchAll(/f\.yaml:(.*)/g)].map(([, problem]) => problem ?? '');
  }
}

test.each<[string, string, unknown]>([
  ['blocks', 'name: x\ncount: 3\nlist:\n  - addr: tcp://h:1\n', { name: 'x', count: 3, list: [{ addr: 'tcp://h:1' }] }],
  ['flow', '{name: "x", list: [{addr: y}]}', { name: 'x', list: [{ addr: 'y' }] }],
  ['comments and blank lines', '# a\n\nname: x # b\n', { name: 'x', list: [] }],
  ['keys without a value, as absent', 'name: x\ncount:\nlist:\n', { name: 'x', list: [] }],
  ['a document start, and Windows line ends', '---\r\nname: x\r\n', { name: 'x', list: [] }],
  ['true and false', 'name: x\non: false\n', { name: 'x', on: false, list: [] }],
])('reads %s', (_name, yaml, expected) => {
  expect(parseYaml('f.yaml', yaml, schema)).toEqual(expected);
});

test.each<[string, string, readonly string[]]>([
  ['an unknown key', 'name: x\nnmae: y\n', ['2:1: unknown key "nmae"']],
  ['an unknown key in a list', 'name: x\nlist:\n  - addr: y\n    adr: z\n', ['4:5: unknown key "adr"']],
  ['a missing key', 'count: 1\n', ['1:1: "name" is missing']],
  ['a missing key in a list', 'name: x\nlist:\n  - {}\n', ['3:5: "addr" is missing']],
  [
    'wrong types',
    'name: 1\ncount: "2"\n',
    ['1:7: "name" must be a string, not a whole number', '2:8: "count" must be a whole number, not a string'],
  ],
  ['no list', 'name: x\nlist: y\n', ['2:7: "list" must be a list, not a string']],
  ['a value out of range', 'name: x\ncount: 10\n', ['2:8: "count" must be between 1 and 9']],
  ['a list instead of keys', '- name\n', ['1:1: must be keys with values, not an array']],
  ['a merge key, as unknown', 'name: x\n<<: {on: true}\n', ['2:1: unknown key "<<"']],
  ['nothing', '', ['1:1: it is empty']],
  ['only a comment', '# nothing\n', ['1:1: it is empty']],
  ['a key twice', 'name: x\nname: y\n', ['2:1: not YAML: Map keys must be unique']],
  [
    'a truncated list',
    'name: x\nlist: [',
    ['2:8: not YAML: Flow sequence in block collection must be sufficiently indented and end with a ]'],
  ],
  ['an alias', 'name: &a x\nlist: [{addr: *a}]', ['1:1: it has an alias (*name): write out what it stands for']],
  ['a tag', 'name: !secret x\n', ['1:7: not YAML: Unresolved tag']],
  ['two documents', 'name: x\n---\nname: y\n', ['2:1: not YAML: Source contains multiple documents']],
  ['TOML', 'name = "x"\n', ['1:1: must be keys with values, not a string']],
  ['a key that is a list', 'name: x\n? [a]\n: 1\n', ['1:1: unknown key "[ a ]"']],
  [
    'a file that is far too long',
    `name: ${'x'.repeat(300_000)}`,
    ['1:1: not YAML of a signer: it has 300006 characters'],
  ],
])('refuses %s', (_name, yaml, problems) => {
  expect(problemsOf(yaml)).toEqual(problems);
});

test('checks between values are told at their places', () => {
  const check = (): unknown =>
    parseYaml('f.yaml', 'name: x\nlist:\n  - addr: y\n', schema, () => [
      { path: ['list', 0, 'addr'], problem: 'is no' },
    ]);
  expect(check).toThrow('f.yaml:3:11: is no');
});

test.each([
  'name: x\nlist:\n\t- SECRET',
  'name: "SECRET',
  'name: @SECRET',
  'name: >SECRET\n x',
  'name: *SECRET',
  'name: x\non: {SECRET',
  'name: [SECRET]\n',
  'name: x\n%SECRET',
])('no message quotes what stands there: %j', (yaml) => {
  expect(problemsOf(yaml)).not.toEqual([]);
  expect(problemsOf(yaml).join()).not.toContain('SECRET');
});
