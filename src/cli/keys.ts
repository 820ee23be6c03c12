import type { Command } from 'commander';
import type { Io } from './io.js';
import { addKeysShowCommand } from './keys-show.js';
import { addKeysSplitCommand } from './keys-split.js';
import { addKeysVerifyCommand } from './keys-verify.js';
import { examples } from './options.js';

export function addKeysCommand(program: Command, io: Io): void {
  const keys = program
    .command('keys')
    .description('Deal, show and check shared keys.')
    .addHelpText('after', examples('hekate keys show ./cluster/cosigner-1'));
  addKeysSplitCommand(keys, io);
  addKeysShowCommand(keys, io);
  addKeysVerifyCommand(keys, io);
}
