import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { LOG_FORMATS, LOG_LEVELS } from '../shared/config/log-config.js';
import type { Io } from './io.js';
import { keepHeapSmall } from '../shared/process/memory.js';
import { examples, logOverrides, type ProcessOptions } from './options.js';

export function addCosignerCommand(program: Command, _io: Io, fail: (exitCode: number) => void): void {
  const cosigner = program
    .command('cosigner')
    .description('The process that holds a share of each key.')
    .helpCommand(false)
    .addHelpText('after', examples('hekate cosigner start --home ./cluster/cosigner-1'));
  cosigner
    .command('start')
    .description('Runs a cosigner in the foreground until SIGTERM. Says READY=1 to systemd once it listens.')
    .requiredOption('--home <dir>', 'folder that `hekate init` made')
    .addOption(new Option('--log-format <format>', 'instead of what the configuration says').choices(LOG_FORMATS))
    .addOption(new Option('--log-level <level>', 'instead of what the configuration says').choices(LOG_LEVELS))
    .addHelpText('after', examples('hekate cosigner start --home ./cluster/cosigner-1'))
    .action(async ({ home, ...log }: ProcessOptions) => {
      keepHeapSmall();
      const { startCosigner } = await import('../../cosigner/main.js');
      fail(await startCosigner({ home: resolve(home), log: logOverrides(log) }));
    });
}
