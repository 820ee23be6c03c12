import type { z } from 'zod';
import { HekateError } from '../errors.js';
import type { Position, TomlPath, TomlPositions } from './toml-positions.js';

/** Something wrong at a place of the file, found beside the schema. */
export interface ConfigIssue {
  readonly path: TomlPath;
  readonly problem: string;
}

export interface PlacedProblem extends Position {
  readonly problem: string;
}

/** A file, and how many of the lines that were parsed it has. */
export interface ConfigSource {
  readonly file: string;
  readonly lines: number;
}

/** Where in the text the problems are that were found beside the schema, and by it. */
export function placeProblems(
  positions: TomlPositions,
  crossed: readonly ConfigIssue[],
  issues: readonly z.core.$ZodIssue[],
): readonly PlacedProblem[] {
  const problems: PlacedProblem[] = crossed.map(({ path, problem }) => ({ ...positions.value(path), problem }));
  for (const issue of issues) problems.push(...describe(issue, positions));
  return problems;
}

function describe(issue: z.core.$ZodIssue, positions: TomlPositions): PlacedProblem[] {
  const path = issue.path.filter((part) => typeof part !== 'symbol');
  const name = path.at(-1);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        ...positions.key([...path, key]),
        problem: `unknown key ${JSON.stringify(key)}`,
      }));
    default:
      if (issue.message === MISSING) return [{ ...positions.key(path), problem: `${JSON.stringify(name)} is missing` }];
      return [{ ...positions.value(path), problem: sentence(name, issue.message) }];
  }
}

/** Messages follow the name of their key, those that begin with a colon are sentences of their own. */
function sentence(name: string | number | undefined, message: string): string {
  if (typeof name !== 'string') return message.replace(/^: /, '');
  return `"${name}"${message.startsWith(':') ? '' : ' '}${message}`;
}

const MISSING = 'missing';

/** Message of a schema for a value of the wrong type; a value that is not there at all is reported as missing. */
export function expects(what: string): (issue: { readonly input?: unknown }) => string {
  return ({ input }) => (input === undefined ? MISSING : `must be ${what}, not ${typeName(input)}`);
}

function typeName(value: unknown): string {
  if (typeof value === 'bigint') return 'a whole number';
  if (typeof value === 'number') return 'a number with a decimal point';
  if (typeof value === 'string') return 'a string';
  if (typeof value === 'boolean') return 'true or false';
  return Array.isArray(value) ? 'an array' : 'a table';
}

/** CONFIG_INVALID with all problems, in the order of the file. */
export function configInvalid({ file, lines: onDisk }: ConfigSource, problems: readonly PlacedProblem[]): HekateError {
  const lines = [...problems]
    .sort((a, b) => a.line - b.line || a.column - b.column)
    .map(({ line, column, problem }) =>
      line > onDisk ? `${file}, with what would be added: ${problem}` : `${file}:${line}:${column}: ${problem}`,
    );
  const message = lines.length === 1 ? lines.join('') : `${lines.length} problems\n  ${lines.join('\n  ')}`;
  return new HekateError('CONFIG_INVALID', message, { details: { file, problems: lines.length } });
}
