import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Io } from './io.js';
import { keepHeapSmall } from '../shared/process/memory.js';
import { addProcessOptions, examples, logOverrides, type ProcessOptions } from './options.js';

export function addSentryLinkCommand(program: Command, _io: Io, fail: (exitCode: number) => void): void {
  const link = program
    .command('sentry-link')
    .description('The process that serves the validator node.')
    .addHelpText('after', examples('hekate sentry-link start --home ./cluster/sentry-link-1'));
  const start = link
    .command('start')
    .description('Runs a sentry-link in the foreground until SIGTERM. Says READY=1 to systemd once it works.');
  addProcessOptions(start)
    .addHelpText('after', examples('hekate sentry-link start --home ./cluster/sentry-link-1'))
    .action(async ({ home, ...log }: ProcessOptions) => {
      keepHeapSmall();
      const { startSentryLink } = await import('../../sentry-link/main.js');
      fail(await startSentryLink({ home: resolve(home), log: logOverrides(log) }));
    });
}
