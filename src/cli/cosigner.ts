import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Io } from './io.js';
import { keepHeapSmall } from '../shared/process/memory.js';
import { ignoreHangUp } from '../shared/process/hang-up.js';
import { addMoveCommand } from './cosigner-move.js';
import { addProcessOptions, examples, logOverrides, type ProcessOptions } from './options.js';

export function addCosignerCommand(program: Command, io: Io, fail: (exitCode: number) => void): void {
  const cosigner = program
    .command('cosigner')
    .description('The process that holds a share of each key.')
    .addHelpText('after', examples('hekate cosigner start --home ./cluster/cosigner-1'));
  const start = cosigner
    .command('start')
    .description(
      'Runs a cosigner in the foreground until SIGTERM. SIGHUP reads the log level of its configuration again. Says READY=1 to ' +
        'systemd once it listens, and WATCHDOG=1 while its loop turns where the unit has a WatchdogSec.',
    );
  addProcessOptions(start)
    .addHelpText('after', examples('hekate cosigner start --home ./cluster/cosigner-1'))
    .action(async ({ home, ...log }: ProcessOptions) => {
      ignoreHangUp();
      keepHeapSmall();
      const { startCosigner } = await import('../../cosigner/main.js');
      fail(await startCosigner({ home: resolve(home), log: logOverrides(log) }));
    });
  addMoveCommand(cosigner, io);
}
