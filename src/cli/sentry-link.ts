import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { LOG_FORMATS, LOG_LEVELS } from '../shared/config/log-config.js';
import type { Io } from './io.js';
import { keepHeapSmall } from '../shared/process/memory.js';
import { examples, logOverrides, type ProcessOptions } from './options.js';

export function addSentryLinkCommand(program: Command, _io: Io, fail: (exitCode: number) => void): void {
  const link = program
    .command('sentry-link')
    .description('The process that serves the validator node.')
    .helpCommand(false)
    .addHelpText('after', examples('hekate sentry-link start --home ./cluster/sentry-link-1'));
  link
    .command('start')
    .description('Runs a sentry-link in the foreground until SIGTERM. Says READY=1 to systemd once it works.')
    .requiredOption('--home <dir>', 'folder that `hekate init` made')
    .addOption(new Option('--log-format <format>', 'instead of what the configuration says').choices(LOG_FORMATS))
    .addOption(new Option('--log-level <level>', 'instead of what the configuration says').choices(LOG_LEVELS))
    .addHelpText('after', examples('hekate sentry-link start --home ./cluster/sentry-link-1'))
    .action(async ({ home, ...log }: ProcessOptions) => {
      keepHeapSmall();
      const { startSentryLink } = await import('../../sentry-link/main.js');
      fail(await startSentryLink({ home: resolve(home), log: logOverrides(log) }));
    });
}
