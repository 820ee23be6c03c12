import type { Command } from 'commander';
import type { Io } from './io.js';
import { addMigrateOptions, runMigration, validatorsOf, type MigrateOptions } from './migrate-run.js';
import * as options from './options.js';

interface TmkmsOptions extends MigrateOptions {
  readonly config: string;
  readonly chainId?: readonly string[];
  readonly keepIdentity?: boolean;
}

export function addMigrateTmkmsCommand(migrate: Command, io: Io, fail: (exitCode: number) => void): void {
  const command = migrate
    .command('tmkms')
    .summary('from TMKMS 0.12 to 0.15 with softsign keys')
    .description(
      'Moves the chains of a tmkms.toml. Reads, compares and prints the plan; with --apply it writes the folders of a new ' +
        'cluster (--out), or adds the chains to those of one that is there (--into): all of it, or nothing. The old files are ' +
        'only read.',
    )
    .requiredOption('--config <file>', 'the tmkms.toml; relative paths in it begin in this folder, or in its own')
    .option('--chain-id <id...>', 'these chains of it (default: all)')
    .option('--keep-identity', 'sentry-links of the new cluster show nodes the key that TMKMS shows them');
  addMigrateOptions(command);
  command.addHelpText(
    'after',
    options.examples(
      'hekate migrate tmkms --config /etc/tmkms/tmkms.toml --rpc http://10.0.0.7:26657',
      '',
      'The same, and write it:',
      'hekate migrate tmkms --config /etc/tmkms/tmkms.toml --rpc http://10.0.0.7:26657 \\',
      '  --apply --out ./cluster --threshold 2 --cosigner 10.0.1.1:7001 10.0.1.2:7001 10.0.1.3:7001',
    ),
  );
  command.action(async (given: TmkmsOptions) => {
    const { readTmkms } = await import('../setup/migrate/tmkms/tmkms-signer.js');
    options.checkNoStandardInput(given.config);
    const keepIdentity = given.keepIdentity === true;
    const request = {
      ...{ config: given.config, chainIds: given.chainId, validators: validatorsOf(given), keepIdentity },
      startedIn: process.cwd(),
    };
    await runMigration({
      ...{ given, io, fail, keepIdentity },
      read: (group) => readTmkms(group, request),
      old: {
        stateFile: `{"height":"H","round":"R","step":S-1,"block_id":null}`,
        away: 'See that TMKMS never starts by itself again (systemctl disable --now), and move its keys away, to an offline backup',
        start: 'start TMKMS',
      },
    });
  });
}
