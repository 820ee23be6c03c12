import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Io } from './io.js';
import { ignoreHangUp } from '../shared/process/hang-up.js';
import { keepHeapSmall } from '../shared/process/memory.js';
import { watchdogMs } from '../shared/process/systemd.js';
import { addAddLinkCommand, addRemoveLinkCommand } from './sentry-link-change.js';
import { addProcessOptions, examples, logOverrides, type ProcessOptions } from './options.js';

interface LinkOptions extends ProcessOptions {
  /** False with --no-watcher. */
  readonly watcher: boolean;
}

export function addSentryLinkCommand(program: Command, io: Io, fail: (exitCode: number) => void): void {
  const link = program
    .command('sentry-link')
    .description('The process that serves the validator node.')
    .addHelpText('after', examples('hekate sentry-link start --home ./cluster/sentry-link-1'));
  const start = link
    .command('start')
    .description(
      'Runs a sentry-link in the foreground until SIGTERM. SIGHUP reads the log level of its configuration again. Says READY=1 ' +
        'to systemd once it works.',
    );
  addProcessOptions(start)
    .option(
      '--no-watcher',
      'in one process: nobody kills it and starts it again when its loop stands still for a second (so it is anyway ' +
        'where systemd does that, by WatchdogSec)',
    )
    .addHelpText('after', examples('hekate sentry-link start --home ./cluster/sentry-link-1'))
    .action(async ({ home, watcher, ...log }: LinkOptions) => {
      ignoreHangUp();
      keepHeapSmall();
      if (watcher && watchdogMs(process.env, process.pid) === undefined) {
        const { watchThisCommand } = await import('./watch-this-command.js');
        return fail(await watchThisCommand());
      }
      const { startSentryLink } = await import('../../sentry-link/main.js');
      fail(await startSentryLink({ home: resolve(home), log: logOverrides(log) }));
    });
  addAddLinkCommand(link, io);
  addRemoveLinkCommand(link, io);
}
