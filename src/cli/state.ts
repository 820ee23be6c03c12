import type { Command } from 'commander';
import type { Io } from './io.js';
import { addStateExportCommand } from './state-export.js';
import { addStateImportCommand } from './state-import.js';
import { addStateInitCommand } from './state-init.js';
import { addStateRecoverCommand } from './state-recover.js';
import { addStateShowCommand } from './state-show.js';
import { examples } from './options.js';

export function addStateCommand(program: Command, io: Io, fail: (exitCode: number) => void): void {
  const state = program
    .command('state')
    .description('The watermark of a cosigner: what it signed last.')
    .addHelpText('after', examples('hekate state show ./cluster/cosigner-1'));
  addStateShowCommand(state, io, fail);
  addStateInitCommand(state, io);
  addStateExportCommand(state, io);
  addStateImportCommand(state, io);
  addStateRecoverCommand(state, io);
}
