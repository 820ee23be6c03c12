import type { Command } from 'commander';
import type { Io } from './io.js';
import { addMigrateFileCommand } from './migrate-file.js';
import { addMigrateHorcruxCommand } from './migrate-horcrux.js';
import { addMigrateKmsCommand } from './migrate-kms.js';
import { addMigrateNebulaCommand } from './migrate-nebula.js';
import { addMigrateTmkmsCommand } from './migrate-tmkms.js';
import { examples } from './options.js';

export function addMigrateCommand(program: Command, io: Io, fail: (exitCode: number) => void): void {
  const migrate = program
    .command('migrate')
    .description('Move in from another signer, without a second signature.')
    .addHelpText('after', examples('hekate migrate tmkms --config /etc/tmkms/tmkms.toml --rpc http://10.0.0.5:26657'));
  addMigrateFileCommand(migrate, io, fail);
  addMigrateTmkmsCommand(migrate, io, fail);
  addMigrateHorcruxCommand(migrate, io, fail);
  addMigrateKmsCommand(migrate, io, fail);
  addMigrateNebulaCommand(migrate, io, fail);
}
