import { stat } from 'node:fs/promises';
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { KeyFile } from '../setup/keys/priv-validator-key.js';
import type { StartInputs } from '../setup/watermark-start.js';
import { MAX_HEIGHTS_PER_SECOND } from '../shared/config/heights-per-second.js';
import { HekateError } from '../shared/errors.js';
import type { HostPort } from '../shared/config/host-port.js';
import { LOG_FORMATS, LOG_LEVELS, type LogConfig } from '../shared/config/log-config.js';
import { whyUnsafe } from '../shared/ports/file-access.js';
import { warn, type Io } from './io.js';
import { isStandardInput } from './read-input.js';

/** Text after the options in `--help`. */
export function examples(...lines: readonly string[]): string {
  return `\nExample:\n${lines.map((line) => `  ${line}`).join('\n')}\n`;
}

/** For options that are whole numbers. */
export function parseWholeNumber(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('It is not a whole number.');
  return Number(text);
}

export function parseHeightsPerSecond(text: string): number {
  const value = /^\d{1,7}(?:\.\d{1,3})?$/.test(text) ? Number(text) : NaN;
  if (!(value <= MAX_HEIGHTS_PER_SECOND))
    throw new InvalidArgumentError(`It is not a number from 0 to ${MAX_HEIGHTS_PER_SECOND}.`);
  return value;
}

export function parseHeight(text: string): bigint {
  if (!/^\d{1,19}$/.test(text)) throw new InvalidArgumentError('It is not a block height.');
  return BigInt(text);
}

export interface StartOptions {
  readonly state?: string;
  readonly height?: bigint;
  readonly neverSigned?: boolean;
}

/** The three ways to say where a watermark starts. */
export function addStartOptions(command: Command): Command {
  const state = new Option(
    '--state <file>',
    "the old signer's priv_validator_state.json, after it was stopped for good",
  );
  const height = new Option('--height <h>', 'refuse this height and everything below it').argParser(parseHeight);
  const never = new Option(
    '--never-signed',
    'this key certainly never signed on this chain; with --state: that one is at zero',
  );
  return command
    .addOption(state.conflicts(['height']))
    .addOption(height.conflicts(['state', 'neverSigned']))
    .addOption(never.conflicts(['height']));
}

/** What the options say about where a watermark starts. Throws STATE_IMPORT_INVALID or USAGE. */
export async function readStart(options: StartOptions, chainId: string): Promise<StartInputs> {
  const { height, neverSigned = false } = options;
  if (options.state === undefined) return { state: undefined, height, neverSigned };
  const [{ readInput }, { fromFilePv }] = await Promise.all([import('./read-input.js'), import('../setup/file-pv.js')]);
  const text = Buffer.from(await readInput(options.state, 'the state file')).toString('utf8');
  return { state: fromFilePv(text, chainId), height, neverSigned };
}

/** Throws USAGE. */
export function checkOneStandardInput(...files: readonly (string | undefined)[]): void {
  if (files.filter((file) => file !== undefined && isStandardInput(file)).length > 1)
    throw new HekateError('USAGE', 'two files cannot both come from standard input', {
      fix: 'give the name of one of them',
    });
}

/** Of a command that Ctrl-C must end at any time, also while it would wait for input. Throws USAGE. */
export function checkNoStandardInput(...files: readonly (string | undefined)[]): void {
  if (files.some((file) => file !== undefined && isStandardInput(file)))
    throw new HekateError('USAGE', 'this command reads nothing from standard input', {
      fix: 'give the name of a file',
    });
}

/** Reads a priv_validator_key.json. The caller wipes the key. Throws USAGE, KEY_INVALID or KEY_TYPE_UNSUPPORTED. */
export async function readKey(file: string, io: Io): Promise<KeyFile> {
  const [{ readInput }, { parsePrivValidatorKey }, { loadGroup }, { wipe }] = await Promise.all([
    import('./read-input.js'),
    import('../setup/keys/priv-validator-key.js'),
    import('../shared/frost/load-group.js'),
    import('../shared/bytes.js'),
  ]);
  const group = await loadGroup();
  const contents = await readInput(file, 'the key file');
  try {
    const key = parsePrivValidatorKey(group, contents);
    // A pipe may be gone once it was read.
    const stats = isStandardInput(file) ? undefined : await stat(file).catch(() => undefined);
    const unsafe = stats?.isFile() === true ? whyUnsafe(file, stats, 'secret') : undefined;
    if (unsafe !== undefined) warn(io, `${unsafe.problem}; ${unsafe.fix}, or move it away`);
    return key;
  } finally {
    wipe(contents);
  }
}

export async function parseAddress(text: string): Promise<HostPort> {
  const { parseHostPort } = await import('../shared/config/host-port.js');
  const parsed = parseHostPort(text);
  if (typeof parsed === 'string')
    throw new HekateError('USAGE', parsed, { fix: 'write it as HOST:PORT or [IPV6]:PORT' });
  return parsed;
}

/** Options of the two `start` commands. */
export interface ProcessOptions {
  readonly home: string;
  readonly logFormat?: LogConfig['format'];
  readonly logLevel?: LogConfig['level'];
}

export function addProcessOptions(command: Command): Command {
  return command
    .requiredOption('--home <dir>', 'folder that `hekate init` made')
    .addOption(new Option('--log-format <format>', 'instead of what the configuration says').choices(LOG_FORMATS))
    .addOption(new Option('--log-level <level>', 'instead of what the configuration says').choices(LOG_LEVELS));
}

/** What the command line says about the log, to be laid over the configuration. */
export function logOverrides({ logFormat, logLevel }: Omit<ProcessOptions, 'home'>): Partial<LogConfig> {
  return { ...(logFormat && { format: logFormat }), ...(logLevel && { level: logLevel }) };
}
