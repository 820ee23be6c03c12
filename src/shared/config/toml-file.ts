import { parse, TomlError, type TomlTable } from 'smol-toml';
import type { z } from 'zod';
import type { Stats } from 'node:fs';
import { HekateError, isHekateError, messageOf } from '../errors.js';
import { checkUnchanged } from '../home/guard.js';
import { noHome } from '../home/wrong-home.js';
import { accessDenied } from '../ports/access-denied.js';
import { diskErrorCode } from '../ports/disk-error.js';
import { readPlainText } from '../ports/plain-file.js';
import { systemFix } from '../system-error.js';
import { configInvalid, placeProblems, type ConfigIssue, type ConfigSource } from './config-problems.js';
import type { TomlPositions } from './toml-positions.js';

export { expects, type ConfigIssue } from './config-problems.js';

/** Far above 256 chains with 16 nodes each. */
const MAX_CONFIG_BYTES = 1024 * 1024;

/** Text of a configuration file. Throws NO_HOME when it is absent, CONFIG_INVALID when it cannot be read, ACCESS_DENIED, HOME_TOO_OPEN. */
export async function readConfigText(file: string): Promise<string> {
  try {
    const check = (stats: Stats): void => checkUnchanged(file, stats);
    return Buffer.from(await readPlainText(file, MAX_CONFIG_BYTES, check)).toString('utf8');
  } catch (error) {
    if (isHekateError(error)) throw error;
    const denied = accessDenied(error);
    if (denied !== undefined) throw denied;
    switch (diskErrorCode(error)) {
      case 'ENOENT':
      case 'ENOTDIR':
        throw await noHome(file);
      case 'EUNFIT':
        throw new HekateError('CONFIG_INVALID', messageOf(error), {
          fix: 'put the configuration there, a plain file in UTF-8',
        });
      default:
        throw new HekateError('CONFIG_INVALID', `${file} cannot be read: ${messageOf(error)}`, {
          fix: 'check the disk',
          ...systemFix(error),
          cause: error,
        });
    }
  }
}

/** The text of a file, and what a command is about to append to it: of that nobody can look up a line. */
export interface ConfigText {
  readonly written: string;
  readonly added: string;
}

/**
 * Parses TOML and checks it against a schema and `crossChecks` (between values, on the table as written, so that they are
 * reported together with everything else). Integers are bigint. Throws CONFIG_INVALID with all problems, each as
 * `file:line:column: problem`, in the order of the file; without line and column where that text is not on the disk.
 */
export async function parseConfig<S extends z.ZodType>(
  file: string,
  config: ConfigText,
  schema: S,
  crossChecks: (table: TomlTable) => readonly ConfigIssue[],
): Promise<z.output<S>> {
  const text = whole(config);
  const source = { file, lines: linesOnDisk(config) };
  const table = parseSyntax(source, text);
  const result = schema.safeParse(table);
  const crossed = crossChecks(table);
  if (result.success && crossed.length === 0) return result.data;
  const positions = await positionsIn(text);
  throw configInvalid(source, placeProblems(positions, crossed, result.error?.issues ?? []));
}

function whole({ written, added }: ConfigText): string {
  return written === '' || added === '' ? `${written}${added}` : `${written}\n${added}`;
}

function linesOnDisk({ written, added }: ConfigText): number {
  if (added === '') return Infinity;
  return written === '' ? 0 : written.split('\n').length;
}

/** The parser of positions costs a start 20 ms; it is for messages alone. */
export async function positionsIn(text: string): Promise<TomlPositions> {
  const { tomlPositions } = await import('./toml-positions.js');
  return tomlPositions(text);
}

function parseSyntax(source: ConfigSource, text: string): TomlTable {
  try {
    return parse(text, { integersAsBigInt: true, unsafeKeyBehaviour: 'throw', maxDepth: 8 });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const problem = error.message.split('\n', 1)[0]?.replace('Invalid TOML document: ', 'not TOML: ') ?? 'not TOML';
    throw configInvalid(source, [{ line: error.line, column: error.column, problem }]);
  }
}
