import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Io } from './io.js';
import { keepHeapSmall } from '../shared/process/memory.js';
import { addProcessOptions, examples, logOverrides, type ProcessOptions } from './options.js';

export function addCosignerCommand(program: Command, _io: Io, fail: (exitCode: number) => void): void {
  const cosigner = program
    .command('cosigner')
    .description('The process that holds a share of each key.')
    .addHelpText('after', examples('hekate cosigner start --home ./cluster/cosigner-1'));
  const start = cosigner
    .command('start')
    .description('Runs a cosigner in the foreground until SIGTERM. Says READY=1 to systemd once it listens.');
  addProcessOptions(start)
    .addHelpText('after', examples('hekate cosigner start --home ./cluster/cosigner-1'))
    .action(async ({ home, ...log }: ProcessOptions) => {
      keepHeapSmall();
      const { startCosigner } = await import('../../cosigner/main.js');
      fail(await startCosigner({ home: resolve(home), log: logOverrides(log) }));
    });
}
