import {
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Document,
  type DocumentOptions,
  type ParseOptions,
  type SchemaOptions,
} from 'yaml';
import { z } from 'zod';
import {
  configInvalid,
  expects,
  placeProblems,
  type ConfigIssue,
  type ConfigSource,
  type PlacedProblem,
} from '../../shared/config/config-problems.js';
import { HekateError } from '../../shared/errors.js';
import type { Position, TomlPath, TomlPositions } from '../../shared/config/toml-positions.js';

/** Far above the configuration of any signer. */
const MAX_YAML_CHARACTERS = 256 * 1024;
const START: Position = { line: 1, column: 1 };

/**
 * Parses the YAML of another signer and checks it against a schema, then `crossChecks` between its values. Whole numbers are
 * bigint; a key without a value is taken as absent, as Go's parsers do. Aliases, tags and merge keys are not read: no signer
 * writes them. Throws OLD_CONFIG_INVALID with all problems, each as `file:line:column: problem`; no message quotes a value that the
 * schema does not quote.
 */
export function parseYaml<S extends z.ZodType>(
  file: string,
  text: string,
  schema: S,
  crossChecks: (value: z.output<S>) => readonly ConfigIssue[] = () => [],
): z.output<S> {
  const source: ConfigSource = { file, lines: Infinity };
  if (text.length > MAX_YAML_CHARACTERS)
    throw oldConfigInvalid(source, [{ ...START, problem: `not YAML of a signer: it has ${text.length} characters` }]);
  const lines = new LineCounter();
  const document = parseDocument(text, { ...STRICT, lineCounter: lines });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined)
    throw oldConfigInvalid(source, [
      { ...placeAt(lines, problem.pos[0]), problem: `not YAML: ${clipped(problem.message)}` },
    ]);
  if (document.contents === null) throw oldConfigInvalid(source, [{ ...START, problem: 'it is empty' }]);
  const result = schema.safeParse(withoutNulls(valueOf(source, document)));
  const crossed = result.success ? crossChecks(result.data) : [];
  if (result.success && crossed.length === 0) return result.data;
  throw oldConfigInvalid(source, placeProblems(yamlPositions(document, lines), crossed, result.error?.issues ?? []));
}

/** A strict mapping: unknown keys are errors. */
export function mapping<T extends z.core.$ZodLooseShape>(shape: T): z.ZodObject<T, z.core.$strict> {
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'invalid_type' ? expects('keys with values')(issue) : undefined),
  });
}

/** A list of such; absent is empty. */
export function list<T extends z.ZodType>(entry: T): z.ZodDefault<z.ZodArray<T>> {
  return z.array(entry, { error: expects('a list') }).default([]);
}

const STRICT: ParseOptions & DocumentOptions & SchemaOptions = {
  version: '1.2',
  schema: 'core',
  merge: false,
  intAsBigInt: true,
  // With the lines around it an error would quote what stands there.
  prettyErrors: false,
  // Where it would be a warning, a schema refuses it.
  logLevel: 'error',
};

function valueOf(source: ConfigSource, document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 }) as unknown;
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    throw oldConfigInvalid(source, [{ ...START, problem: 'it has an alias (*name): write out what it stands for' }]);
  }
}

function oldConfigInvalid(source: ConfigSource, problems: readonly PlacedProblem[]): HekateError {
  return new HekateError('OLD_CONFIG_INVALID', configInvalid(source, problems).message);
}

/** The parser's reason without the piece of the text, or the advice for programmers, that some reasons end with. */
function clipped(message: string): string {
  return message.replace(/(: |; |\n).*$/s, '');
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([, inside]) => inside !== null);
  return Object.fromEntries(kept.map(([key, inside]) => [key, withoutNulls(inside)]));
}

function placeAt(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return line === 0 ? START : { line, column: col };
}

/** As of a TOML text: of what is not there it is the nearest around it. */
function yamlPositions(document: Document, lines: LineCounter): TomlPositions {
  const nearest = (path: TomlPath): { readonly key: Position; readonly value: Position } => {
    let place = { key: START, value: START };
    let node: unknown = document.contents;
    for (const part of path) {
      const [key, value] = insideOf(node, part);
      if (value === undefined) break;
      place = { key: startOf(key, lines) ?? place.key, value: startOf(value, lines) ?? place.value };
      node = value;
    }
    return place;
  };
  return { value: (path) => nearest(path).value, key: (path) => nearest(path).key };
}

/** The nodes of a key and of its value; in a list both are the entry. */
function insideOf(node: unknown, part: string | number): readonly [unknown, unknown] {
  if (isSeq(node)) return [node.items[Number(part)], node.items[Number(part)]];
  if (!isMap(node)) return [undefined, undefined];
  const pair = node.items.find(({ key }) => String(isScalar(key) ? key.value : key) === part);
  return [pair?.key, pair?.value ?? pair?.key];
}

function startOf(node: unknown, lines: LineCounter): Position | undefined {
  if (typeof node !== 'object' || node === null || !('range' in node) || !Array.isArray(node.range)) return undefined;
  return placeAt(lines, Number(node.range[0]));
}
