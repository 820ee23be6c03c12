import { Command, CommanderError } from 'commander';
import { HekateError, isHekateError, messageOf } from '../shared/errors.js';
import { accessDenied } from '../shared/ports/access-denied.js';
import { asSystemError } from '../shared/system-error.js';
import { addCosignerCommand } from './cosigner.js';
import { addDevCommand } from './dev.js';
import { EXIT_FAILED, EXIT_OK, exitCodeOf } from './exit-codes.js';
import { addIdentityCommand } from './identity.js';
import { addInitCommand } from './init.js';
import type { Io } from './io.js';
import { examples } from './options.js';
import { addKeysCommand } from './keys.js';
import { addLeaderCommand } from './leader.js';
import { addMigrateCommand } from './migrate.js';
import { addNodeCommand } from './node.js';
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
    .version(versionLine(), '-V, --version', 'show version, commit and Node')
    .helpOption('-h, --help', 'show this help')
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
  for (const one of [program, ...program.commands])
    if (one.commands.length > 0) one.helpCommand('help [command]', 'show the help of a command');
  program.hook('preAction', (_program, command) => before?.(nameOf(command), io));
  try {
    await program.parseAsync(helpAsOption(args, program), { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && (error.exitCode === 0 || error.code === 'commander.help')) {
      return error.exitCode === 0 ? EXIT_OK : exitCodeOf('USAGE');
    }
    return report(error, args, program, io);
  }
}

/**
 * `help keys show` and `keys help show` as `keys show --help`: commander's own help looks one command far. What follows `help`
 * is never run.
 */
function helpAsOption(args: readonly string[], program: Command): readonly string[] {
  const path: string[] = [];
  let command = program;
  let asked = false;
  for (const arg of args) {
    const isGroup = command.commands.length > 0;
    if (!asked && isGroup && arg === 'help') {
      asked = true;
      continue;
    }
    const next = command.commands.find((one) => one.name() === arg);
    if (next === undefined) {
      if (!asked) return args;
      // Refused as the unknown command that it is.
      if (isGroup && !arg.startsWith('-')) return [...path, arg];
      break;
    }
    path.push(arg);
    command = next;
  }
  return asked ? [...path, '--help'] : args;
}

/** Registers one command; `fail` sets the exit code of a command that ends without an error to print. */
export type AddCommand = (program: Command, io: Io, fail: (exitCode: number) => void) => void;

const COMMANDS: readonly AddCommand[] = [
  addInitCommand,
  addMigrateCommand,
  addDevCommand,
  addCosignerCommand,
  addSentryLinkCommand,
  addStatusCommand,
  addLeaderCommand,
  addNodeCommand,
  addKeysCommand,
  addIdentityCommand,
  addStateCommand,
];

function report(error: unknown, args: readonly string[], program: Command, io: Io): number {
  const known =
    error instanceof CommanderError
      ? usageError(error, args, program)
      : (accessDenied(error) ?? asSystemError(error) ?? error);
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
