import { Command, CommanderError } from 'commander';
import { HekateError, isHekateError, messageOf } from '../shared/errors.js';
import { addCosignerCommand } from './cosigner.js';
import { addDevCommand } from './dev.js';
import { EXIT_FAILED, EXIT_OK, exitCodeOf } from './exit-codes.js';
import { addInitCommand } from './init.js';
import type { Io } from './io.js';
import { examples } from './options.js';
import { addKeysCommand } from './keys.js';
import { addSentryLinkCommand } from './sentry-link.js';
import { addStateCommand } from './state.js';
import { addStatusCommand } from './status.js';
import { versionLine } from './version-line.js';

/** Looks at a command, named as it is typed after `hekate`, before it does anything. */
export type BeforeCommand = (command: string, io: Io) => Promise<void>;

/** Runs `hekate` with these arguments; the exit code. Errors go to standard error as `CODE: cause. Fix: …`, or as JSON with --json. */
export async function runCli(args: readonly string[], io: Io, before?: BeforeCommand): Promise<number> {
  let exitCode = EXIT_OK;
  const program = new Command('hekate')
    .description('Threshold remote signer for CometBFT validators: the key exists only as shares.')
    .version(versionLine(), '--version', 'show version, commit and Node')
    .helpOption('--help', 'show this help')
    .helpCommand(false)
    .addHelpText('after', examples('hekate dev', 'hekate init --help', 'hekate status ./cluster'))
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.out(text),
      writeErr: (text) => io.err(text),
      outputError: () => undefined,
    });
  const fail = (code: number): void => {
    exitCode = code;
  };
  for (const add of COMMANDS) add(program, io, fail);
  program.hook('preAction', (_program, command) => before?.(nameOf(command), io));
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && (error.exitCode === 0 || error.code === 'commander.help')) {
      return error.exitCode === 0 ? EXIT_OK : exitCodeOf('USAGE');
    }
    return report(error, args, program, io);
  }
}

/** Registers one command; `fail` sets the exit code of a command that ends without an error to print. */
export type AddCommand = (program: Command, io: Io, fail: (exitCode: number) => void) => void;

const COMMANDS: readonly AddCommand[] = [
  addInitCommand,
  addDevCommand,
  addCosignerCommand,
  addSentryLinkCommand,
  addStatusCommand,
  addKeysCommand,
  addStateCommand,
];

function report(error: unknown, args: readonly string[], program: Command, io: Io): number {
  const known = error instanceof CommanderError ? usageError(error, args, program) : error;
  if (!isHekateError(known)) {
    io.err(`INTERNAL: ${messageOf(known)}. Fix: report it with this text\n`);
    if (known instanceof Error && known.stack !== undefined) io.err(`${known.stack}\n`);
    return EXIT_FAILED;
  }
  if (args.includes('--json')) io.err(`${JSON.stringify({ error: known })}\n`);
  else io.err(`${known.toLine()}\n`);
  return exitCodeOf(known.code);
}

/** As it is typed: "cosigner start". */
function nameOf(command: Command): string {
  const { parent } = command;
  return parent?.parent ? `${nameOf(parent)} ${command.name()}` : command.name();
}

function usageError(error: CommanderError, args: readonly string[], program: Command): HekateError {
  const names = ['hekate'];
  let command = program;
  for (const arg of args) {
    const next = command.commands.find((one) => one.name() === arg);
    if (next === undefined) break;
    names.push(next.name());
    command = next;
  }
  const cause = error.message.replace(/^error: /, '').replaceAll('\n', ' ');
  return new HekateError('USAGE', cause, { fix: `see \`${names.join(' ')} --help\`` });
}
